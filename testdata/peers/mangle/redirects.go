package mangle

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var ordinaryName = regexp.MustCompile(`^[a-z_]+$`)

// redirects bends where the user agent is sent.
func redirects(s *Sighting) []Mutant {
	if len(s.parameters) == 0 {
		return nil
	}
	var out []Mutant
	for _, name := range s.parameters.sorted() {
		if !ordinaryName.MatchString(name) {
			continue // of a hostile request
		}
		for how, bend := range map[string]func(pair) []pair{
			"dropped": func(pair) []pair { return nil },
			"renamed": func(p pair) []pair { return []pair{{renamed(p.name), p.value}} },
			"emptied": func(p pair) []pair { return []pair{{p.name, ""}} },
			"altered": func(p pair) []pair { return []pair{{p.name, altered(p.value)}} },
			"twice":   func(p pair) []pair { return []pair{p, p} },
		} {
			out = append(out, Mutant{Name: "parameter " + name + " " + how, answers: onLocation(func(u *url.URL) bool {
				query, inQuery := bendPairs(u.RawQuery, name, bend)
				fragment, inFragment := bendPairs(u.EscapedFragment(), name, bend)
				u.RawQuery = query
				setFragment(u, fragment)
				return inQuery || inFragment
			})})
		}
	}
	for how, bend := range map[string]func(*url.URL){
		"to another host":           func(u *url.URL) { u.Host = "elsewhere.test" },
		"to a host that ends alike": func(u *url.URL) { u.Host = "evil" + u.Host },
		"to another port":           func(u *url.URL) { u.Host = u.Hostname() + ":8444" },
		"to another path":           func(u *url.URL) { u.Path += "/more" },
		"to the path with a slash":  func(u *url.URL) { u.Path += "/" },
		"by another scheme":         func(u *url.URL) { u.Scheme = map[string]string{"https": "http", "http": "https"}[u.Scheme] },
		"with user information":     func(u *url.URL) { u.User = url.User("someone") },
		"with an unknown parameter": func(u *url.URL) { add(u, "x_unknown=1") },
		"with a blank fragment":     func(u *url.URL) { setFragment(u, u.EscapedFragment()+"&_=_") },
		"with the other component": func(u *url.URL) {
			query, fragment := u.RawQuery, u.EscapedFragment()
			u.RawQuery = fragment
			setFragment(u, query)
		},
		"with both components": func(u *url.URL) {
			if u.Fragment == "" {
				setFragment(u, u.RawQuery)
			} else {
				u.RawQuery = u.EscapedFragment()
			}
		},
	} {
		out = append(out, Mutant{Name: "redirect " + how, answers: onLocation(func(u *url.URL) bool {
			was := u.String()
			bend(u)
			return u.String() != was
		})})
	}
	out = append(out,
		Mutant{Name: "redirect relative", answers: onLocation(func(u *url.URL) bool { had := u.Host != ""; u.Scheme, u.Host = "", ""; return had })},
		Mutant{Name: "redirect to nowhere", answers: func(a *answer) bool { a.header.Del("Location"); return true }},
		Mutant{Name: "redirect by a page", answers: func(a *answer) bool {
			location := a.header.Get("Location")
			a.header.Del("Location")
			a.header.Set("Content-Type", "text/html; charset=utf-8")
			a.status = http.StatusOK
			a.body = []byte(`<!doctype html><title>Moved</title><a href="` + strings.NewReplacer("&", "&amp;", `"`, "&quot;").Replace(location) + `">Continue</a>`)
			return true
		}})
	sortByName(out)
	return out
}

func onLocation(bend func(*url.URL) bool) func(*answer) bool {
	return func(a *answer) bool {
		u, err := url.Parse(a.header.Get("Location"))
		if err != nil || !bend(u) {
			return false
		}
		a.header.Set("Location", u.String())
		return true
	}
}

func setFragment(u *url.URL, escaped string) {
	u.RawFragment = escaped
	u.Fragment, _ = url.PathUnescape(escaped)
}

// add puts a parameter where the others are.
func add(u *url.URL, pair string) {
	if u.Fragment != "" {
		setFragment(u, u.EscapedFragment()+"&"+pair)
		return
	}
	u.RawQuery += "&" + pair
}
