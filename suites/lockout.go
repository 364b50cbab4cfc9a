package suites

import (
	"net/http"
	"slices"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A server may lock an account after a few wrong passwords, and the target file's may be wrong. So what a client
// was refused with a user's own password is not sent again, unless the password was good before: the answer is
// known, and stands for those that would have come.

// A confided is the user whose own password a client sends.
type confided struct{ client, user string }

// confides tells whose own password the request sends.
func (s *session) confides(r oauth.Request) (confided, bool) {
	if r.Form.Get("grant_type") != string(target.Password) {
		return confided{}, false
	}
	for _, u := range s.target.Users {
		own := oauth.Param{Name: "password", Value: u.Password.Reveal()}
		if u.Username == r.Form.Get("username") && !u.Sacrificial && slices.Contains(r.Form, own) {
			return confided{r.Client, u.Name}, true
		}
	}
	return confided{}, false
}

// refusedBefore is the answer that the request has had, if it must not be sent again.
func (s *session) refusedBefore(r oauth.Request) (oauth.Exchange, bool) {
	who, does := s.confides(r)
	x, refused := s.refusals[who]
	return x, does && refused
}

// learnRefusal remembers what came of a user's own password.
func (s *session) learnRefusal(x oauth.Exchange) {
	who, does := s.confides(x.Request)
	switch {
	case !does:
	case x.IssuedToken():
		s.welcome[who.user] = true
		for other := range s.refusals {
			if other.user == who.user {
				delete(s.refusals, other)
			}
		}
	case x.ErrorCode() == "invalid_grant" && !s.welcome[who.user] && s.ordinary(x.Request):
		s.refusals[who] = x
	}
}

// ordinary says whether nothing is in a password request that could be what it is refused for.
func (s *session) ordinary(r oauth.Request) bool {
	scope := r.Form.Get("scope")
	return r.Body == "" && r.Method == http.MethodPost && len(r.Query) == 0 && (scope == "" || scope == s.target.Scopes.Default)
}
