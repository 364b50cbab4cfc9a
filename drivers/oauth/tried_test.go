package oauth

import (
	"strings"
	"testing"

	"flowproof/drivers/target"
)

func TestTriedRemembersRefusals(t *testing.T) {
	user := func(password string, sacrificial bool) target.User {
		return target.User{Name: "alice", Username: "alice", Password: target.NewSecret(password), Sacrificial: sacrificial}
	}
	wrong, right, victim := user("wrong", false), user("right", false), user("wrong too", true)
	tried := NewTried()
	for _, u := range []target.User{wrong, victim} {
		if tried.Refused(u) != "" {
			t.Error("what was not tried is refused")
		}
		tried.Refuse(u, "Wrong password")
	}
	if why := tried.Refused(wrong); !strings.Contains(why, "not tried again") || !strings.Contains(why, "Wrong password") {
		t.Errorf("why: %q", why)
	}
	if tried.Refused(victim) != "" || tried.Refused(right) != "" {
		t.Error("an account that may be locked, or another password, is not to be tried")
	}
	tried.Taken(right)
	tried.Refuse(right, "the session ended meanwhile")
	if tried.Refused(right) != "" {
		t.Error("a password that was good before is not to be tried")
	}
}
