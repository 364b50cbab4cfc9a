package browser

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	devtools "github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// at is the target of a server.
func at(s *httptest.Server) target.Target {
	return target.Target{URL: s.URL, Endpoints: target.Endpoints{Authorization: s.URL + "/authorize"}}
}

func serve(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s
}

// A root of the target's own vouches for what it signed, and for nobody else.
func TestOnlyTheTargetsOwnRootsVouch(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.RedirectHandler(client+"?code=c0de-of-tls", http.StatusFound))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	private := at(s)
	private.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
	_, err = open(t, start(t, private, Options{})).Visit(t.Context(), oauth.Visit{URL: s.URL + "/authorize", RedirectURIs: []string{client}})
	if err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("error %v", err)
	}
}

func TestPagesThatLeadOnAndOnEndTheVisit(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		render(w, "On", `<script>location.replace("?" + Math.random())</script>`)
	})
	b := start(t, at(s), Options{})
	b.patience = time.Minute
	if _, err := open(t, b).Visit(t.Context(), oauth.Visit{URL: s.URL + "/authorize"}); err == nil || !strings.Contains(err.Error(), "the pages lead on and on, and 100 were enough") {
		t.Errorf("error %v", err)
	}
}

func TestABodyThatIsTooLongStaysInTheBrowser(t *testing.T) {
	const length = 5 * oauth.MaxBody
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", strconv.Itoa(length))
		_, _ = io.WriteString(w, strings.Repeat("x", length))
	})
	l := land(t, open(t, start(t, at(s), Options{})), oauth.Visit{URL: s.URL + "/authorize", NoPicture: true})
	if len(l.Trail) != 1 || !l.Trail[0].Cut || len(l.Trail[0].Body) != 0 {
		t.Errorf("%d exchanges, cut %v, with %d bytes", len(l.Trail), l.Trail[0].Cut, len(l.Trail[0].Body))
	}
}

// A page on which somebody has typed may ask whether to leave it.
func TestAPageThatDoesNotLetGoIsLeft(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, client+"?code=c0de-of-alice", http.StatusFound)
			return
		}
		render(w, "Sign in", `<form method=post><input name=login><input name=secret type=password><button>Sign in</button></form>
			<script>addEventListener("beforeunload", e => { e.preventDefault(); e.returnValue = "stay" })</script>`)
	})
	l := land(t, open(t, start(t, at(s), Options{})), oauth.Visit{URL: s.URL + "/authorize", RedirectURIs: []string{client}, User: alice(), NoPicture: true})
	if l.Query.Get("code") != "c0de-of-alice" {
		t.Errorf("landed %s at %s", l.Kind, l.URL)
	}
}

func TestWindowsOfAPageAreClosed(t *testing.T) {
	opened := make(chan string, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if came := r.FormValue("opened"); came != "" {
			opened <- came
		}
		render(w, "Windows", `<script>if (!location.search) location = "?opened=" + !!window.open("about:blank")</script>`)
	})
	b := start(t, at(s), Options{})
	x := open(t, b)
	land(t, x, oauth.Visit{URL: s.URL + "/authorize", NoPicture: true})
	if came := <-opened; came != "false" {
		t.Errorf("it opened a window: %s", came)
	}
	// A browser with a window of its own lets pages open more.
	control := chromedp.FromContext(b.root).Browser
	window, err := cdp.Call(t.Context(), control, devtools.CreateTarget, devtools.CreateTargetParams{URL: "about:blank", BrowserContextID: x.(*session).id})
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
		all, err := cdp.Call(t.Context(), control, devtools.GetTargets, devtools.GetTargetsParams{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(all.TargetInfos, func(one *devtools.Info) bool { return one.TargetID == window.TargetID }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a window is left")
		}
	}
}

// What is offered for download is broken off: the server gets rid of no more than buffers hold.
func TestDownloadsAreRefused(t *testing.T) {
	const chunks = 64 // MiB
	written := make(chan int, 1)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", "attachment; filename=big.bin")
		w.Header().Set("Content-Length", strconv.Itoa(chunks<<20))
		n := 0
		for n < chunks {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				break
			}
			n++
		}
		written <- n
	})
	land(t, open(t, start(t, at(s), Options{})), oauth.Visit{URL: s.URL + "/authorize", NoPicture: true})
	if n := <-written; n > chunks/2 {
		t.Errorf("%d MiB were taken", n)
	}
}

func TestFailureShowsNoSecret(t *testing.T) {
	const token = "a-token-that-was-learnt"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		alert := ""
		if r.Method == http.MethodPost {
			alert = `<p role=alert>Wrong, says ` + token + `</p>`
		}
		render(w, "Sign in", alert+`<form method=post><input name=login><input name=secret type=password><button>Sign in</button></form>`)
	})
	b := start(t, at(s), Options{Redact: strings.NewReplacer(token, "[token]").Replace})
	if _, err := open(t, b).Visit(t.Context(), oauth.Visit{URL: s.URL + "/authorize", User: alice()}); err == nil || strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "Wrong, says [token]") {
		t.Errorf("error %v", err)
	}
}

func TestAVisitThatIsHeldEndsWithItsBrowser(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	held := oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice(), Pause: func(ctx context.Context) {
		_ = chromedp.FromContext(b.root).Browser.Process().Kill()
		<-ctx.Done()
	}}
	if _, err := open(t, b).Visit(t.Context(), held); err == nil || !strings.Contains(err.Error(), "the browser is gone") {
		t.Errorf("error %v", err)
	}
}
