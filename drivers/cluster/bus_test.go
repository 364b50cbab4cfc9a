package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"flowproof/drivers/load"
)

// serveBus serves a bus of its own for the test.
func serveBus(t *testing.T, o *server.Options) (url string) {
	t.Helper()
	o.Host, o.Port, o.NoLog, o.NoSigs, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, true, true, t.TempDir()
	o.JetStream = true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the bus is not ready")
	}
	return s.ClientURL()
}

// keep writes a file that only its owner reads.
func keep(t *testing.T, name string, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// vouched is a certificate that vouches for itself, of either side, and the files that it and its key are kept in.
func vouched(t *testing.T) (both tls.Certificate, roots *x509.CertPool, cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the bus"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, about, about, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if both, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return both, roots, keep(t, "cert.pem", certPEM), keep(t, "key.pem", keyPEM)
}

// operated are options of a bus whose users have JWTs, and the credentials of one.
func operated(t *testing.T) (o *server.Options, credentials []byte) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	made := func(k nkeys.KeyPair, err error) (nkeys.KeyPair, string) {
		must(err)
		public, err := k.PublicKey()
		must(err)
		return k, public
	}
	operator, operatorID := made(nkeys.CreateOperator())
	account, accountID := made(nkeys.CreateAccount())
	user, userID := made(nkeys.CreateUser())
	_, systemID := made(nkeys.CreateAccount()) // without one there is no JetStream

	of := jwt.NewAccountClaims(accountID)
	of.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	accountJWT, err := of.Encode(operator)
	must(err)
	userJWT, err := jwt.NewUserClaims(userID).Encode(account)
	must(err)
	seed, err := user.Seed()
	must(err)
	credentials, err = jwt.FormatUserConfig(userJWT, seed)
	must(err)
	known := &server.MemAccResolver{}
	must(known.Store(accountID, accountJWT))
	systemJWT, err := jwt.NewAccountClaims(systemID).Encode(operator)
	must(err)
	must(known.Store(systemID, systemJWT))
	return &server.Options{TrustedOperators: []*jwt.OperatorClaims{jwt.NewOperatorClaims(operatorID)}, AccountResolver: known, SystemAccount: systemID}, credentials
}

// TestBusOfOthers: agents and a coordinator meet on buses that are locked in each of the ways that there are, and who
// lacks the key is told so, without it.
func TestBusOfOthers(t *testing.T) {
	for name, lock := range map[string]func(t *testing.T) (opens, fails Dial){
		"a password": func(t *testing.T) (opens, fails Dial) {
			url := serveBus(t, &server.Options{Username: "ada", Password: "the-password-of-ada"})
			as := func(password string) Dial {
				return Dial{URL: strings.Replace(url, "nats://", "nats://ada:"+password+"@", 1)}
			}
			return as("the-password-of-ada"), as("not-the-password-of-ada")
		},
		"TLS": func(t *testing.T) (opens, fails Dial) {
			both, _, cert, _ := vouched(t)
			url := serveBus(t, &server.Options{TLS: true, TLSConfig: &tls.Config{Certificates: []tls.Certificate{both}, MinVersion: tls.VersionTLS12}})
			return Dial{URL: url, CA: cert}, Dial{URL: url}
		},
		"TLS on both sides": func(t *testing.T) (opens, fails Dial) {
			both, roots, cert, key := vouched(t)
			url := serveBus(t, &server.Options{TLS: true, TLSVerify: true, TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{both}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
			}})
			return Dial{URL: url, CA: cert, Cert: cert, Key: key}, Dial{URL: url, CA: cert}
		},
		"credentials": func(t *testing.T) (opens, fails Dial) {
			o, credentials := operated(t)
			_, others := operated(t)
			url := serveBus(t, o)
			return Dial{URL: url, Credentials: keep(t, "agent.creds", credentials)}, Dial{URL: url, Credentials: keep(t, "other.creds", others)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			opens, fails := lock(t)
			b, err := Connect(fails)
			if err == nil {
				b.Close()
			}
			if !errors.Is(err, ErrBus) || strings.Contains(err.Error(), "password-of") {
				t.Errorf("without the key: %v", err)
			}
			s := newScene(t)
			s.dial = opens
			s.agent("a")
			s.agent("b")
			l, err := s.crew(load.Plan{Rate: 100, Duration: 500 * time.Millisecond, Connections: 2}, expect(2)).Run(t.Context())
			if err != nil || accounted(l) != 50 || len(l.Agents) != 2 {
				t.Errorf("%d accounted for, %v", accounted(l), err)
			}
		})
	}
}

// TestOnlyWhoHasTheKeyIsOnTheBus: that of the agents on this machine is on loopback, and for who can read its key.
func TestOnlyWhoHasTheKeyIsOnTheBus(t *testing.T) {
	s := newScene(t)
	if b, err := Connect(Dial{URL: s.dial.URL}); !errors.Is(err, ErrBus) {
		if err == nil {
			b.Close()
		}
		t.Errorf("without the key: %v", err)
	}
	if u, err := url.Parse(s.dial.URL); err != nil || u.Hostname() != "127.0.0.1" {
		t.Errorf("it listens on %s, %v", s.dial.URL, err)
	}
	if info, err := os.Stat(s.dial.NKey); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info.Mode(), err)
	}
}
