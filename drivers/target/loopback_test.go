package target

import "testing"

// TestLoopback lets nothing pass for this machine that is another.
func TestLoopback(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://127.9.9.9": true, "http://[::1]:80": true, "http://localhost": true,
		"http://127.acme.test": false, "http://localhost.acme.test": false, "https://acme.test": false, "http://10.0.0.1": false, "": false, "http://%": false,
	} {
		if got := (Target{URL: url, Endpoints: Endpoints{Token: url}}).Loopback(); got != want {
			t.Errorf("%q: %v", url, got)
		}
	}
	if (Target{URL: "http://127.0.0.1", Endpoints: Endpoints{Token: "http://127.0.0.1/token", Authorization: "https://acme.test/auth"}}).Loopback() {
		t.Error("one endpoint is elsewhere")
	}
}
