package cluster

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"flowproof/drivers/load"
	"flowproof/drivers/target"
)

// TestNoSecretIsOnTheBus listens to every message of a run in which everything is wrong, and that has users of a CSV
// file, and looks for each secret and each token.
func TestNoSecretIsOnTheBus(t *testing.T) {
	s := newScene(t)
	s.token = func(_ string, n int64) string {
		if n%3 == 0 {
			return fmt.Sprintf(`secret-access-token-%d","token_type":"mac","refresh_token":"secret-refresh-token-%d`, n, n)
		}
		return fmt.Sprintf("secret-access-token-%d", n)
	}
	var mu sync.Mutex
	var heard []*nats.Msg
	sub, err := s.bus().conn.Subscribe(">", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, m)
	})
	if err != nil {
		t.Fatal(err)
	}
	const password = "secret-password-of-ada"
	for _, name := range []string{"a", "b"} {
		s.agent(name, func(a *Agent) {
			a.Lookup = target.Lookup{Env: a.Lookup.Env, File: os.ReadFile}
			if err := os.WriteFile(a.Folder+"/people.csv", []byte("username,password\nada,"+password+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
	c, err := Muster(t.Context(), s.bus(), Options{Version: version, Expect: 2})
	if err != nil {
		t.Fatal(err)
	}
	o := s.order(load.Plan{Rate: 100, Duration: 1200 * time.Millisecond, Connections: 2, Abort: []load.Abort{}, Scenarios: []load.Scenario{
		{Flow: load.ClientCredentials}, {Flow: load.Password, UsersCSV: "people.csv", People: []target.User{{Name: "x", Username: "ada", Password: target.NewSecret(password)}}},
	}})
	o.Target = bytes.ReplaceAll(o.Target, []byte("client_credentials]"), []byte("client_credentials, password]"))
	o.Target = append(o.Target, "users:\n  bob: {username: bob, password: env:BOB}\n"...)
	if err := c.Arm(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	l, err := c.Run(t.Context())
	if err != nil || len(l.Violations) == 0 || len(l.Steps) != 2 || sent(l) < 50 { // of 120: a busy machine sends fewer
		t.Fatal(err, l.Violations, sent(l))
	}
	c.Close()
	if err := sub.Unsubscribe(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	records := 0
	for _, m := range heard {
		text := fmt.Sprintf("%s %v %s", m.Subject, m.Header, m.Data)
		var r result
		if json.Unmarshal(m.Data, &r) == nil && r.Piece != nil {
			whole, err := joined([]piece{*r.Piece})
			if err != nil {
				t.Fatal(err)
			}
			plain, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			text += string(plain)
			records++
		}
		var o order
		if json.Unmarshal(m.Data, &o) == nil {
			text += string(o.Target)
		}
		for _, secret := range []string{"the-secret-of", "secret-access-token", "secret-refresh-token", password, "ada,"} {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(text, form) {
					t.Fatalf("%s: %q is in\n%s", m.Subject, secret, text)
				}
			}
		}
	}
	if records < 2 || len(heard) < 50 {
		t.Errorf("%d messages with %d records prove little", len(heard), records)
	}
}

func TestAnAddressIsShownWithoutItsPassword(t *testing.T) {
	d := Dial{URL: "nats://ada:secret@127.0.0.1:1,nats://secret@127.0.0.1:2,nats://127.0.0.1:3"}
	if got := d.Shown(); strings.Contains(got, "secret") || !strings.Contains(got, "127.0.0.1:2") || !strings.HasSuffix(got, ",nats://127.0.0.1:3") {
		t.Error(got)
	}
	for _, url := range []string{d.URL, "nats://ada:secret@ :1", "nats://ada:secret%@127.0.0.1:1"} {
		_, err := Connect(Dial{URL: url})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}
