package load

import (
	"bytes"
	"encoding/base64"
	"strings"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// identities are what tokens call the target's clients and users. A name that two of them share tells nothing.
type identities struct {
	clients map[string]string // client name by identifier
	people  map[string]string // user name by subject or user name
}

const nobody = "\x00"

func newIdentities(t target.Target) identities {
	known := identities{clients: map[string]string{}, people: map[string]string{}}
	for _, c := range t.Clients {
		learnName(known.clients, c.ID, c.Name)
	}
	for _, u := range t.Users {
		learnName(known.people, u.Subject, u.Username)
		learnName(known.people, u.Username, u.Username)
	}
	return known
}

func learnName(known map[string]string, id, name string) {
	if id == "" {
		return
	}
	if other, there := known[id]; there && other != name {
		name = nobody
	}
	known[id] = name
}

// learn takes the subject of a token that came before the run, alone.
func (k *identities) learn(is *issue, token string) {
	if jwt, ok := oauth.ParseJWT(token); ok && is.user.Username != "" {
		if subject, ok := jwt.Claims["sub"].(string); ok && k.clients[subject] == "" {
			learnName(k.people, subject, is.user.Username)
		}
	}
}

// wrong reports whether what a token says of its client and its subject names another of the target's.
func (k *identities) wrong(is *issue, clients [2][]byte, subject []byte) bool {
	for _, id := range clients {
		if name, known := k.clients[string(id)]; known && name != nobody && name != is.client.Name {
			return true
		}
	}
	if name, known := k.people[string(subject)]; known && name != nobody && name != is.user.Username {
		return true
	}
	if is.user.Username != "" {
		return false
	}
	name, known := k.clients[string(subject)]
	return known && name != nobody && name != is.client.Name
}

// A claimsReader reads the claims of JWTs, and reuses its memory.
type claimsReader struct {
	payload []byte
	claims  claims
}

// wrong reports whether the token is a JWT that names another client or user than those of the issue.
func (r *claimsReader) wrong(known *identities, is *issue, token []byte) bool {
	_, rest, ok := bytes.Cut(token, []byte("."))
	if !ok {
		return false
	}
	body, _, ok := bytes.Cut(rest, []byte("."))
	if !ok {
		return false
	}
	body = bytes.TrimRight(body, "=")
	if need := base64.RawURLEncoding.DecodedLen(len(body)); cap(r.payload) < need {
		r.payload = make([]byte, need)
	}
	n, err := base64.RawURLEncoding.Decode(r.payload[:cap(r.payload)], body)
	if err != nil || !scanClaims(r.payload[:n], &r.claims) {
		return false
	}
	c := &r.claims
	return known.wrong(is, [2][]byte{c.client.words(), c.party.words()}, c.subject.words())
}

// words is a string's value.
func (v *value) words() []byte {
	if v.kind != '"' {
		return nil
	}
	v.plain()
	return v.raw
}

// jwtShaped reports whether a token looks like a signed JWT.
func jwtShaped(token string) bool {
	return strings.Count(token, ".") == 2 && strings.HasPrefix(token, "eyJ")
}
