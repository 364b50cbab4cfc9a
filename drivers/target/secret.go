package target

import (
	"fmt"
	"io"
)

// A Secret masks itself wherever it is printed; Reveal is the only way out.
type Secret struct{ value string }

// NewSecret keeps value from being shown.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value, for the wire only.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no secret at all.
func (s Secret) Empty() bool { return s.value == "" }

const mask = "[secret]"

func (s Secret) String() string { return mask }

// Format masks the secret under every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText masks the secret in JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// GomegaString masks the secret in failure messages.
func (s Secret) GomegaString() string { return mask }
