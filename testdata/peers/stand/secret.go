package stand

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Same compares two secrets in a time that does not depend on where they differ. An empty secret equals none.
func Same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return a != "" && subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// Authenticate returns the subject of the user who has that name and password.
func (r Registration) Authenticate(name, password string) (subject string, ok bool) {
	u := r.User(name)
	// The comparison is made for an unknown name too, so that both take the same time.
	if !Same(u.Password, password) {
		return "", false
	}
	return u.Subject, true
}
