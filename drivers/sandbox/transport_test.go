package sandbox

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyHTTPSIsServedWhereTLSIs(t *testing.T) {
	s, err := New(Options{TLS: true, URL: "https://space.test", Key: testKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	answer := func(method, path string, secure bool) *http.Response {
		r := httptest.NewRequest(method, path, nil)
		if secure {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Result()
	}
	r := answer("GET", "/oauth/auth?x=1", false)
	if r.StatusCode != 308 || r.Header.Get("Location") != "https://space.test/oauth/auth?x=1" || r.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("GET: %d %v", r.StatusCode, r.Header)
	}
	if r := answer("POST", "/oauth/token", false); r.StatusCode != 403 || r.Header.Get("Location") != "" {
		t.Errorf("POST: %d %v", r.StatusCode, r.Header)
	}
	if r := answer("GET", "/oauth/jwks.json", true); r.StatusCode != 200 || r.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("over TLS: %d %v", r.StatusCode, r.Header)
	}
}

func TestHandshakes(t *testing.T) {
	for _, c := range []struct {
		faults []string
		lowest uint16
	}{{nil, tls.VersionTLS12}, {[]string{"tls10-accepted"}, tls.VersionTLS10}} {
		s, err := New(Options{TLS: true, Faults: c.faults, Key: testKey(t)})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.TLS(tls.Certificate{}).MinVersion; got != c.lowest {
			t.Errorf("%v: the lowest version is %s", c.faults, tls.VersionName(got))
		}
	}
}
