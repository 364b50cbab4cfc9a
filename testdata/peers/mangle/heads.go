package mangle

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// statuses answers with another status.
func statuses(s *Sighting) []Mutant {
	others := map[int][]int{
		http.StatusOK:           {201, 206, 500},
		http.StatusSeeOther:     {200, 301, 302, 307},
		http.StatusFound:        {200, 301, 303, 307},
		http.StatusBadRequest:   {200, 302, 401, 403, 500},
		http.StatusUnauthorized: {200, 302, 400, 403, 500},
		http.StatusForbidden:    {200, 302, 400, 401, 500},
	}
	var out []Mutant
	for _, was := range slices.Sorted(maps.Keys(s.statuses)) {
		for _, status := range others[was] {
			out = append(out, Mutant{Name: fmt.Sprintf("status %d for %d", status, was), answers: func(a *answer) bool {
				if a.status != was {
					return false
				}
				a.status = status
				return true
			}})
		}
	}
	return out
}

// headers drops each header that was seen, and says other things in those that matter.
func headers(s *Sighting) []Mutant {
	spoilt := map[string][]string{
		"Content-Type":                {"text/html", "text/plain", "application/x-www-form-urlencoded"},
		"Cache-Control":               {"public, max-age=600", "no-cache"},
		"Www-Authenticate":            {"Digest", "Basic", "Bearer"},
		"Access-Control-Allow-Origin": {"null", "https://elsewhere.test"},
		"X-Frame-Options":             {"ALLOWALL"},
		"Content-Security-Policy":     {"default-src *"},
		"Referrer-Policy":             {"unsafe-url"},
	}
	var out []Mutant
	for _, name := range s.headers.sorted() {
		if name == "Date" || name == "Location" || !s.pages && slices.Contains(ofPages(), name) {
			continue
		}
		out = append(out, Mutant{Name: "header " + name + " dropped", answers: func(a *answer) bool {
			_, had := a.header[name]
			delete(a.header, name)
			return had
		}})
		for _, value := range spoilt[name] {
			out = append(out, Mutant{Name: "header " + name + " " + value, answers: func(a *answer) bool {
				if a.header[name] == nil || a.header.Get(name) == value {
					return false
				}
				a.header.Set(name, value)
				return true
			}})
		}
	}
	if s.headers["Set-Cookie"] {
		for _, attribute := range []string{"HttpOnly", "SameSite", "Secure"} {
			out = append(out, Mutant{Name: "cookies without " + attribute, answers: func(a *answer) bool { return a.strip(attribute) }})
		}
	}
	return append(out, Mutant{Name: "readable by every site", answers: func(a *answer) bool {
		origin := a.asked.Header.Get("Origin")
		if origin == "" {
			return false
		}
		a.header.Set("Access-Control-Allow-Origin", origin)
		a.header.Set("Access-Control-Allow-Credentials", "true")
		return true
	}})
}

// ofPages are the headers that say how a browser may show a page; elsewhere they mean nothing.
func ofPages() []string {
	return []string{"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options", "X-Frame-Options", "Vary"}
}

// strip takes an attribute from every cookie that is set.
func (a *answer) strip(attribute string) bool {
	bent := false
	for i, cookie := range a.header["Set-Cookie"] {
		parts := strings.Split(cookie, ";")
		kept := slices.DeleteFunc(slices.Clone(parts), func(p string) bool {
			name, _, _ := strings.Cut(strings.TrimSpace(p), "=")
			return strings.EqualFold(name, attribute)
		})
		bent = bent || len(kept) < len(parts)
		a.header["Set-Cookie"][i] = strings.Join(kept, ";")
	}
	return bent
}
