package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flowproof/drivers/sandbox"
	"flowproof/reports"
	"flowproof/suites/catalogue"
)

type sandboxFlags struct {
	listen, out, secrets  string
	printTarget, anywhere bool
	options               sandbox.Options
}

func sandboxCommand(c console) *cobra.Command {
	var f sandboxFlags
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve a stand-in Space, with faults on demand",
		Long: `sandbox serves a stand-in Space on a loopback address until it is interrupted. Its secrets are
random, unless a folder has others; they are written beside its target file, readable by you only. Use the target
file from another terminal:

  flowproof check -t flowproof-sandbox/target.yaml`,
		Example: `  flowproof sandbox
  flowproof sandbox --listen 127.0.0.1:8080 --fault code-reusable
  flowproof sandbox --print-target`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), c, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:0", "the `address` to listen on; port 0 chooses a free one")
	flags.BoolVar(&f.anywhere, "anywhere", false, "allow an address that is not loopback: others can then reach this server of test accounts")
	flags.StringVar(&f.out, "out", "flowproof-sandbox", "the `folder` for target.yaml and the secrets")
	flags.StringVar(&f.secrets, "secrets", "", "a `folder` of secrets to have instead of random ones: a file for a client or user, with its name")
	flags.BoolVar(&f.printTarget, "print-target", false, "print the target file to stdout as well")
	flags.StringVar(&f.options.Posture, "profile", "", "the `profile` that it conforms to: "+strings.Join(profiles(), ", "))
	flags.StringVar(&f.options.Edition, "edition", "", "the `edition` of Space: "+strings.Join(catalogue.Editions(), ", "))
	flags.StringVar(&f.options.Tokens, "tokens", "", "rs512 (signed, as Space's) or opaque (much faster)")
	flags.BoolVar(&f.options.Extras, "extras", false, "offer revocation, introspection and metadata, which Space does not document")
	flags.BoolVar(&f.options.Rotation, "rotation", false, "rotate refresh tokens")
	flags.BoolVar(&f.options.Guest, "guest", false, "allow a guest account")
	flags.DurationVar(&f.options.AccessTokenLifetime, "token-lifetime", 0, "how long access tokens live (600s)")
	flags.DurationVar(&f.options.CodeLifetime, "code-lifetime", 0, "how long codes live (60s)")
	flags.DurationVar(&f.options.Load.Latency, "latency", 0, "how far away it seems: what every answer takes longer")
	flags.DurationVar(&f.options.Load.Delay, "delay", 0, "how long each token answer takes")
	flags.DurationVar(&f.options.Load.StallEvery, "stall-every", 0, "how often the token endpoint stalls")
	flags.DurationVar(&f.options.Load.StallFor, "stall-for", 0, "how long it stalls then")
	flags.Float64Var(&f.options.Load.ErrorRate, "error-rate", 0, "the share of token requests that are answered with 503, 0 to 1")
	flags.StringSliceVar(&f.options.Faults, "fault", nil, "a `fault` to switch on (see: flowproof list faults); may be repeated")
	return cmd
}

func serve(ctx context.Context, c console, f sandboxFlags) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return misused("--listen %s: %w; give HOST:PORT, such as 127.0.0.1:8080", f.listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		if !f.anywhere {
			return misused("--listen %s: this is not a loopback address; the sandbox is a server of test accounts, so give --anywhere if others may reach it", f.listen)
		}
		c.warn("warning: others can reach this server of test accounts on %s", f.listen)
	}
	if f.options.Secrets, err = givenSecrets(f.secrets); err != nil {
		return misused("--secrets: %w", err)
	}
	sb, err := sandbox.New(f.options)
	if err != nil {
		return misused("%w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return misused("--listen %s: %w", f.listen, err)
	}
	url := "http://" + listener.Addr().String()
	path, file, err := writeTarget(sb, url, f.out)
	if err != nil {
		_ = listener.Close()
		return unable("%w", err)
	}
	if f.printTarget {
		fmt.Fprintf(c.out, "%s", file)
	}
	c.say("sandbox on %s, target file %s; interrupt to end", url, path)
	for _, id := range f.options.Faults {
		c.say("with the fault %s", id)
	}
	server := &http.Server{Handler: sb, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(sandbox.FastLane(listener, func() *sandbox.Sandbox { return sb })) }()
	select {
	case err := <-ended:
		return unable("serve: %w", err)
	case <-ctx.Done():
		_ = server.Close()
		return nil
	}
}

// givenSecrets are those of a folder, by the names of its files.
func givenSecrets(folder string) (map[string]string, error) {
	if folder == "" {
		return nil, nil
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, file := range files {
		text, err := readFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return nil, err
		}
		if out[file.Name()] = strings.TrimRight(string(text), "\r\n"); out[file.Name()] == "" {
			return nil, fmt.Errorf("%s is empty; write the secret into it, or take it away for a random one", filepath.Join(folder, file.Name()))
		}
	}
	return out, nil
}

// writeTarget writes the target file and, each in a file of its own, the secrets that it refers to.
func writeTarget(sb *sandbox.Sandbox, url, folder string) (string, []byte, error) {
	secrets := filepath.Join(folder, "secrets")
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the folder of the secrets: %w", err)
	}
	for name, secret := range sb.Secrets() {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(secret), 0o600); err != nil {
			return "", nil, fmt.Errorf("write a secret: %w", err)
		}
	}
	file := sb.TargetFile(url, func(name string) string { return "file:secrets/" + name })
	path := filepath.Join(folder, "target.yaml")
	return path, file, reports.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	})
}
