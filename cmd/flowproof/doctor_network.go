package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"flowproof/drivers/oauth"
)

// hostPort is the address that the URL is asked for at.
func hostPort(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// network looks at every host that the target file names.
func (v *visitation) network(ctx context.Context) {
	t := v.target
	urls := []string{t.URL, t.Endpoints.Authorization, t.Endpoints.Token, t.Endpoints.Revocation, t.Endpoints.Introspection, t.Endpoints.Metadata, t.Endpoints.JWKS}
	for _, host := range t.SignInHosts {
		scheme := "https://"
		if strings.HasPrefix(t.URL, "http://") {
			scheme = "http://"
		}
		urls = append(urls, scheme+host)
	}
	var seen []string
	for _, raw := range urls {
		address := hostPort(raw)
		if raw == "" || slices.Contains(seen, address) {
			continue
		}
		seen = append(seen, address)
		if !v.host(ctx, raw, address) {
			v.lost[address] = true
		}
	}
	v.clock(ctx)
}

// host looks at name, connection and TLS, each only where the one before is well.
func (v *visitation) host(ctx context.Context, raw, address string) bool {
	name, _, _ := net.SplitHostPort(address)
	ctx, cancel := context.WithTimeout(ctx, v.target.Timeout)
	defer cancel()
	if net.ParseIP(name) == nil {
		found, err := net.DefaultResolver.LookupHost(ctx, name)
		if err != nil {
			v.away("name "+name, "check the spelling in the target file, and that this machine asks a name server that knows it (VPN?)", "%v", err)
			return false
		}
		v.well("name "+name, "%s", strings.Join(found, ", "))
	}
	began := time.Now()
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		v.away("connection to "+address, "check the port, and that the server runs and no firewall is between", "%v", err)
		return false
	}
	_ = connection.Close()
	v.well("connection to "+address, "in %s", short(time.Since(began)))
	if !strings.HasPrefix(raw, "https:") {
		v.skip("TLS of "+address, "none: the target file says http://")
		return true
	}
	return v.tls(ctx, name, address)
}

// tls looks at the certificate, as the driver does: by the system's roots and those of the target file.
func (v *visitation) tls(ctx context.Context, name, address string) bool {
	of := "TLS of " + address
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: v.driver.Roots(), ServerName: name, MinVersion: tls.VersionTLS10}} //nolint:gosec // what is offered is to be told
	c, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		defer func() { _ = c.Close() }()
		made, is := c.(*tls.Conn)
		if !is || len(made.ConnectionState().PeerCertificates) == 0 {
			return true
		}
		leaf := made.ConnectionState().PeerCertificates[0]
		left := time.Until(leaf.NotAfter)
		v.well(of, "%s, by %s, for another %s", tls.VersionName(made.ConnectionState().Version), signer(leaf), ago(left))
		if left < 7*24*time.Hour {
			v.ill("certificate of "+address, "renew it", "it ends on %s", leaf.NotAfter.UTC().Format(time.DateOnly))
		}
		return true
	}
	var (
		wrongName x509.HostnameError
		unknown   x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &wrongName):
		v.ill(of, "use the name that the certificate is for in the target file, or have one made for this name", "the certificate is not for %s, but for %s", name, strings.Join(wrongName.Certificate.DNSNames, ", "))
	case errors.As(err, &unknown):
		v.ill(of, "write the root's PEM file under tls: {ca: …} in the target file", "no root that is known here vouches for the certificate (%s)", signer(unknown.Cert))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		v.ill(of, "renew the certificate, unless it is this machine's clock that is wrong", "the certificate is for %s to %s", invalid.Cert.NotBefore.UTC().Format(time.DateOnly), invalid.Cert.NotAfter.UTC().Format(time.DateOnly))
	default:
		v.ill(of, "check that TLS is served on this port", "%v", err)
	}
	return false
}

func signer(c *x509.Certificate) string {
	if c == nil {
		return "unnamed"
	}
	return c.Issuer.String()
}

// clock compares the server's with this machine's: codes, assertions and one-time passwords live by it.
func (v *visitation) clock(ctx context.Context) {
	const tolerated = 10 * time.Second
	e := v.target.Endpoints.Token
	if !v.reached("clock", e) {
		return
	}
	x := v.driver.Send(ctx, oauth.Request{Title: "ask for the time", Method: http.MethodGet, URL: e})
	skew, told := x.ClockSkew()
	if !told {
		v.skip("clock", "the server tells no time (no Date header)")
		return
	}
	if skew.Abs() > tolerated {
		v.ill("clock", "set both by NTP; tokens and one-time passwords are judged by their times", "the server's is %s %s", skew.Abs(), map[bool]string{true: "ahead", false: "behind"}[skew > 0])
		return
	}
	v.well("clock", "the server's is within %s", max(skew.Abs(), time.Second))
}
