// Command hydra is the application that Ory Hydra leaves to its users: where people sign in and consent, at an address
// of its own. Before it serves, it registers the clients of clients.json.
package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
)

//go:embed clients.json
var files embed.FS

const patience = time.Minute // with Hydra's start

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	at, err := url.Parse(os.Getenv("DOOR"))
	if err != nil {
		return fmt.Errorf("hydra: DOOR is no address: %w", err)
	}
	h := admin{base: os.Getenv("ADMIN") + "/admin", client: http.Client{Timeout: 20 * time.Second}}
	if err := h.register(ctx); err != nil {
		return err
	}
	d := door{hydra: h, passwords: map[string]string{
		"alice": os.Getenv("HYDRA_ALICE_PASSWORD"), "bob": os.Getenv("HYDRA_BOB_PASSWORD"), "zoe": os.Getenv("HYDRA_ZOE_ODD_PASSWORD"),
	}}
	server := &http.Server{Addr: at.Host, Handler: d.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("hydra: serving: %w", err)
	}
	return nil
}

// An admin speaks to Hydra's administrative port, which nobody else may reach.
type admin struct {
	base   string
	client http.Client
}

// register waits for Hydra, and registers every client with the secret that its variable holds.
func (a admin) register(ctx context.Context) error {
	text, err := files.ReadFile("clients.json")
	if err != nil {
		return fmt.Errorf("hydra: reading the clients: %w", err)
	}
	var clients []map[string]any
	if err := json.Unmarshal(text, &clients); err != nil {
		return fmt.Errorf("hydra: reading the clients: %w", err)
	}
	if err := a.await(ctx); err != nil {
		return err
	}
	for _, c := range clients {
		if secret, ok := c["client_secret"].(string); ok {
			c["client_secret"] = os.ExpandEnv(secret)
		}
		if err := a.call(ctx, http.MethodPost, "/clients", c, &map[string]any{}); err != nil {
			return fmt.Errorf("hydra: registering %v: %w", c["client_id"], err)
		}
	}
	return nil
}

func (a admin) await(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var list []any
		err := a.call(ctx, http.MethodGet, "/clients", nil, &list)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("hydra: waiting for the administrative port: %w", err)
		}
	}
}

// A goneError is Hydra's answer to a challenge that was answered before; it says where to begin anew.
type goneError struct{ to string }

func (goneError) Error() string { return "the challenge was answered before" }

func (a admin) call(ctx context.Context, method, path string, send, got any) error {
	var body io.Reader
	if send != nil {
		text, err := json.Marshal(send)
		if err != nil {
			return fmt.Errorf("hydra: writing a request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return fmt.Errorf("hydra: making a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("hydra: asking the administrative port: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("hydra: reading the administrative port's answer: %w", err)
	}
	if res.StatusCode == http.StatusGone {
		var answer redirection
		_ = json.Unmarshal(text, &answer)
		return goneError{answer.RedirectTo}
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("hydra: %s %s: %s", method, req.URL.Path, res.Status)
	}
	if err := json.Unmarshal(text, got); err != nil {
		return fmt.Errorf("hydra: reading the administrative port's answer: %w", err)
	}
	return nil
}
