package sandbox

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// pageMisses are those of section J: the sign-in and consent pages.
func pageMisses() []NearMiss {
	const again, framing = "RFC6749-10.2-consent-public-client", "RFC9700-4.16-framing-blocked"
	modern := Needs{Postures: []string{postureBCP, posture21}}
	always, never := true, false
	return []NearMiss{
		{ID: "consent-each-time", Requirement: again, Worst: allowsPass, Needs: Needs{Postures: []string{postureRFC, postureBCP, posture21}},
			Sentence: "Everybody is asked for consent each time",
			change:   func(p *policy) { p.near.consent = &always }},
		{ID: "consent-never", Requirement: again, Worst: allowsNote,
			Sentence: "All clients are the deployment's own, and nobody is asked for consent",
			change:   func(p *policy) { p.near.consent = &never }},
		{ID: "state-in-a-script", Requirement: "RFC6749-10.14-no-reflected-markup", Worst: allowsPass,
			Sentence: "The sign-in page holds the request's parameters in a script, well escaped",
			change: answers(func(t *turn) {
				if !t.atAuthorization() || !strings.Contains(string(t.body), `type="password"`) {
					return
				}
				var b strings.Builder
				for _, p := range t.asked() {
					b.WriteString(scripted(p.name) + ":" + scripted(p.value) + ",")
				}
				t.body = []byte(strings.Replace(string(t.body), "</body>", "<script>var request={"+b.String()+"}</script></body>", 1))
				t.header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
			})},
		{ID: "sign-in-302", Requirement: "RFC9700-4.12-no-307", Worst: allowsNote,
			Sentence: "The sign-in and the consent form are answered with 302",
			change: answers(func(t *turn) {
				if t.status == http.StatusSeeOther {
					t.status = http.StatusFound
				}
			})},
		{ID: "framing-other-case", Requirement: framing, Worst: allowsPass, Needs: modern,
			Sentence: "The headers against framing are written in other letters",
			change: answers(func(t *turn) {
				if t.header.Get("X-Frame-Options") != "" {
					t.header.Set("X-Frame-Options", "deny")
					t.header.Set("Content-Security-Policy", strings.ReplaceAll(t.header.Get("Content-Security-Policy"), "frame-ancestors 'none'", "Frame-Ancestors 'NONE'"))
				}
			})},
		{ID: "framing-by-old-header", Requirement: framing, Worst: allowsWarn, Needs: modern,
			Sentence: "Framing is forbidden by X-Frame-Options alone",
			change: answers(func(t *turn) {
				t.header.Set("Content-Security-Policy", strings.ReplaceAll(t.header.Get("Content-Security-Policy"), "; frame-ancestors 'none'", ""))
			})},
		{ID: "referrer-left-to-browsers", Requirement: "RFC9700-4.2.4-referrer-suppressed", Worst: allowsNote, Needs: modern,
			Sentence: "The pages have no Referrer-Policy",
			change:   answers(func(t *turn) { t.header.Del("Referrer-Policy") })},
		{ID: "other-cookies-open", Requirement: "RFC6265-session-cookie-flags", Worst: allowsPass,
			Sentence: "Cookies that prove nothing have no flags",
			change: answers(func(t *turn) {
				if strings.Contains(t.header.Get("Content-Type"), "text/html") {
					t.header.Add("Set-Cookie", "SESSION_HINT=1; Path=/")
					t.header.Add("Set-Cookie", "theme=dark; Path=/; Max-Age=3600")
				}
			})},
		{ID: "authorize-redirect-plain", Requirement: "RFC6749-5.1-authorization-response-no-store", Worst: allowsWarn,
			Sentence: "The redirect that carries the code does not forbid to keep it",
			change: answers(func(t *turn) {
				if _, ok := t.response(); ok {
					t.header.Del("Cache-Control")
				}
			})},
	}
}

var requestField = regexp.MustCompile(`name="request" value="([^"]*)"`)

// sealedReturn hides what the pages' forms carry along behind a value that means nothing elsewhere.
func sealedReturn(p *policy) {
	var kept sync.Map
	p.near.gateway = func(t *turn) {
		if t.at(pathSignIn) || t.at(pathConsent) {
			if f := t.posted(); f != nil {
				original, known := kept.Load(f.get("request"))
				if !known {
					t.page(http.StatusBadRequest, "The form is not the one that this browser was given")
					return
				}
				t.post(f.with("request", func(string) string { return original.(string) }))
			}
		}
		t.pass()
		t.body = requestField.ReplaceAllFunc(t.body, func(found []byte) []byte {
			value := html.UnescapeString(string(requestField.FindSubmatch(found)[1]))
			handle := token(24)
			kept.Store(handle, value)
			return []byte(`name="request" value="` + handle + `"`)
		})
	}
}
