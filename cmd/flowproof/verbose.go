package main

import (
	"fmt"
	"regexp"
	"strings"

	"flowproof/drivers/oauth"
)

// follow shows each exchange on stderr as it happens, until stop is called. Secrets are masked, and nothing that
// a server wrote acts on the terminal.
func follow(c console, d *oauth.Driver) (stop func()) {
	return d.Subscribe(func(x oauth.Exchange) {
		asked, answered := exchangeLines(x, d.Redactor())
		c.warn("%s\n%s", asked, answered)
	})
}

// exchangeLines are what was sent, and what came back.
func exchangeLines(x oauth.Exchange, r *oauth.Redactor) (asked, answered string) {
	q := x.Request
	asked = fmt.Sprintf("%s %s", q.Method, r.URL(q.FullURL()))
	about := q.Title
	if q.Client != "" {
		about += " (" + q.Client + ")"
	}
	if about != "" {
		asked += "  # " + about
	}
	switch {
	case x.Status == 0:
		answered = fmt.Sprintf("no answer: %v", x.Err)
	default:
		answered = fmt.Sprint(x.Status)
		if code := x.ErrorCode(); code != "" {
			answered += " " + code
		}
		if where := x.Location(); where != "" {
			answered += " to " + r.URL(where)
		}
		if kind, _, _ := strings.Cut(x.Header.Get("Content-Type"), ";"); kind != "" {
			answered += ", " + kind
		}
		answered += fmt.Sprintf(", %d bytes", len(x.Body))
		if x.Err != nil {
			answered += fmt.Sprintf(", cut off: %v", x.Err)
		}
	}
	answered += ", " + short(x.Duration)
	return plainText(unchallenged(r.Text(asked))), "    → " + plainText(unchallenged(r.Text(answered)))
}

// unchallenged masks the challenges of PKCE, also in a URL within a URL. One may be the verifier itself, and that
// is known to be a secret only once it is sent.
func unchallenged(s string) string {
	return regexp.MustCompile(`(?i)(code_challenge(?:=|%3D|%253D))[A-Za-z0-9._~-]+`).ReplaceAllString(s, "$1[code_challenge]")
}
