package load

import (
	"fmt"
	"strings"
	"testing"
)

func TestUniquenessIsSaidInWords(t *testing.T) {
	for want, n := range map[string]int64{
		"Uniqueness was checked over 1 access token, kept as 64-bit hashes":      1,
		"Uniqueness was checked over 1,234 access tokens, kept as 64-bit hashes": 1234,
	} {
		s := newSeen(n)
		for i := range n {
			s.access.add(fmt.Appendf(nil, "token-%d", i), 0)
		}
		notes{engine: &engine{seen: s}}.uniqueness(func(format string, args ...any) {
			if got := fmt.Sprintf(format, args...); !strings.HasPrefix(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
		s.free()
	}
	s := newSeen(0)
	defer s.free()
	s.codes.most = 1000
	for i := range 5000 {
		s.codes.add(fmt.Appendf(nil, "code-%d", i), 0)
	}
	var said []string
	notes{engine: &engine{seen: s}}.uniqueness(func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
	if len(said) != 1 || !shows(said, "over a sample of ") || !shows(said, " of 5,000 codes, kept as 64-bit hashes; more do not fit") {
		t.Errorf("%q", said)
	}
}
