package browser

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"flowproof/drivers/target"
)

// flags are the browser's: chromedp's own, those that keep it from calling home, and those of the run.
func flags(path string, t target.Target, o Options, h hosts, profile string, pins []string) []chromedp.ExecAllocatorOption {
	out := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("no-service-autorun", true),
		// Of windows without number, each would be a process before we could close it. A browser with a window of its
		// own does not know this.
		chromedp.Flag("block-new-web-contents", true),
		// Frames of other sites stay in the page's process, where their redirects are seen, too.
		chromedp.Flag("disable-site-isolation-trials", true),
		chromedp.Flag("disable-features", strings.Join([]string{
			"Translate", "BlinkGenPropertyTrees", "OptimizationHints", "MediaRouter", "DialMediaRouteProvider",
			"AutofillServerCommunication", "CertificateTransparencyComponentUpdater",
			"HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "Prerender2", "BackForwardCache",
			"IsolateOrigins", "site-per-process",
		}, ",")),
		chromedp.Flag("host-resolver-rules", resolver(t, h)),
		chromedp.NoInheritEnv,
		chromedp.Env(environment(profile, o.Headed)...),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { tie(cmd) }),
	)
	if len(pins) > 0 {
		out = append(out, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(pins, ",")))
	}
	if o.Headed {
		out = append(out, chromedp.VisibleWindow)
	}
	return out
}

// resolver keeps the browser from the hosts that it calls by itself. With a target on this machine no
// other host is ever asked for.
func resolver(t target.Target, h hosts) string {
	if t.Loopback() {
		rules := []string{"MAP * ~NOTFOUND", "EXCLUDE localhost", "EXCLUDE 127.0.0.1", "EXCLUDE [::1]"}
		for _, name := range h.names() {
			rules = append(rules, "EXCLUDE "+name)
		}
		return strings.Join(rules, ", ")
	}
	var rules []string
	for _, name := range []string{
		"accounts.google.com", "clients1.google.com", "clients2.google.com", "clients4.google.com", "android.clients.google.com",
		"update.googleapis.com", "optimizationguide-pa.googleapis.com", "content-autofill.googleapis.com",
		"safebrowsing.googleapis.com", "redirector.gvt1.com", "edgedl.me.gvt1.com", "mtalk.google.com",
	} {
		if !slices.Contains(h.names(), name) {
			rules = append(rules, "MAP "+name+" ~NOTFOUND")
		}
	}
	return strings.Join(rules, ", ")
}

// environment is what the browser needs of ours: the secrets in it are none of its business. Its home
// and its temporary files are in the profile, and go with it.
func environment(profile string, headed bool) []string {
	keep := []string{"PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "LOCALAPPDATA", "USERPROFILE",
		"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy", "ALL_PROXY"}
	var out []string
	if headed || runtime.GOOS != "linux" {
		keep = append(keep, "HOME", "TMPDIR", "TEMP", "TMP", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
	} else {
		out = append(out, "HOME="+profile, "TMPDIR="+profile)
	}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if slices.Contains(keep, name) {
			out = append(out, pair)
		}
	}
	return out
}

// pins are the keys that the target's hosts show under its own trust roots. The browser takes no
// further roots by a flag, but it takes keys; so each is verified here, and that key alone is taken.
func pins(ctx context.Context, t target.Target) []string {
	if t.CA == "" {
		return nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM([]byte(t.CA))
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var out []string
	for _, address := range secure(t) {
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			continue // the browser itself will say what is wrong
		}
		if c, ok := conn.(*tls.Conn); ok {
			if shown := c.ConnectionState().PeerCertificates; len(shown) > 0 {
				sum := sha256.Sum256(shown[0].RawSubjectPublicKeyInfo)
				out = append(out, base64.StdEncoding.EncodeToString(sum[:]))
			}
		}
		_ = conn.Close()
	}
	return out
}

// secure lists the addresses of the target's https hosts.
func secure(t target.Target) []string {
	var out []string
	places := []string{t.URL, t.Endpoints.Authorization, t.Endpoints.Token}
	for _, host := range t.SignInHosts {
		places = append(places, "https://"+host)
	}
	for _, raw := range places {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" {
			continue
		}
		address := u.Host
		if u.Port() == "" {
			address += ":443"
		}
		if !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	return out
}
