package mangle

import (
	"net/http"
	"slices"
	"strings"
)

// parameters are those of a request that mean something to an authorization server.
func parameters() []string {
	return []string{
		"access_type", "client_id", "client_secret", "code", "code_challenge", "code_challenge_method", "code_verifier", "grant_type",
		"password", "redirect_uri", "refresh_token", "request_credentials", "response_type", "scope", "state", "token", "username",
	}
}

// asking bends what is asked: the server then acts as one that does not read it right.
func asking(s *Sighting) []Mutant {
	var out []Mutant
	for _, name := range s.asked.sorted() {
		if header, is := strings.CutPrefix(name, headerOf); is {
			out = append(out, Mutant{Name: "header " + header + " unread", asks: func(r *request) bool {
				had := r.Header.Get(header) != ""
				r.Header.Del(header)
				return had
			}})
			continue
		}
		if !slices.Contains(parameters(), name) {
			continue
		}
		for how, bend := range map[string]func(pair) []pair{
			"unread":  func(pair) []pair { return nil },
			"emptied": func(p pair) []pair { return []pair{{p.name, ""}} },
			"altered": func(p pair) []pair { return []pair{{p.name, altered(p.value)}} },
			"shouted": func(p pair) []pair { return []pair{{p.name, strings.ToUpper(p.value)}} },
		} {
			out = append(out, Mutant{Name: "parameter " + name + " " + how, asks: func(r *request) bool { return r.bend(name, bend) }})
		}
	}
	sortByName(out)
	return out
}

// bend changes the parameter in the query and in the body.
func (r *request) bend(name string, how func(pair) []pair) bool {
	query, asked := bendPairs(r.URL.RawQuery, name, how)
	r.URL.RawQuery = query
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.Method != http.MethodPost {
		return asked
	}
	body, posted := bendPairs(string(r.body), name, how)
	r.body = []byte(body)
	return asked || posted
}

func sortByName(list []Mutant) {
	slices.SortFunc(list, func(a, b Mutant) int { return strings.Compare(a.Name, b.Name) })
}
