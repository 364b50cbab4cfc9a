package mangle

import (
	"net/url"
	"strings"
)

func page(a *answer) bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "text/html") && len(a.body) > 0
}

// pages bends what people are shown.
func pages(s *Sighting) []Mutant {
	if !s.pages {
		return nil
	}
	bends := map[string]func(a *answer, body string) string{
		"page blank": func(*answer, string) string { return "" },
		"page cut":   func(_ *answer, b string) string { return b[:len(b)/2] },
		"page with a script from elsewhere": func(_ *answer, b string) string {
			return strings.Replace(b, "</head>", `<script src="https://elsewhere.test/counter.js"></script></head>`, 1)
		},
		"page with what was asked": func(a *answer, b string) string {
			asked, _ := url.QueryUnescape(a.asked.URL.RawQuery)
			return strings.Replace(b, "</body>", asked+"</body>", 1)
		},
		"forms by GET": func(_ *answer, b string) string { return strings.ReplaceAll(b, `method="post"`, `method="get"`) },
		"forms to another site": func(_ *answer, b string) string {
			return strings.ReplaceAll(b, `action="`, `action="https://elsewhere.test`)
		},
		"passwords to be read":  func(_ *answer, b string) string { return strings.ReplaceAll(b, `type="password"`, `type="text"`) },
		"hidden fields dropped": withoutHidden,
	}
	var out []Mutant
	for name, bend := range bends {
		out = append(out, Mutant{Name: name, answers: func(a *answer) bool {
			if !page(a) {
				return false
			}
			was := string(a.body)
			a.body = []byte(bend(a, was))
			return string(a.body) != was
		}})
	}
	sortByName(out)
	return out
}

// withoutHidden drops the hidden inputs, as of the token against forgery.
func withoutHidden(_ *answer, body string) string {
	const hidden = `<input type="hidden"`
	for {
		before, after, found := strings.Cut(body, hidden)
		if !found {
			return body
		}
		_, rest, _ := strings.Cut(after, ">")
		body = before + rest
	}
}
