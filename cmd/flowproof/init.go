package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

type initFlags struct {
	issuer, name, url, profile, ca, out string
	authorization, token, jwks          string
	revocation, introspection           string
	grants                              []string
}

func initCommand(c console) *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a target file, filled from the server's metadata",
		Long: `init writes an annotated target file. With --from-issuer it reads the server's metadata (RFC 8414) or its OpenID
discovery document; else it takes the endpoints from flags, or asks for them on a terminal. What only you know, as
what was registered, is marked FILL IN. Secrets are never written: the file refers to variables of the environment.`,
		Example: `  flowproof init --from-issuer https://login.acme.test/realms/acme --out acme.yaml
  flowproof init --url https://acme.test --authorization /oauth/authorize --token /oauth/token > acme.yaml
  flowproof init --profile space --url https://acme.jetbrains.space --out acme.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return initialize(cmd.Context(), c, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.issuer, "from-issuer", "", "the issuer's `URL`, whose metadata is read; the URL of the document itself will do, too")
	flags.StringVar(&f.name, "name", "", "the target's `name` in reports; without one it comes from the host")
	flags.StringVar(&f.url, "url", "", "the service `URL`, where there is no metadata")
	flags.StringVar(&f.authorization, "authorization", "", "the authorization endpoint's `path` or URL")
	flags.StringVar(&f.token, "token", "", "the token endpoint's `path` or URL")
	flags.StringVar(&f.jwks, "jwks", "", "the key set's `path` or URL")
	flags.StringVar(&f.revocation, "revocation", "", "the revocation endpoint's `path` or URL")
	flags.StringVar(&f.introspection, "introspection", "", "the introspection endpoint's `path` or URL")
	flags.StringSliceVar(&f.grants, "grant", nil, "the `grants` that are registered, with commas, instead of what the metadata says")
	flags.StringVar(&f.profile, "profile", "", "the `profile` to judge by: "+strings.Join(profiles(), ", "))
	flags.StringVar(&f.ca, "ca", "", "a PEM `file` of trust roots beside the system's")
	flags.StringVar(&f.out, "out", "", "the `file` to write, which must not be there yet; without one the target file goes to stdout")
	return cmd
}

func initialize(ctx context.Context, c console, f initFlags) error {
	if f.profile != "" && !known(f.profile) {
		return misused("there is no profile %q; choose one of %s", f.profile, strings.Join(profiles(), ", "))
	}
	for _, g := range f.grants {
		if !slices.Contains(target.Grants(), target.Grant(g)) {
			return misused("--grant %s: choose among client_credentials, implicit, authorization_code, password and refresh_token", g)
		}
	}
	if f.issuer != "" && f.url != "" {
		return misused("--from-issuer finds the service's URL itself; leave out --url, or leave out --from-issuer")
	}
	if f.out != "" {
		if _, err := os.Lstat(f.out); err == nil {
			return misused("--out %s: this file is there already, and is not overwritten; name another", f.out)
		}
	}
	d, err := describe(ctx, c, f)
	if err != nil {
		return err
	}
	d.apply(f)
	text := d.file()
	if _, err := target.Parse("the target file", []byte(text), target.Lookup{
		Env:  func(string) (string, bool) { return "a-secret-to-come", true },
		File: os.ReadFile,
	}); err != nil {
		return misused("what was given makes no target file:\n%w", err)
	}
	if f.out == "" {
		fmt.Fprint(c.out, text)
		return nil
	}
	file, err := os.OpenFile(f.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it holds no secrets, and is for the repository
	if errors.Is(err, fs.ErrExist) {
		return misused("--out %s: this file is there already, and is not overwritten; name another", f.out)
	}
	if err != nil {
		return misused("--out: %w", err)
	}
	_, err = io.WriteString(file, text)
	if err := errors.Join(err, file.Close()); err != nil {
		return unable("write %s: %w", f.out, err)
	}
	c.say("%s is written. Now: register what it describes, write what is marked FILL IN, set %s; then: flowproof doctor -t %s", f.out, strings.Join(d.variables(), ", "), f.out)
	return nil
}

// describe finds out about the server by its metadata, by the flags, or by asking.
func describe(ctx context.Context, c console, f initFlags) (*description, error) {
	if f.issuer != "" {
		d, err := discover(ctx, f.issuer, f.ca)
		if err != nil {
			return nil, unable("%w; without metadata give the endpoints: flowproof init --url … --authorization … --token …", err)
		}
		for _, n := range d.notes {
			c.warn("note: %s", n)
		}
		return d, nil
	}
	if f.url != "" {
		if f.token == "" && f.profile != "space" {
			return nil, misused("--url: give --token, too, and --authorization where people sign in; only profile space has paths of its own")
		}
		return &description{url: strings.TrimRight(f.url, "/"), issuer: f.url}, nil
	}
	if c.in == nil {
		return nil, misused("give --from-issuer URL to read the server's metadata, or --url, --authorization and --token; on a terminal init asks for them")
	}
	return ask(ctx, c, f)
}

// ask asks the few questions on a terminal, and takes the metadata after the first if there is any.
func ask(ctx context.Context, c console, f initFlags) (*description, error) {
	lines := bufio.NewScanner(c.in)
	question := func(text, usual string) string {
		if usual != "" {
			text += " [" + usual + "]"
		}
		fmt.Fprintf(c.err, "%s: ", text)
		if !lines.Scan() || strings.TrimSpace(lines.Text()) == "" {
			return usual
		}
		return strings.TrimSpace(lines.Text())
	}
	where := question("The address of the server, or its issuer (https://…)", "")
	if where == "" {
		return nil, misused("without the server's address there is nothing to write")
	}
	if u, err := url.Parse(where); err != nil || u.Scheme == "" || u.Host == "" {
		return nil, misused("%q is no address; give one as in https://acme.test", where)
	}
	d, err := discover(ctx, where, f.ca)
	if err == nil {
		c.say("its metadata was read from %s", d.metadata)
		return d, nil
	}
	c.say("there is no metadata to read (%v)", err)
	d = &description{url: strings.TrimRight(where, "/"), issuer: where}
	d.token = question("The token endpoint's path or URL", "/oauth/token")
	d.authorization = question("The authorization endpoint's path or URL, or - for none", "/oauth/authorize")
	if d.authorization == "-" {
		d.authorization = ""
	}
	usual := "client_credentials,authorization_code,refresh_token"
	if d.authorization == "" {
		usual = "client_credentials"
	}
	for g := range strings.FieldsFuncSeq(question("The grants to test, with commas", usual), func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(target.Grants(), target.Grant(g)) {
			return nil, misused("there is no grant %q; choose among client_credentials, implicit, authorization_code, password and refresh_token", g)
		}
		d.grants = append(d.grants, target.Grant(g))
	}
	return d, nil
}

// apply has the flags override what was found.
func (d *description) apply(f initFlags) {
	for _, one := range []struct {
		at    *string
		given string
	}{
		{&d.authorization, f.authorization}, {&d.token, f.token}, {&d.jwks, f.jwks}, {&d.revocation, f.revocation},
		{&d.introspection, f.introspection}, {&d.name, f.name}, {&d.profile, f.profile}, {&d.ca, f.ca},
	} {
		if one.given != "" {
			*one.at = one.given
		}
	}
	if len(f.grants) > 0 {
		d.grants = nil
		for _, g := range f.grants {
			d.grants = append(d.grants, target.Grant(g))
		}
	}
	d.complete()
}

// metadataDriver is a driver for nothing but the metadata.
func metadataDriver(base, ca string) (*oauth.Driver, error) {
	t := target.Target{URL: base}
	if ca != "" {
		raw, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("read the trust roots: %w", err)
		}
		t.CA = string(raw)
	}
	return oauth.New(t, oauth.Options{UserAgent: "flowproof/" + version()})
}
