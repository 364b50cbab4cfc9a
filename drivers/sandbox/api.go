package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
)

const (
	pathProfiles    = "/api/http/team-directory/profiles"
	pathMe          = "/api/http/team-directory/profiles/me"
	pathApplication = "/api/http/applications/me"
	pathProjects    = "/api/http/projects"
	pathAbsences    = "/api/http/absences"
)

// object is a JSON object whose members $fields may choose from.
type object map[string]any

// serveAPI is the resource server.
func (s *Sandbox) serveAPI(w http.ResponseWriter, r *http.Request) {
	if s.crossOrigin(w, r, "GET, DELETE") {
		return
	}
	consents := r.URL.Path == pathConsents || strings.HasPrefix(r.URL.Path, pathConsents+"/")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !(consents && r.Method == http.MethodDelete) {
		w.Header().Set("Allow", "GET")
		s.refuseAPI(w, &apiRefusal{status: http.StatusMethodNotAllowed, code: "request-error", description: "This address is read with GET"})
		return
	}
	a, no := s.bearer(r)
	if no != nil {
		s.refuseAPI(w, no)
		return
	}
	if consents {
		s.serveConsents(w, r, a)
		return
	}
	if s.policy.resource.queryCacheable && r.URL.Query().Has("access_token") {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	answer, no := s.resource(r.URL.Path, a)
	if no != nil {
		s.refuseAPI(w, no)
		return
	}
	s.writeAPI(w, selected(answer, r.URL.Query().Get("$fields")))
}

// resource is what the address holds for the bearer of the token.
func (s *Sandbox) resource(path string, a access) (object, *apiRefusal) {
	switch path {
	case pathProfiles:
		var people []object
		for _, u := range s.users {
			if !u.guest {
				people = append(people, object{"id": u.id, "username": u.name, "name": object{"firstName": u.first, "lastName": u.last}})
			}
		}
		return list(people), nil
	case pathMe:
		return s.me(a)
	case pathApplication:
		if a.user != nil {
			return nil, denied("Only an application has an application of its own", "")
		}
		return object{"id": a.client.appID, "clientId": a.client.id, "name": a.client.title}, nil
	case pathProjects:
		if no := s.needs(a, s.scopes().projects); no != nil {
			return nil, no
		}
		return list([]object{
			{"id": "prj-1", "key": object{"key": "TEA"}, "name": "Tea Party"},
			{"id": "prj-2", "key": object{"key": "HAT"}, "name": "Hatter's Workshop"},
		}), nil
	case pathAbsences:
		if no := s.needs(a, s.scopes().absences); no != nil {
			return nil, no
		}
		return list([]object{}), nil
	}
	return nil, notFound("There is nothing at this address")
}

// me is the person who allowed the token; an application is nobody.
func (s *Sandbox) me(a access) (object, *apiRefusal) {
	u := a.user
	if u == nil && s.policy.resource.applicationIsUser {
		u = s.users[0]
	}
	if u == nil || u.guest {
		return nil, denied("Only a person has a profile", "")
	}
	return object{
		"id": u.id, "username": u.name, "name": object{"firstName": u.first, "lastName": u.last},
		"emails":         []object{{"id": "mail-" + u.id, "email": u.name + "@acme.test"}},
		"profilePicture": nil,
	}, nil
}

func (s *Sandbox) needs(a access, right string) *apiRefusal {
	if a.scope.covers(right) || s.policy.resource.scopeUnchecked {
		return nil
	}
	return denied("The access token does not cover "+right, right)
}

// list is a page of results in Space's form.
func list(data []object) object { return object{"next": "", "totalCount": len(data), "data": data} }

// writeAPI writes a success answer.
func (s *Sandbox) writeAPI(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.refuseAPI(w, &apiRefusal{status: http.StatusInternalServerError, code: "internal-server-error", description: "Internal error"})
		return
	}
	apiHeaders(w.Header())
	_, _ = w.Write(body)
}

// selected keeps the members that $fields names, one level deep: id,name(firstName,lastName).
func selected(o object, fields string) object {
	if fields == "" {
		return o
	}
	out := object{}
	for field := range splitTop(fields) {
		name, inner, nested := strings.Cut(strings.TrimSuffix(field, ")"), "(")
		v, ok := o[name]
		if !ok {
			continue
		}
		if nested {
			v = selectedWithin(v, inner)
		}
		out[name] = v
	}
	return out
}

func selectedWithin(v any, fields string) any {
	switch v := v.(type) {
	case object:
		return selected(v, fields)
	case []object:
		out := make([]object, len(v))
		for i := range v {
			out[i] = selected(v[i], fields)
		}
		return out
	}
	return v
}

// splitTop yields the items between the commas that are in no parentheses.
func splitTop(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		depth, from := 0, 0
		for i, c := range text {
			switch {
			case c == '(':
				depth++
			case c == ')':
				depth--
			case c == ',' && depth == 0:
				if !yield(text[from:i]) {
					return
				}
				from = i + 1
			}
		}
		yield(text[from:])
	}
}
