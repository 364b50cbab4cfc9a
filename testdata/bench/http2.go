package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// caFile is the certificate of the token server that speaks HTTP/2, in the folder that it was given.
const caFile = "ca.pem"

// serveHTTP2 is the same token endpoint with HTTP/2 over TLS; its certificate goes to a file of the folder.
func serveHTTP2(ctx context.Context, out io.Writer, folder string) error {
	certificate, err := selfSigned(filepath.Join(folder, caFile))
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var issued atomic.Int64
	s := &http.Server{
		ReadHeaderTimeout: time.Minute,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/count":
				fmt.Fprint(w, issued.Load())
				return
			case r.URL.Path == "/zero":
				issued.Store(0)
				return
			case r.ProtoMajor != 2:
				http.Error(w, "HTTP/2 only", http.StatusHTTPVersionNotSupported)
				return
			case r.Method != http.MethodPost || r.Header.Get("Authorization") == "":
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			issued.Add(1)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(answer())
		}),
	}
	fmt.Fprintf(out, "https://%s\n", listener.Addr())
	ended := make(chan error, 1)
	go func() { ended <- s.ServeTLS(listener, "", "") }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

// selfSigned makes a certificate for loopback, and writes it where clients can read it.
func selfSigned(file string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, os.WriteFile(file, text, 0o600)
}
