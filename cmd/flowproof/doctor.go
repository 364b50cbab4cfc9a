package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"flowproof/drivers/oauth"
	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
)

type doctorFlags struct {
	target, browser string
	json, noSignIn  bool
	noBrowser       bool
}

func doctorCommand(c console) *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out before a run what would be in its way",
		Long: `doctor goes through a target file one line at a time: the file itself, names, connections, TLS, the clock, the
endpoints, each client's credentials, the redirect URIs, the sign-in and the browser. What is wrong is told with its
mend. It sends a few dozen ordinary requests, signs one user in, tries no password twice, and never loads.

It exits with 0 when nothing is in the way, with 1 when something of the deployment or its description has to be mended,
with 2 when the target file cannot be read, with 3 when the deployment or the browser cannot be reached.`,
		Example: `  flowproof doctor -t space.yaml
  flowproof doctor -t space.yaml --no-sign-in
  flowproof doctor -t space.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return doctor(cmd.Context(), c, f) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.target, "target", "t", "", "the target `file`; without one the sandbox is examined")
	flags.StringVar(&f.browser, "browser", "", "the browser's `path`; without one it is looked for")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "sign in through plain HTML forms, and start no browser")
	flags.BoolVar(&f.noSignIn, "no-sign-in", false, "sign nobody in")
	flags.BoolVar(&f.json, "json", false, "write the result to stdout as JSON")
	return cmd
}

// A condition is what came of one thing that was looked at.
type condition string

const (
	well    condition = "well"    // as it should be
	ill     condition = "ill"     // has to be mended
	away    condition = "away"    // was not reached
	skipped condition = "skipped" // was not looked at, or does not matter
)

// A diagnosis is one line of the doctor's.
type diagnosis struct {
	Of   string    `json:"of"`
	Is   condition `json:"is"`
	Said string    `json:"said"`
	Mend string    `json:"mend,omitempty"`
}

// A visitation is one round of the doctor.
type visitation struct {
	console
	flags  doctorFlags
	target target.Target
	driver *oauth.Driver
	lost   map[string]bool // hosts that are not reached
	found  []diagnosis
}

func doctor(ctx context.Context, c console, f doctorFlags) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if f.noBrowser && f.browser != "" {
		return misused("--browser and --no-browser contradict each other; give one of them")
	}
	s, err := choose(ctx, c, f.target, sandbox.Options{})
	if err != nil {
		return err // with every mistake, its line and its mend
	}
	defer s.close()
	driver, err := oauth.New(s.target, oauth.Options{UserAgent: "flowproof/" + version()})
	if err != nil {
		return misused("%w", err)
	}
	defer driver.Close()
	v := &visitation{console: c, flags: f, target: s.target, driver: driver, lost: map[string]bool{}}
	c.say("examining %s", s.about())
	for _, look := range []func(context.Context){v.file, v.network, v.endpoints, v.clients, v.redirects, v.signIn} {
		if look(ctx); ctx.Err() != nil {
			return outcome{code: interrupt}
		}
	}
	return v.discharge()
}

// tell files a diagnosis and shows it. What it says may come from the server.
func (v *visitation) tell(d diagnosis) {
	hide := v.driver.Redactor().Text
	d.Said, d.Mend = plainText(hide(d.Said)), plainText(hide(d.Mend))
	v.found = append(v.found, d)
	if v.flags.json || v.quiet() && (d.Is == well || d.Is == skipped) {
		return
	}
	mark := map[condition]string{well: "✓", ill: "✗", away: "✗", skipped: "–"}[d.Is]
	line := d.Of + ": " + d.Said
	if d.Mend != "" {
		line += "; " + d.Mend
	}
	fmt.Fprintln(v.out, v.marked(mark, line))
}

func (v *visitation) well(of, format string, args ...any) {
	v.tell(diagnosis{Of: of, Is: well, Said: fmt.Sprintf(format, args...)})
}

func (v *visitation) ill(of, mend, format string, args ...any) {
	v.tell(diagnosis{Of: of, Is: ill, Mend: mend, Said: fmt.Sprintf(format, args...)})
}

func (v *visitation) away(of, mend, format string, args ...any) {
	v.tell(diagnosis{Of: of, Is: away, Mend: mend, Said: fmt.Sprintf(format, args...)})
}

func (v *visitation) skip(of, format string, args ...any) {
	v.tell(diagnosis{Of: of, Is: skipped, Said: fmt.Sprintf(format, args...)})
}

// discharge counts, and ends the verb.
func (v *visitation) discharge() error {
	code, counts := conforms, map[condition]int{}
	for _, d := range v.found {
		counts[d.Is]++
	}
	switch {
	case counts[away] > 0:
		code = unproven
	case counts[ill] > 0:
		code = fallsShort
	}
	if v.flags.json {
		text, err := json.MarshalIndent(struct {
			Schema    string      `json:"schema"`
			Tool      string      `json:"tool"`
			Target    string      `json:"target"`
			URL       string      `json:"url"`
			Diagnoses []diagnosis `json:"diagnoses"`
			ExitCode  int         `json:"exit_code"`
		}{"flowproof/doctor/v1", version(), v.target.Name, v.target.URL, v.found, code}, "", "  ")
		if err != nil {
			return unable("write the result: %w", err)
		}
		fmt.Fprintf(v.out, "%s\n", text)
	} else if !v.quiet() {
		fmt.Fprintln(v.out)
		switch code {
		case conforms:
			fmt.Fprintln(v.out, v.marked("✓", "nothing is in the way; next: flowproof check"+v.named()))
		default:
			fmt.Fprintln(v.out, v.marked("✗", fmt.Sprintf("%d of %d to be mended", counts[ill]+counts[away], len(v.found))))
		}
	}
	if code == conforms {
		return nil
	}
	return outcome{code: code}
}

// named is the flag with the target file, for a command to type.
func (v *visitation) named() string {
	if v.flags.target == "" {
		return ""
	}
	return " -t " + v.flags.target
}

// placeholder stands in a target file that init wrote, where only its owner knows what to write.
const placeholder = "FILL-IN"

// unwritten says that an identifier is still to be filled in, so that nothing is asked with it.
func (v *visitation) unwritten(of, id string) bool {
	if !strings.Contains(id, placeholder) {
		return false
	}
	v.skip(of, "not tried: "+placeholder+" is still in the target file")
	return true
}

// file looks for what was read well and still cannot be meant.
func (v *visitation) file(context.Context) {
	t := v.target
	var open []string
	for _, c := range t.Clients {
		if strings.Contains(c.ID, placeholder) {
			open = append(open, "clients."+c.Name+".id")
		}
		for _, uri := range append(append([]string{}, c.RedirectURIs...), c.ImplicitRedirectURIs...) {
			if strings.Contains(uri, placeholder) {
				open = append(open, "clients."+c.Name+".redirect_uris")
			}
		}
	}
	for _, u := range t.Users {
		if strings.Contains(u.Username, placeholder) {
			open = append(open, "users."+u.Name+".username")
		}
	}
	if len(open) > 0 {
		v.ill("target file", "write what was registered on the server", "still %s: %s", placeholder, strings.Join(open, ", "))
		return
	}
	v.well("target file", "%s, profile %s, %d clients, %d users", t.Name, t.Profile, len(t.Clients), len(t.Users))
}

// reached reports whether the URL's host was; else it says that this is why the thing was not looked at.
func (v *visitation) reached(of, raw string) bool {
	if !v.lost[hostPort(raw)] {
		return true
	}
	v.skip(of, "not looked at, since %s is not reached", hostPort(raw))
	return false
}

func ago(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return d.Round(time.Minute).String()
}
