package suites

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// handshakes says how the hosts of a deployment shake hands (RFC 9325). It is tried with crypto/tls itself,
// since a request needs a handshake that went well.
func handshakes(s *session) {
	Describe("every host", func() {
		BeforeEach(s.requiresTLS)
		quality := proves("RFC9325-3.1.1-tls-quality")

		It("shows a certificate that is valid for it", quality, func(ctx SpecContext) {
			for _, h := range s.secureHosts() {
				s.shakes(ctx, h)
				s.seen.expected = "a certificate of " + h.name + " that is valid today, under a trusted root"
				_, err := s.shake(ctx, h, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.driver.Roots(), ServerName: h.name})
				if invalid, is := errors.AsType[*tls.CertificateVerificationError](err); is {
					s.violated("%s: %v", h.address, invalid.Err)
				}
				if err != nil {
					s.inconclusive("the handshake with %s failed: %v", h.address, err)
				}
			}
		})

		DescribeTable("refuses", table, quality,
			func(ctx SpecContext, version uint16) {
				for _, h := range s.secureHosts() {
					s.shakes(ctx, h)
					s.seen.expected = "no handshake by " + tls.VersionName(version)
					state, err := s.shake(ctx, h, unverified(version, everySuite()))
					if err == nil {
						s.violated("%s accepts %s, with %s", h.address, tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
					}
					if late(err) {
						s.inconclusive("%s did not answer to %s: %v", h.address, tls.VersionName(version), err)
					}
				}
			},
			Entry("TLS 1.0", uint16(tls.VersionTLS10)),
			Entry("TLS 1.1", uint16(tls.VersionTLS11)),
		)

		It("has no use for weak cipher suites", quality, func(ctx SpecContext) {
			for _, h := range s.secureHosts() {
				s.shakes(ctx, h)
				for _, kind := range []string{"RC4", "3DES", "TLS_RSA_"} {
					s.seen.expected = "no handshake with suites of the kind " + kind
					state, err := s.shake(ctx, h, unverified(tls.VersionTLS12, suitesOf(kind)))
					switch {
					case err != nil:
					case kind == "RC4": // RFC 9325 §4.1 forbids it
						s.violated("%s accepts %s", h.address, tls.CipherSuiteName(state.CipherSuite))
					default: // and advises against these
						s.warn("%s accepts %s", h.address, tls.CipherSuiteName(state.CipherSuite))
					}
				}
			}
		})

		It("knows TLS 1.3", quality, func(ctx SpecContext) {
			for _, h := range s.secureHosts() {
				s.shakes(ctx, h)
				s.seen.expected = "a handshake by TLS 1.3"
				if _, err := s.shake(ctx, h, unverified(tls.VersionTLS13, nil)); err != nil {
					s.note("%s does not: %v", h.address, err)
				}
			}
		})
	})
}

// A host is one that the target's endpoints are on.
type host struct{ name, address string }

// secureHosts are the hosts of the endpoints, those under TLS.
func (s *session) secureHosts() []host {
	var out []host
	e := s.target.Endpoints
	for _, raw := range []string{e.Authorization, e.Token, e.Revocation, e.Introspection, e.Metadata, e.JWKS} {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" {
			continue
		}
		port := u.Port()
		if port == "" {
			port = "443"
		}
		if h := (host{u.Hostname(), net.JoinHostPort(u.Hostname(), port)}); !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out
}

// shake shakes hands once.
func (s *session) shake(ctx context.Context, h host, c *tls.Config) (tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, s.target.Timeout)
	defer cancel()
	conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", h.address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	secured, is := conn.(*tls.Conn)
	if !is {
		return tls.ConnectionState{}, errors.New("the connection is not one of TLS")
	}
	return secured.ConnectionState(), nil
}

// shakes is the control: some handshake works, so that a refusal is one of what was offered.
func (s *session) shakes(ctx context.Context, h host) {
	if _, err := s.shake(ctx, h, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, ServerName: h.name}); err != nil { //nolint:gosec // whom it is with is for another spec
		s.inconclusive("no handshake with %s comes about at all: %v", h.address, err)
	}
}

// unverified offers one version and these suites, whoever answers.
func unverified(version uint16, suites []uint16) *tls.Config {
	return &tls.Config{MinVersion: version, MaxVersion: version, CipherSuites: suites, InsecureSkipVerify: true} //nolint:gosec // it is to be refused
}

// late says whether a handshake came to no end.
func late(err error) bool {
	timeout, is := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || is && timeout.Timeout()
}

// everySuite is all that crypto/tls can speak.
func everySuite() []uint16 { return suitesOf("") }

// suitesOf are those with the word in their name.
func suitesOf(word string) []uint16 {
	var out []uint16
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if strings.Contains(suite.Name, word) {
			out = append(out, suite.ID)
		}
	}
	return out
}
