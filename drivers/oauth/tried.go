package oauth

import (
	"fmt"
	"net/url"
	"sync"

	"flowproof/drivers/target"
)

// Tried remembers what became of people's credentials, so that no account is locked by trying wrong ones
// again. The user agents of a run share one.
type Tried struct {
	mu  sync.Mutex
	bad map[credential]string // why
	ok  map[credential]bool
}

type credential struct{ username, password, seed string }

// NewTried remembers nothing yet.
func NewTried() *Tried { return &Tried{bad: map[credential]string{}, ok: map[credential]bool{}} }

func credentialOf(u target.User) credential {
	return credential{u.Username, u.Password.Reveal(), u.TOTP.Reveal()}
}

// Taken says that the server let the user in: a later refusal has other reasons than the password.
func (t *Tried) Taken(u target.User) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ok[credentialOf(u)] = true
}

// Refuse says that the server refused the user's credentials, in words that may be shown.
func (t *Tried) Refuse(u target.User, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := credentialOf(u); !t.ok[c] && !u.Sacrificial {
		t.bad[c] = why
	}
}

// Refused is why the user's credentials are not to be sent again, or empty.
func (t *Tried) Refused(u target.User) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	why := t.bad[credentialOf(u)]
	if why == "" {
		return ""
	}
	return fmt.Sprintf("not tried again, since another wrong attempt might lock the account; the first came to this: %s", why)
}

// Unnamed says why nothing is typed into the page, and what to write if it should be.
func Unnamed(t target.Target, page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" {
		return "the page asks for credentials, and belongs to no host; nothing was typed"
	}
	if t.SignsInAt(page) {
		return fmt.Sprintf("the page of %s asks for credentials over plain http; nothing was typed", u.Host)
	}
	return fmt.Sprintf("the page of %s asks for credentials, and the target file does not name this host; nothing was typed. If people sign in there, write sign_in_hosts: [%q]", u.Host, u.Host)
}
