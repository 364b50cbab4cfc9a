package sandbox

import (
	"encoding/json"
	"net/http"
)

// A refusal is an error answer: of the token endpoint, or one that goes back to the client.
type refusal struct {
	status            int
	code, description string
	allow             string // the methods that would do, with 405
	challenge         bool   // WWW-Authenticate: Basic
	retryAfter        string // seconds
}

func refuse(code, description string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, description: description}
}

// crash is how a server fails that did not expect the request.
func crash(status int) *refusal {
	return &refusal{status: status, code: "invalid_request", description: "The server met an unexpected condition"}
}

func tooMany() *refusal {
	return &refusal{status: http.StatusTooManyRequests, code: "slow_down", retryAfter: "1",
		description: "Too many failed attempts, try again later"}
}

// refuseToken writes an error answer of the token endpoint.
func (s *Sandbox) refuseToken(w http.ResponseWriter, r refusal) {
	if s.policy.token.spoilRefusal != nil {
		r = s.policy.token.spoilRefusal(r)
	}
	h := w.Header()
	if r.allow != "" {
		h.Set("Allow", r.allow)
	}
	if r.challenge && !s.policy.token.omitsChallenge {
		h.Set("WWW-Authenticate", `Basic realm="sandbox", charset="UTF-8"`)
	}
	if r.retryAfter != "" {
		h.Set("Retry-After", r.retryAfter)
	}
	body, _ := json.Marshal(map[string]string{"error": r.code, "error_description": r.description}) // strings always marshal
	s.writeToken(w, r.status, body)
}

// writeToken writes an answer of the token endpoint, which nobody may keep.
func (s *Sandbox) writeToken(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = s.fixed.json
	if !s.policy.token.omitsNoStore {
		h["Cache-Control"] = s.fixed.noStore
	}
	if !s.policy.token.omitsPragma {
		h["Pragma"] = s.fixed.noCache
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
