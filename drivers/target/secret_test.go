package target

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestASecretMasksItself: whoever prints a target, or a client of it, prints no secret.
func TestASecretMasksItself(t *testing.T) {
	s := NewSecret("hunter2-hunter2")
	c := Client{ID: "web", Secret: s}
	shown := map[string]string{"String": s.String(), "Gomega": s.GomegaString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown[verb] = fmt.Sprintf(verb, s)
		shown[verb+" of a client"] = fmt.Sprintf(verb, c)
	}
	for name, value := range map[string]any{"JSON": s, "JSON of a client": c, "JSON of a map": map[string]*Secret{"a": &s}} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		shown[name] = string(text)
	}
	for name, text := range shown {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74") || !strings.Contains(text, "[secret]") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if s.Reveal() != "hunter2-hunter2" {
		t.Error("it does not come out")
	}
}

// A password in a URL would be in every report.
func TestNoPasswordStandsInAURL(t *testing.T) {
	const file = "name: acme\nurl: https://ada:hunter2@acme.test\nprofile: space\nclients:\n  web: {id: web, public: true, grants: [implicit], redirect_uris: [https://app.test/cb]}\n"
	_, err := Parse("acme.yaml", []byte(file), Lookup{})
	if err == nil || !strings.Contains(err.Error(), "url: it must not hold a user or a password") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}
