package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"flowproof/drivers/browser"
	"flowproof/drivers/oauth"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/reports"
)

type loginFlags struct {
	target, user, client, browser, out string
	headed                             bool
}

func loginCommand(c console) *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Play the sign-in step by step",
		Long: `login signs a user of the target file in, as a check does, and tells each step: what was done, where, and how
long it took. Where it fails it names the step, writes a picture of that moment (login.png), and lists what
the page had to fill and to press, for a recipe under sign_in. It tries once: no account is locked.

It exits with 0 when the client was sent a code or token, with 1 when the sign-in came to something else.`,
		Example: `  flowproof login -t space.yaml
  flowproof login -t space.yaml --user bob --client web
  flowproof login -t space.yaml --headed`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return login(cmd.Context(), c, f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.target, "target", "t", "", "the target `file`; without one the sandbox is signed in to")
	flags.StringVar(&f.user, "user", "", "the `name` of the user in the target file; without one the first that is not sacrificial")
	flags.StringVar(&f.client, "client", "", "the `name` of the client in the target file; without one the first that people sign in for")
	flags.BoolVar(&f.headed, "headed", false, "show the browser's window; it stays open until Enter is pressed")
	flags.StringVar(&f.browser, "browser", "", "the browser's `path`; without one it is looked for")
	flags.StringVar(&f.out, "out", defaultOut, "the `folder` that the picture of a failure goes to; '' writes none")
	return cmd
}

func login(ctx context.Context, c console, f loginFlags) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if f.headed && runtime.GOOS == "linux" && !set(c, "DISPLAY") && !set(c, "WAYLAND_DISPLAY") {
		return misused("--headed: there is no display here to show a window on; leave it out, or log in to a desktop (ssh -X, xvfb-run)")
	}
	s, err := choose(ctx, c, f.target, sandbox.Options{})
	if err != nil {
		return err
	}
	defer s.close()
	user, err := person(s.target, f.user)
	if err != nil {
		return err
	}
	driver, err := oauth.New(s.target, oauth.Options{UserAgent: "flowproof/" + version()})
	if err != nil {
		return misused("%w", err)
	}
	defer driver.Close()
	way, err := enter(driver, s.target, f.client)
	if err != nil {
		return err
	}
	if err := mayWrite(f.out); err != nil {
		return err
	}
	path := f.browser
	if path == "" {
		path, _ = c.env("FLOWPROOF_BROWSER")
	}
	t := &teller{console: c, hide: driver.Redactor().Text}
	agent, err := browser.Start(ctx, s.target, browser.Options{
		Path: path, Headed: f.headed, Tried: driver.Tried(), Redact: driver.Redactor().Text, Learn: driver.Redactor().Learn, Observe: driver.Report, Tell: t.tell,
	})
	switch display, _ := c.env("DISPLAY"); {
	case err != nil && f.headed:
		return unable("%w (DISPLAY is %q); leave --headed out, or log in to a desktop (ssh -X, xvfb-run)", err, display)
	case err != nil:
		return unable("%w", err)
	}
	defer func() { _ = agent.Close() }()
	c.say("signing %s in to %s for the client %s, with %s", user.Name, s.about(), way.client.Name, agent.Product())
	session, err := agent.Session(ctx)
	if err != nil {
		return unable("%w", err)
	}
	began := time.Now()
	l, err := session.Visit(ctx, oauth.Visit{URL: way.request.FullURL(), RedirectURIs: s.target.RedirectURIs(), User: &user})
	if f.headed && c.in != nil && ctx.Err() == nil {
		c.say("press Enter to close the window")
		_, _ = fmt.Fscanln(c.in)
	}
	if ctx.Err() != nil {
		return outcome{code: interrupt}
	}
	return t.judge(s.target, way, l, err, time.Since(began), f.out)
}

func set(c console, name string) bool {
	value, ok := c.env(name)
	return ok && value != ""
}

// A teller tells of a sign-in while it goes on. What it says was written by servers: nothing of it acts on the
// terminal.
type teller struct {
	console
	hide  func(string) string
	lines int
}

func (t *teller) tell(d browser.Deed) {
	t.lines++
	step := ""
	if d.Step > 0 {
		step = fmt.Sprintf("step %d: ", d.Step)
	}
	if !t.quiet() {
		fmt.Fprintf(t.out, "%3d  %7s  %s  · %s\n", t.lines, short(d.Took), plainText(step+t.hide(d.What)), plainText(t.hide(d.Where)))
	}
}

// plainText is text of others on one line.
func plainText(s string) string {
	s = harmless(strings.Join(strings.Fields(s), " "))
	if runes := []rune(s); len(runes) > 400 {
		s = string(runes[:400]) + "…"
	}
	return s
}

// judge says what the sign-in came to, and ends the verb.
func (t *teller) judge(at target.Target, way entrance, l oauth.Landing, err error, took time.Duration, out string) error {
	bad, mend := cameTo(at, way, l, err)
	if bad == "" {
		if !t.quiet() {
			fmt.Fprintln(t.out, t.marked("✓", fmt.Sprintf("signed in: the client %s was sent %s, in %s", way.client.Name, brought(l), short(took))))
		}
		return nil
	}
	fmt.Fprintln(t.out, t.marked("✗", plainText(t.hide(bad))))
	if mend != "" {
		fmt.Fprintln(t.out, "  "+plainText(t.hide(mend)))
	}
	page := l.Page
	var f *browser.Failure
	if errors.As(err, &f) {
		t.had(f.Had)
	}
	if page != nil && len(page.Screenshot) > 0 && out != "" {
		path := filepath.Join(out, "login.png")
		if err := reports.WriteFile(path, func(w io.Writer) error { _, err := w.Write(page.Screenshot); return err }); err != nil {
			return unable("%w", err)
		}
		fmt.Fprintln(t.out, "  what the page looked like: "+path)
	}
	if unreached(l, err) {
		return outcome{code: unproven}
	}
	return outcome{code: fallsShort}
}

// unreached reports whether the server gave no answer at all, which is not the sign-in's failure.
func unreached(l oauth.Landing, err error) bool {
	if err == nil {
		return false
	}
	for _, x := range l.Trail {
		if x.Status != 0 {
			return false
		}
	}
	return true
}

// cameTo says what is wrong with the end of a sign-in, and what to do about it; nothing when the client got what
// it asked for.
func cameTo(at target.Target, way entrance, l oauth.Landing, err error) (bad, mend string) {
	asked := "code"
	if way.grant == target.Implicit {
		asked = "access_token"
	}
	lands := l.Kind == oauth.Redirected && oauth.Lands(l.URL, append(slices.Clone(way.client.RedirectURIs), way.client.ImplicitRedirectURIs...)...)
	switch {
	case err != nil:
		return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "browser: "), "oauth: "), failureMend(at, l, err)
	case lands && l.Params().Get(asked) != "":
		return "", ""
	case lands && l.Params().Has("error"):
		return fmt.Sprintf("the client was sent the error %q: %s", l.Params().Get("error"), l.Params().Get("error_description")),
			"look at what the registration of the client " + way.client.Name + " allows: grants, scopes, PKCE"
	case lands:
		return "the client was sent no " + asked + ", but " + brought(l), ""
	case l.Kind == oauth.Redirected:
		u, parsed := url.Parse(l.URL)
		if parsed != nil || u.Host == "" {
			return "the server sends people to a place that is no page, and no client's", ""
		}
		return "the server sends people to " + u.Host + ", which the target file does not name; nothing was sent there",
			fmt.Sprintf("if people sign in there, write sign_in_hosts: [%q] into the target file", u.Host)
	case l.Page != nil:
		return "the sign-in ends on a page of the server. " + l.Page.Unexpected(),
			"if it refuses the request, compare id and redirect_uris of the client " + way.client.Name + " with its registration; if it asks for something, write the steps under sign_in"
	}
	return "the sign-in ends on the " + string(l.Kind) + " page", ""
}

func failureMend(at target.Target, l oauth.Landing, err error) string {
	said := err.Error()
	switch {
	case strings.Contains(said, "nothing was typed"):
		return ""
	case strings.Contains(said, "refused"):
		return "it was not tried again, so that the account is not locked; check username and password of the user in the target file"
	case unreached(l, err):
		return "check url and endpoints.authorization in the target file, and that this machine reaches them"
	case len(at.SignIn) > 0:
		return "choose another selector for this step, from those below, mark it optional: true, or give a slow page more patience: 20s"
	}
	return "if the page asks for something that was not recognised, write the steps under sign_in, with selectors from those below"
}

// brought lists the parameters that the client was sent, without their values.
func brought(l oauth.Landing) string {
	var names []string
	for _, p := range l.Params() {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return "nothing"
	}
	return plainText(strings.Join(names, ", "))
}

// had lists what the page had to fill and to press.
func (t *teller) had(controls []browser.Control) {
	if len(controls) == 0 {
		return
	}
	fmt.Fprintln(t.out, "  the page had:")
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, c := range controls {
		cell := func(name, value string) string {
			if value == "" {
				return ""
			}
			return name + "=" + plainText(t.hide(value))
		}
		fmt.Fprintf(w, "    %s\t%s\t%s\t%s\t%s\n", plainText(t.hide(c.Selector)), plainText(c.Tag), cell("name", c.Name), cell("type", c.Type), plainText(t.hide(c.Text)))
	}
	_ = w.Flush()
}
