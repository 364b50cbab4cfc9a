package suites

import (
	"encoding/json"
	"net/url"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A consented is one application in the list of what a user has allowed, as Space's API shows it.
type consented struct {
	Application struct {
		ID       string `json:"id"`
		ClientID string `json:"clientId"`
		Name     string `json:"name"`
	} `json:"clientApplication"`
	RefreshTokens []struct {
		ID string `json:"id"`
	} `json:"refreshTokens"`
}

// consentRequest speaks to the API of the user's own consents.
func (s *session) consentRequest(method, path, token, title string) oauth.Request {
	if s.target.Endpoints.Consents == "" {
		s.notApplicable("the target file names no list of consents (endpoints.consents), so nothing can be revoked")
	}
	return oauth.Request{
		Title: title, Method: method, URL: s.target.Endpoints.Consents + "/me" + path,
		Header: oauth.Params{{Name: "Accept", Value: "application/json"}, {Name: "Authorization", Value: "Bearer " + token}},
	}
}

// consents is the user's list; a server that does not show it leaves revoking to a human.
func (s *session) consents(ctx SpecContext, token string) []consented {
	x := s.send(ctx, s.consentRequest("GET", "", token, "list what the user has allowed").Changed(
		oauth.SetQuery("$fields", "clientApplication(id,clientId,name),refreshTokens(id)")))
	var list []consented
	if x.Status/100 != 2 || json.Unmarshal(x.Body, &list) != nil {
		s.seen.decide(x)
		s.inconclusive("the list of the user's consents cannot be read, so refresh tokens would have to be revoked by hand: %s", answered(x))
	}
	return list
}

// refreshTokens are the ids of the user's refresh tokens, of all applications.
func (s *session) refreshTokens(ctx SpecContext, token string) []string {
	var out []string
	for _, c := range s.consents(ctx, token) {
		for _, t := range c.RefreshTokens {
			out = append(out, t.ID)
		}
	}
	return out
}

// added is the one refresh token that was not there before.
func (s *session) added(before, after []string) string {
	fresh := slices.DeleteFunc(slices.Clone(after), func(id string) bool { return slices.Contains(before, id) })
	if len(fresh) != 1 {
		s.inconclusive("the list of refresh tokens grew by %d where one was issued, so it is not clear which one to delete", len(fresh))
	}
	return url.PathEscape(fresh[0])
}

// forget deletes what the user allowed the client, so that the next time is the first again.
// It says whether that worked.
func (s *session) forget(ctx SpecContext, c target.Client, u target.User) bool {
	if s.target.Endpoints.Consents == "" {
		s.inconclusive("no refresh token came, which is right only for the first exchange; the target file names no list of consents (endpoints.consents) to start anew")
	}
	token := s.granted(s.userGrant(ctx, u)).AccessToken
	for _, one := range s.consents(ctx, token) {
		if one.Application.ClientID != c.ID {
			continue
		}
		x := s.send(ctx, s.consentRequest("DELETE", "/applications/"+url.PathEscape(one.Application.ID), token, "take the consent back"))
		if x.Status/100 != 2 {
			s.inconclusive("no refresh token came, which is right only for the first exchange, and the consent could not be taken back: %s", answered(x))
		}
	}
	return true
}
