package mangle

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
)

// Sightings are what went by at each place.
type Sightings map[string]*Sighting

// A Sighting is what there is to bend at a place.
type Sighting struct {
	asked, headers, members, parameters set
	statuses                            map[int]bool
	pages                               bool
}

type set map[string]bool

func (s set) sorted() []string { return slices.Sorted(maps.Keys(s)) }

func newSighting() *Sighting {
	return &Sighting{asked: set{}, headers: set{}, members: set{}, parameters: set{}, statuses: map[int]bool{}}
}

func (s *Sighting) request(r *request) {
	form, _ := url.ParseQuery(r.URL.RawQuery + "&" + string(r.body))
	for name := range form {
		s.asked[name] = true
	}
	if r.Header.Get("Authorization") != "" {
		s.asked[headerOf+"Authorization"] = true
	}
	if r.Header.Get("Cookie") != "" {
		s.asked[headerOf+"Cookie"] = true
	}
}

// headerOf tells a request's header from its parameters; no parameter's name has a blank in it here.
const headerOf = "header "

func (s *Sighting) answer(a *answer) {
	s.statuses[a.status] = true
	for name := range a.header {
		s.headers[name] = true
	}
	var members map[string]any
	if json.Unmarshal(a.body, &members) == nil {
		for name := range members {
			s.members[name] = true
		}
	}
	if u, err := url.Parse(a.header.Get("Location")); err == nil {
		form, _ := url.ParseQuery(u.RawQuery + "&" + u.EscapedFragment())
		for name := range form {
			s.parameters[name] = true
		}
	}
	s.pages = s.pages || page(a)
}
