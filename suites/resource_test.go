package suites

import (
	"testing"

	"flowproof/drivers/target"
)

// TestIdentifiersAreLearned: a sub that the target file does not tell is no other user's, until it changes or is
// somebody else's.
func TestIdentifiersAreLearned(t *testing.T) {
	alice, bob := target.User{Name: "alice", Username: "alice"}, target.User{Name: "bob", Username: "bob"}
	carol := target.User{Name: "carol", Username: "carol", Subject: "c-1"}
	s := newSession(t.Context(), Options{Target: target.Target{Users: []target.User{alice, bob, carol}}})
	for i, c := range []struct {
		user          target.User
		member, named string
		mistaken      bool
	}{
		{alice, "sub", "alice", false},
		{alice, "sub", "5b71", false},
		{alice, "sub", "5b71", false},
		{alice, "sub", "9999", true},
		{bob, "sub", "5b71", true},
		{bob, "sub", "alice", true},
		{bob, "sub", "", true},
		{bob, "userId", "212c", false},
		{alice, "sub", "212c", true},
		{alice, "preferred_username", "mallory", true},
		{carol, "sub", "c-1", false},
		{carol, "sub", "c-2", true},
		{bob, "sub", "c-1", true},
	} {
		if got := s.mistaken(c.user, c.member, c.named); got != c.mistaken {
			t.Errorf("%d: %s called %q: mistaken %t", i, c.user.Name, c.named, got)
		}
	}
}
