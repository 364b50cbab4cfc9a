package oauth

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"strings"
	"sync"
	"testing"

	"flowproof/drivers/target"
)

func TestEveryWrittenFormOfASecretIsMasked(t *testing.T) {
	const id, secret = "web-id", "s3cret/of %web+: &=é<\"'>~?"
	r := NewRedactor(target.Target{
		Clients: []target.Client{{ID: id, Secret: target.NewSecret(secret)}},
		Users:   []target.User{{Password: target.NewSecret("pass/word?é"), TOTP: target.NewSecret("JBSWY3DPEHPK3PXP")}},
	})
	const token = "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
	r.Learn("access_token", token)
	for name, form := range map[string]string{
		"plain":                secret,
		"in a query":           url.QueryEscape(secret),
		"in a path":            url.PathEscape(secret),
		"blank as %20":         strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		"lower-case escapes":   "s3cret%2fof+%25web%2b%3a+%26%3d%c3%a9%3c%22%27%3e~%3f",
		"as scripts escape":    "s3cret%2Fof%20%25web%2B%3A%20%26%3D%C3%A9%3C%22'%3E~%3F",
		"in HTML":              html.EscapeString(secret),
		"base64":               base64.StdEncoding.EncodeToString([]byte(secret)),
		"raw base64":           base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64url":            base64.URLEncoding.EncodeToString([]byte(secret)),
		"raw base64url":        base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"HTTP Basic":           base64.StdEncoding.EncodeToString([]byte(id + ":" + secret)),
		"HTTP Basic, escaped":  base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret))),
		"password":             "pass/word?é",
		"password, escaped":    url.QueryEscape("pass/word?é"),
		"seed":                 "JBSWY3DPEHPK3PXP",
		"token":                token,
		"password in base64":   base64.StdEncoding.EncodeToString([]byte("pass/word?é")),
		"token in base64url":   base64.RawURLEncoding.EncodeToString([]byte(token)),
		"password, JSON":       `pass\/word?é`,
		"twice escaped":        url.QueryEscape(url.QueryEscape(secret)),
		"hexadecimal":          hex.EncodeToString([]byte(secret)),
		"capital hexadecimal":  strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"claims of a token":    "eyJzdWIiOiIxIn0",
		"signature of a token": "c2lnbmF0dXJl",
		"secret, JSON escaped": `s3cret/of %web+: \u0026=é\u003c\"'\u003e~?`,
	} {
		got := r.Text("before " + form + " after")
		if strings.Contains(got, form) || !strings.HasPrefix(got, "before [") || !strings.HasSuffix(got, "] after") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestMasksTellRandomValuesApartAndNothingOfChosenOnes(t *testing.T) {
	r := NewRedactor(target.Target{})
	for _, c := range []struct{ kind, value, want string }{
		{"access_token", "eyJhbGciOiJSUzUxMiJ9", "[access_token eyJh… sha256:846d078eb54c]"},
		{"code", "Splx-lOBeZQQYbYS6WxSbIA", "[code Splx… sha256:"},
		{"code", "short-code", "[code]"},
		{"code_verifier", "ab\x00d-and-more-than-sixteen", "[code_verifier]"},
		{"password", "correct horse battery staple", "[password]"},
		{"client_secret", "0123456789abcdef0123", "[client_secret]"},
		{"cookie", "0123456789abcdef0124", "[cookie]"},
	} {
		r.Learn(c.kind, c.value)
		if got := r.Text(c.value); !strings.HasPrefix(got, c.want) || strings.Contains(got, c.value) {
			t.Errorf("%s %q: %q, want %q", c.kind, c.value, got, c.want)
		}
	}
}

func TestTheLongestSecretWins(t *testing.T) {
	r := NewRedactor(target.Target{})
	r.Learn("password", "secret-prefix")
	r.Learn("client_secret", "secret-prefix-and-more")
	if got := r.Text("a secret-prefix-and-more b secret-prefix c"); got != "a [client_secret] b [password] c" {
		t.Errorf("got %q", got)
	}
}

func TestShortValuesAndWordsOfTheProtocolStayReadable(t *testing.T) {
	r := NewRedactor(target.Target{})
	for _, v := range []string{"alice", "password", "access_token", "Bearer", ""} {
		r.Learn("password", v)
	}
	const text = "alice sends grant_type=password and gets an access_token of type Bearer"
	if got := r.Text(text); got != text {
		t.Errorf("got %q", got)
	}
}

func TestTheRedactorMayBeShared(t *testing.T) {
	r := NewRedactor(target.Target{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				v := fmt.Sprintf("token-%d-%d-of-some-length", i, j)
				r.Learn("access_token", v)
				if got := r.Text("x " + v + " y"); strings.Contains(got, v) {
					t.Errorf("%q is shown in %q", v, got)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkTextWithThousandsOfSecrets(b *testing.B) {
	r := NewRedactor(target.Target{})
	for i := range 5000 {
		r.Learn("access_token", fmt.Sprintf("eyJhbGciOiJSUzUxMiJ9.%064d.signature", i))
	}
	text := strings.Repeat(strings.Repeat("plain words of a page ", 40)+fmt.Sprintf("eyJhbGciOiJSUzUxMiJ9.%064d.signature ", 77), 300)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.Text(text)
	}
}
