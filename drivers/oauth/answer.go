package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A TokenAnswer is what a client reads in a token answer. A member of the wrong type reads as absent,
// yet Has tells that it was there.
type TokenAnswer struct {
	AccessToken, TokenType, RefreshToken, IDToken, Scope string
	ExpiresIn                                            float64
	Has                                                  map[string]bool // members that are there, whatever they hold
	Members                                              map[string]any  // numbers are json.Number
}

// Token reads a successful token answer as tolerantly as clients do. An error means that it is none.
func (e Exchange) Token() (TokenAnswer, error) {
	if !e.Answered() {
		return TokenAnswer{}, errors.New("oauth: read the token answer: there was no whole answer")
	}
	if e.Status < 200 || e.Status > 299 {
		return TokenAnswer{}, fmt.Errorf("oauth: read the token answer: the status is %d", e.Status)
	}
	members, err := e.JSON()
	if err != nil {
		return TokenAnswer{}, err
	}
	a := TokenAnswer{
		AccessToken: text(members["access_token"]), TokenType: text(members["token_type"]),
		RefreshToken: text(members["refresh_token"]), IDToken: text(members["id_token"]), Scope: text(members["scope"]),
		Has: make(map[string]bool, len(members)), Members: members,
	}
	for name := range members {
		a.Has[name] = true
	}
	a.ExpiresIn = number(members["expires_in"])
	return a, nil
}

// IssuedToken reports whether a token was handed out: the effect that counts, whatever the status says.
func (e Exchange) IssuedToken() bool {
	if members, err := e.JSON(); err == nil {
		switch v := members["access_token"].(type) {
		case nil:
			return false
		case string:
			return v != ""
		default:
			return true
		}
	}
	if bytes.IndexByte(e.Body, '<') >= 0 || !bytes.Contains(e.Body, []byte("access_token=")) {
		return false
	}
	return ParseParams(string(e.Body)).Get("access_token") != ""
}

// ErrorCode is the member "error" of a JSON answer, or empty.
func (e Exchange) ErrorCode() string {
	members, err := e.JSON()
	if err != nil {
		return ""
	}
	return text(members["error"])
}

// JSON reads the body as a JSON object. It forgives a byte-order mark, bytes after the object and
// repeated members, of which the last counts.
func (e Exchange) JSON() (map[string]any, error) {
	if e.Cut {
		return nil, fmt.Errorf("oauth: read the body as a JSON object: it is longer than the %d bytes that are read", MaxBody)
	}
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(e.Body, []byte("\xef\xbb\xbf"))))
	dec.UseNumber()
	var members map[string]any
	if err := dec.Decode(&members); err != nil {
		return nil, fmt.Errorf("oauth: read the body as a JSON object: %w", err)
	}
	if members == nil {
		return nil, errors.New("oauth: read the body as a JSON object: it is null")
	}
	return members, nil
}

// Location is where the answer redirects to, as it stands, or empty.
func (e Exchange) Location() string { return e.Header.Get("Location") }

// Redirects reports whether the answer sends the user agent elsewhere.
func (e Exchange) Redirects() bool {
	switch e.Status {
	case 301, 302, 303, 307, 308:
		return e.Location() != ""
	}
	return false
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// number reads a JSON number, or a number written as a string, which many clients forgive.
func number(v any) float64 {
	n, ok := v.(json.Number)
	if !ok {
		n = json.Number(strings.TrimSpace(text(v)))
	}
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return f
}
