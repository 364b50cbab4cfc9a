package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A member is one member of a JSON answer.
type member struct {
	name, value string
	raw         bool // the value is JSON as it stands; else a string that needs no escaping
}

// answerToken makes the access token and writes the success answer (RFC 6749 §5.1).
func (s *Sandbox) answerToken(w http.ResponseWriter, grant string, out issuance) {
	p := &s.policy.token
	access := s.again(out)
	if access == "" {
		var err error
		if access, err = s.issueAccess(out, s.now()); err != nil {
			s.refuseToken(w, *crash(http.StatusInternalServerError))
			return
		}
		access = s.onceMore(out, access)
	}
	var few [6]member
	m := append(few[:0],
		member{name: "access_token", value: p.spacesToken.put(access)},
		member{name: "token_type", value: "Bearer"},
		member{name: "expires_in", value: seconds(s.policy.grants.accessLifetime), raw: true})
	if out.refresh != "" {
		m = append(m, member{name: "refresh_token", value: out.refresh})
	}
	if !out.quiet && !(out.narrowed && p.hidesNarrowedScope) {
		m = append(m, member{name: "scope", value: out.scope.text})
	}
	if p.spoilMembers != nil {
		m = p.spoilMembers(grant, m)
	}
	body := writeObject(make([]byte, 0, 256), m)
	if p.spoilBody != nil {
		body = p.spoilBody(grant, body)
	}
	s.writeToken(w, http.StatusOK, s.buffered(out, body))
}

// again is an access token that the issuance hands out instead of a new one, or empty.
func (s *Sandbox) again(out issuance) string {
	if !s.policy.near.reissues || out.user != nil || out.access != "" {
		return out.access
	}
	key := out.client.id + " " + out.scope.text
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.state.kept[key]
	if _, why := s.lookUp(kept, s.now().Add(time.Minute)); why != "" {
		issued, err := s.issueAccess(out, s.now())
		if err != nil {
			return ""
		}
		kept = issued
		s.state.kept[key] = kept
	}
	return kept
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

func writeObject(b []byte, members []member) []byte {
	b = append(b, '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, m.name...)
		b = append(b, '"', ':')
		if m.raw {
			b = append(b, m.value...)
			continue
		}
		b = append(b, '"')
		b = append(b, m.value...)
		b = append(b, '"')
	}
	return append(b, '}')
}

// spacing puts a space into access tokens, and knows them again with it.
type spacing bool

const spaceAt = 10

func (sp spacing) put(access string) string {
	if !sp {
		return access
	}
	return access[:spaceAt] + " " + access[spaceAt:]
}

func (sp spacing) take(access string) string {
	if !sp {
		return access
	}
	return strings.Replace(access, " ", "", 1)
}
