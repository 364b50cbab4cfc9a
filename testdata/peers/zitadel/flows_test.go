package main

import (
	"encoding/base64"
	"net/url"
	"strings"
	"sync"
	"testing"

	"flowproof/peers/probe"
	"flowproof/peers/stand"
)

// These tests are of what is the peer's own: its store, and how it hands requests to the library.

func TestAuthorizationCode(t *testing.T) {
	for _, signed := range []bool{false, true} {
		b := start(t, signed)
		for _, client := range []string{"web", "mobile", "native", "query"} {
			more := probe.Challenged()
			more.Set("scope", "photos profile offline_access")
			form := b.Redemption(client, b.Code(client, more), probe.Verifier)
			granted := b.Token(client, form).Want(t, 200)
			access := granted.Text(t, "access_token")
			if got := strings.Count(access, ".") == 2; got != signed {
				t.Errorf("%s, signed %t: %s", client, signed, access)
			}
			if signed && !strings.Contains(claims(t, access), `"scope":"photos profile offline_access"`) {
				t.Errorf("%s: %s", client, claims(t, access))
			}
			if got := b.Resource(stand.UserPath, access).Want(t, 200).Text(t, "sub"); got != b.User("alice").Subject {
				t.Errorf("user %q", got)
			}
			b.Resource(stand.ScopedPath, access).Want(t, 200)
			b.Token(client, form).Refused(t, 400, "invalid_grant")
			b.Resource(stand.AnyPath, access).Refused(t, 401, "invalid_token") // a second use ends what came of the first
		}
	}
}

// claims is what a JWT says, as text.
func claims(t *testing.T, token string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOneOfManyRedeems(t *testing.T) {
	b := start(t, false)
	form := b.Redemption("web", b.Code("web", offline()), "")
	if won := crowd(b, form); won != 1 {
		t.Errorf("%d redemptions", won)
	}
	refresh := b.Token("web", b.Redemption("web", b.Code("web", offline()), "")).Text(t, "refresh_token")
	if won := crowd(b, probe.Renewal(refresh)); won != 1 {
		t.Errorf("%d refreshes", won)
	}
}

// crowd sends a request eight times at once, and counts the tokens.
func crowd(b *probe.Bench, form url.Values) (won int) {
	var wg sync.WaitGroup
	answers := make([]probe.Answer, 8)
	for i := range answers {
		wg.Go(func() { answers[i] = b.Token("web", form) })
	}
	wg.Wait()
	for _, a := range answers {
		if a.Status == 200 {
			won++
		}
	}
	return won
}

func TestRefresh(t *testing.T) {
	b := start(t, false)
	first := b.Token("web", b.Redemption("web", b.Code("web", offline()), ""))
	form := probe.Renewal(first.Text(t, "refresh_token"))
	form.Set("scope", "profile")
	second := b.Token("web", form).Want(t, 200)
	b.Resource(stand.ScopedPath, second.Text(t, "access_token")).Refused(t, 403, "insufficient_scope")
	third := b.Token("web", probe.Renewal(second.Text(t, "refresh_token"))).Want(t, 200) // with the whole scope again
	b.Resource(stand.ScopedPath, third.Text(t, "access_token")).Want(t, 200)

	b.Token("web", form).Refused(t, 400, "invalid_grant") // reuse ends the grant
	b.Token("web", probe.Renewal(third.Text(t, "refresh_token"))).Refused(t, 400, "invalid_grant")
	b.Resource(stand.AnyPath, third.Text(t, "access_token")).Refused(t, 401, "invalid_token")
}

func TestClientCredentials(t *testing.T) {
	b := start(t, true)
	for _, client := range []string{"service", "special", "limited"} {
		access := b.Token(client, probe.ClientCredentials()).Want(t, 200).Text(t, "access_token")
		b.Resource(stand.AnyPath, access).Want(t, 200)
		b.Resource(stand.UserPath, access).Refused(t, 403, "insufficient_scope")
	}
	form := probe.ClientCredentials()
	form.Set("scope", "photos")
	b.Token("limited", form).Refused(t, 400, "invalid_scope")
	b.Token("codeonly", probe.ClientCredentials()).Refused(t, 400, "unauthorized_client")
}

func TestRevocation(t *testing.T) {
	b := start(t, false)
	granted := b.Token("web", b.Redemption("web", b.Code("web", offline()), ""))
	access, refresh := granted.Text(t, "access_token"), granted.Text(t, "refresh_token")
	b.Post(revokePath, "partner", url.Values{"token": {access}}).Refused(t, 400, "unauthorized_client")
	b.Post(revokePath, "partner", url.Values{"token": {refresh}}).Refused(t, 400, "unauthorized_client")
	b.Post(revokePath, "web", url.Values{"token": {"nonsense"}}).Want(t, 200)
	b.Resource(stand.AnyPath, access).Want(t, 200)
	b.Post(revokePath, "web", url.Values{"token": {refresh}}).Want(t, 200)
	b.Resource(stand.AnyPath, access).Refused(t, 401, "invalid_token")
	b.Token("web", probe.Renewal(refresh)).Refused(t, 400, "invalid_grant")
}

// A request is answered once: neither a page that was left open nor the callback's URL is worth anything after it.
func TestRequestsAreAnsweredOnce(t *testing.T) {
	b := start(t, false)
	page := b.Consent("alice", b.Ask("web", "code", nil))
	if away := b.Decide(page, "cancel"); away.Query().Get("error") != "access_denied" {
		t.Errorf("sent to %s", away)
	}
	fields := page.Form(t)
	fields.Set("decision", "accept")
	b.Submit("/consent", fields).Want(t, 400)

	page = b.Consent("alice", b.Ask("web", "code", nil))
	b.Decide(page, "accept")
	b.Submit("/consent", page.Form(t)).Want(t, 400)
	id := strings.TrimPrefix(page.Form(t).Get("request"), "id=")
	b.Get(authorizePath+"/callback?id="+id).Want(t, 400)
	b.Get(signInPath+"?id="+id).Want(t, 400)
}
