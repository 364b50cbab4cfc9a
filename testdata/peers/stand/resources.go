package stand

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// The protected resources.
const (
	AnyPath    = "/api/any"    // any valid access token opens it
	UserPath   = "/userinfo"   // a person's access token only; names the person
	ScopedPath = "/api/scoped" // needs the scope Photos
)

// A Grant is what an access token stands for. Subject is empty when it stands for no person.
type Grant struct {
	Subject string
	Scopes  []string
}

// Introspect tells what a valid access token stands for, and false for everything else, refresh tokens included.
type Introspect func(ctx context.Context, token string) (Grant, bool)

// Resources are the protected resources, guarded as RFC 6750 has it.
func Resources(introspect Introspect) http.Handler {
	mux := http.NewServeMux()
	guard := func(path, scope string, person bool) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			token, problem := bearer(r)
			if problem != nil {
				problem.write(w)
				return
			}
			grant, valid := introspect(r.Context(), token)
			switch {
			case !valid:
				refusal{http.StatusUnauthorized, "invalid_token", ""}.write(w)
			case person && grant.Subject == "":
				refusal{http.StatusForbidden, "insufficient_scope", ""}.write(w)
			case scope != "" && !slices.Contains(grant.Scopes, scope):
				refusal{http.StatusForbidden, "insufficient_scope", scope}.write(w)
			default:
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(map[string]string{"sub": grant.Subject})
			}
		})
	}
	guard(AnyPath, "", false)
	guard(UserPath, "", true)
	guard(ScopedPath, Photos, false)
	return mux
}

// A refusal is an answer of RFC 6750 section 3; without a code it carries no error, as for a request that had no token.
type refusal struct {
	status      int
	code, scope string
}

func (f refusal) write(w http.ResponseWriter) {
	challenge := `Bearer realm="peer"`
	body := map[string]string{"error": "unauthorized"}
	if f.code != "" {
		challenge += fmt.Sprintf(`, error=%q`, f.code)
		body["error"] = f.code
	}
	if f.scope != "" {
		challenge += fmt.Sprintf(`, scope=%q`, f.scope)
	}
	w.Header().Set("WWW-Authenticate", challenge)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(body)
}

// bearer takes the token from the header or from a form body, never from the query (RFC 6750 section 2).
func bearer(r *http.Request) (string, *refusal) {
	malformed := &refusal{http.StatusBadRequest, "invalid_request", ""}
	var tokens []string
	for _, line := range r.Header.Values("Authorization") {
		scheme, token, _ := strings.Cut(line, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		if !isToken(token) {
			return "", malformed
		}
		tokens = append(tokens, token)
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" && r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return "", malformed
		}
		tokens = append(tokens, r.PostForm["access_token"]...)
	}
	switch len(tokens) {
	case 0:
		return "", &refusal{status: http.StatusUnauthorized}
	case 1:
		return tokens[0], nil
	default:
		return "", malformed
	}
}

// isToken knows the b64token of RFC 6750 section 2.1.
func isToken(s string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
	s = strings.TrimRight(s, "=")
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return !strings.ContainsRune(alphabet, c) }) < 0
}
