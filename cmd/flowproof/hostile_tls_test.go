//go:build !race

package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// secured is a server over TLS with a certificate of its own, which the client may be told to trust.
func secured(trusted bool, lowest, highest uint16, change func(*x509.Certificate), talk func(c net.Conn, in *bufio.Reader)) func(*testing.T) address {
	return func(t *testing.T) address {
		certificate, ca, err := throwAway(change)
		if err != nil {
			t.Fatal(err)
		}
		l := listening(t)
		go talkTo(tls.NewListener(l, &tls.Config{ //nolint:gosec // old versions are what it is about
			Certificates: []tls.Certificate{certificate}, MinVersion: lowest, MaxVersion: highest, NextProtos: []string{"h2", "http/1.1"},
		}), talk)
		at := address{url: "https://" + l.Addr().String()}
		if trusted {
			at.ca = ca
		}
		return at
	}
}

// http2Talker is a server that speaks HTTP/2 to those who do, and does something with each request.
func http2Talker(answer func(f *http2.Framer, stream uint32) error) func(*testing.T) address {
	return secured(true, tls.VersionTLS12, 0, unchanged, func(c net.Conn, in *bufio.Reader) {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(in, preface); err != nil || string(preface) != http2.ClientPreface {
			return
		}
		f := http2.NewFramer(c, in)
		if f.WriteSettings() != nil {
			return
		}
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			switch frame := frame.(type) {
			case *http2.SettingsFrame:
				if !frame.IsAck() && f.WriteSettingsAck() != nil {
					return
				}
			case *http2.HeadersFrame:
				if answer(f, frame.StreamID) != nil {
					return
				}
			}
		}
	})
}

func unchanged(*x509.Certificate) {}

// serving answers every request with a token.
func serving(c net.Conn, in *bufio.Reader) {
	for heardRequest(in) {
		if _, err := io.WriteString(c, sized(tokenWith(""))); err != nil {
			return
		}
	}
}

func secureTroubles() []trouble {
	return []trouble{
		{"TLS with an unknown root", secured(false, tls.VersionTLS12, 0, unchanged, serving), mute},
		{"TLS for another name", secured(true, tls.VersionTLS12, 0, func(c *x509.Certificate) { c.IPAddresses = nil }, serving), mute},
		{"TLS with an expired certificate", secured(true, tls.VersionTLS12, 0, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, serving), mute},
		{"TLS 1.0", secured(true, tls.VersionTLS10, tls.VersionTLS10, unchanged, serving), odd},
		{"a handshake that never ends", func(t *testing.T) address {
			l := listening(t)
			go talkTo(l, func(_ net.Conn, in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) })
			return address{url: "https://" + l.Addr().String()}
		}, mute},
		{"no TLS where it is due", func(t *testing.T) address {
			l := listening(t)
			go talkTo(l, serving)
			return address{url: "https://" + l.Addr().String()}
		}, mute},
		{"h2 that resets each stream", http2Talker(func(f *http2.Framer, stream uint32) error {
			return f.WriteRSTStream(stream, http2.ErrCodeInternal)
		}), mute},
		{"h2 that goes away", http2Talker(func(f *http2.Framer, _ uint32) error {
			return f.WriteGoAway(0, http2.ErrCodeNo, nil)
		}), mute},
		{"h2 that goes away for being overrun", http2Talker(func(f *http2.Framer, stream uint32) error {
			return f.WriteGoAway(stream, http2.ErrCodeEnhanceYourCalm, []byte("too many"))
		}), mute},
		{"h2 with a flood of pings", http2Talker(func(f *http2.Framer, _ uint32) error {
			for {
				if err := f.WritePing(false, [8]byte{1}); err != nil {
					return err
				}
			}
		}), mute},
		{"h2 with a flood of settings", http2Talker(func(f *http2.Framer, _ uint32) error {
			for {
				if err := f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1}); err != nil {
					return err
				}
			}
		}), mute},
		{"h2 with frames that are none", http2Talker(func(f *http2.Framer, stream uint32) error {
			return f.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, stream, []byte("\xff\xff\xff\xff"))
		}), mute},
	}
}
