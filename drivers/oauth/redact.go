package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"sync"

	"flowproof/drivers/target"
)

// A Redactor knows the secrets of a run, by their values and by the places where secrets stand.
// It may be used from many goroutines.
type Redactor struct {
	mu    sync.RWMutex
	masks map[string]string           // by secret value
	index map[[shortest]byte]*sameKey // by the first bytes of each written form
}

// Shorter values would be found everywhere by chance; longer ones are no server's secrets, but a probe's.
const (
	shortest = 6
	longest  = 16 << 10
)

type sameKey struct {
	lengths []int             // longest first
	masks   map[string]string // by written form
}

// NewRedactor makes a redactor that knows the target's own secrets.
func NewRedactor(t target.Target) *Redactor {
	r := &Redactor{masks: map[string]string{}, index: map[[shortest]byte]*sameKey{}}
	for _, c := range t.Clients {
		secret := c.Secret.Reveal()
		if secret == "" {
			continue
		}
		r.Learn("client_secret", secret)
		r.learnBasic(c.ID, secret)
	}
	for _, u := range t.Users {
		r.Learn("password", u.Password.Reveal())
		r.Learn("totp", u.TOTP.Reveal())
	}
	return r
}

// Learn makes a value known as a secret of that kind: token, code, cookie … From then on Text masks it, also where it
// is escaped, in base64 or in hexadecimal, and of a signed token the claims and the signature alone. Values of fewer
// than 6 characters, of more than 16 KiB and words of the protocol are not learnt; their places hide those.
func (r *Redactor) Learn(kind, value string) {
	if len(value) < shortest || len(value) > longest || vocabulary(value) {
		return
	}
	r.mu.RLock()
	_, known := r.masks[value]
	r.mu.RUnlock()
	if known {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := mask(kind, value)
	r.masks[value] = m
	for _, form := range written(value) {
		r.add(form, m)
	}
	if _, is := ParseJWT(value); is {
		for _, part := range strings.Split(value, ".")[1:] { // the header is that of every token
			r.add(part, m)
		}
	}
}

// Text replaces every known secret, the longest first where several begin.
func (r *Redactor) Text(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var b strings.Builder
	done := 0
	for i := 0; i+shortest <= len(s); {
		m, n := r.at(s[i:])
		if n == 0 {
			i++
			continue
		}
		b.WriteString(s[done:i])
		b.WriteString(m)
		i += n
		done = i
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// at finds the longest known form at the beginning of s, and its length.
func (r *Redactor) at(s string) (string, int) {
	k, ok := r.index[[shortest]byte([]byte(s[:shortest]))]
	if !ok {
		return "", 0
	}
	for _, n := range k.lengths {
		if n > len(s) {
			continue
		}
		if m, ok := k.masks[s[:n]]; ok {
			return m, n
		}
	}
	return "", 0
}

func (r *Redactor) add(form, m string) {
	if len(form) < shortest {
		return
	}
	key := [shortest]byte([]byte(form[:shortest]))
	k, ok := r.index[key]
	if !ok {
		k = &sameKey{masks: map[string]string{}}
		r.index[key] = k
	}
	if _, known := k.masks[form]; known {
		return
	}
	k.masks[form] = m
	if i, found := slices.BinarySearchFunc(k.lengths, len(form), func(have, want int) int { return want - have }); !found {
		k.lengths = slices.Insert(k.lengths, i, len(form))
	}
}

// learnBasic knows the pair as HTTP Basic writes it, raw and form-encoded first.
func (r *Redactor) learnBasic(id, secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, pair := range []string{id + ":" + secret, url.QueryEscape(id) + ":" + url.QueryEscape(secret)} {
		for _, e := range encodings() {
			r.add(e.EncodeToString([]byte(pair)), "[credentials]")
		}
	}
}

// mask is how a value is shown at a place of that kind: as it was learnt first, if it was.
func (r *Redactor) mask(kind, value string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if m, ok := r.masks[value]; ok {
		return m
	}
	return mask(kind, value)
}

// mask keeps enough of what is random to tell two apart. Of what a person chose nothing is kept, since
// its hash could be searched for.
func mask(kind, value string) string {
	switch kind {
	case "client_secret", "password", "otp", "totp", "cookie", "credentials":
		return "[" + kind + "]"
	}
	if len(value) < 16 || !plain(value[:4]) {
		return "[" + kind + "]"
	}
	sum := sha256.Sum256([]byte(value))
	return "[" + kind + " " + value[:4] + "… sha256:" + hex.EncodeToString(sum[:6]) + "]"
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '[' || c == ']' {
			return false
		}
	}
	return true
}

// vocabulary tells the words of the protocol, which a careless password may equal.
func vocabulary(s string) bool {
	switch strings.ToLower(s) {
	case "access_token", "authorization_code", "authorization", "basic ", "bearer", "client_credentials", "client_id",
		"client_secret", "code_verifier", "cookie", "false", "id_token", "invalid", "password", "redirect_uri",
		"refresh_token", "secret", "sha256", "set-cookie", "token_type", "username", "verifier",
		"application/json", "invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "invalid_token":
		return true
	}
	return false
}

func encodings() []*base64.Encoding {
	return []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding}
}

// written lists the forms that a value takes in URLs, URLs within URLs, forms, HTML, JSON, base64 and hexadecimal.
func written(v string) []string {
	escaped := url.QueryEscape(v)
	forms := []string{v, html.EscapeString(v)}
	blank := strings.ReplaceAll(escaped, "+", "%20")
	script := strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(blank)
	for _, f := range []string{escaped, blank, script, url.PathEscape(v), url.QueryEscape(escaped)} {
		forms = append(forms, f, lowerEscapes(f))
	}
	if quoted, err := json.Marshal(v); err == nil {
		inner := string(quoted[1 : len(quoted)-1])
		forms = append(forms, inner, strings.ReplaceAll(inner, "/", `\/`))
	}
	for _, e := range encodings() {
		forms = append(forms, e.EncodeToString([]byte(v)))
	}
	digits := hex.EncodeToString([]byte(v))
	forms = append(forms, digits, strings.ToUpper(digits))
	slices.Sort(forms)
	return slices.Compact(forms)
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			b[i+1], b[i+2] = lower(b[i+1]), lower(b[i+2])
			i += 2
		}
	}
	return string(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'F' {
		return c + 'a' - 'A'
	}
	return c
}
