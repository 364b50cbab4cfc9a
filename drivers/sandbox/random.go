package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}

// token is n random bytes in base64url.
func token(n int) string { return base64.RawURLEncoding.EncodeToString(randomBytes(n)) }

// uuid is a random (version 4) UUID.
func uuid() string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// userID is an identifier in the manner of Space's profiles.
func userID() string { return token(9) }
