package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What all tools send; basic is the client's id and secret.
const (
	clientID, clientSecret = "bench", "bench-secret-0123456789abcdef"
	basic                  = "Basic YmVuY2g6YmVuY2gtc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="
	form                   = "application/x-www-form-urlencoded"
	body                   = "grant_type=client_credentials"
)

// A peer is a load generator that others use. Its arguments are those of a closed run.
type peer struct {
	name string
	bar  float64 // flowproof has to reach so many times its answers per CPU-second
	ok   []int   // exit codes that are no failure
	args func(url string, connections int, d time.Duration) []string
}

func (b *bench) peers() []peer {
	file := func(name string) string { return filepath.Join(b.folder, name) }
	seconds := func(d time.Duration) string { return strconv.Itoa(max(int(d.Seconds()), 1)) + "s" }
	return []peer{
		{"wrk", 0.8, nil, func(url string, n int, d time.Duration) []string {
			return []string{"-t2", "-c" + strconv.Itoa(n), "-d" + seconds(d), "-s", file("post.lua"), url}
		}},
		{"hey", 3, nil, func(url string, n int, d time.Duration) []string {
			return []string{"-z", d.String(), "-c", strconv.Itoa(n), "-m", "POST", "-T", form, "-d", body, "-H", "Authorization: " + basic, url}
		}},
		{"vegeta", 3, nil, func(_ string, n int, d time.Duration) []string {
			return []string{"attack", "-rate=0", "-max-workers=" + strconv.Itoa(n), "-connections=" + strconv.Itoa(n), "-duration=" + d.String(), "-targets=" + file("targets.txt"), "-output=/dev/null"}
		}},
		{"k6", 10, nil, func(_ string, n int, d time.Duration) []string {
			return []string{"run", "--quiet", "--no-usage-report", "--vus", strconv.Itoa(n), "--duration", d.String(), file("check.js")}
		}},
	}
}

// find is where a tool is, or nothing.
func (b *bench) find(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if path, err := exec.LookPath(filepath.Join(b.tools, name)); err == nil && b.tools != "" {
		return path
	}
	return ""
}

// prepare writes what flowproof and the peers need to know of the token server.
func (b *bench) prepare(url string) error {
	trust := ""
	if strings.HasPrefix(url, "https") {
		trust = "tls: {ca: " + caFile + "}\n"
	}
	for name, text := range map[string]string{
		"secret": clientSecret,
		"target.yaml": fmt.Sprintf("name: bench\nurl: %s\nprofile: rfc6749\nendpoints: {token: /oauth/token}\n%sclients:\n  bench: {id: %s, secret: file:secret, grants: [client_credentials]}\n",
			url, trust, clientID),
		"h2.yaml":  fmt.Sprintf("model: closed\nduration: %v\nconnections: %d\nprotocol: h2\nstreams: 1\nscenarios: [{flow: client_credentials}]\n", b.each, connections),
		"post.lua": fmt.Sprintf("wrk.method = \"POST\"\nwrk.body = %q\nwrk.headers[\"Content-Type\"] = %q\nwrk.headers[\"Authorization\"] = %q\n", body, form, basic),
		"body":     body,
		"targets.txt": fmt.Sprintf("POST %s/oauth/token\nContent-Type: %s\nAuthorization: %s\n@%s\n",
			url, form, basic, filepath.Join(b.folder, "body")),
		"check.js": strings.NewReplacer("URL", url+"/oauth/token", "BODY", body, "FORM", form, "BASIC", basic).Replace(`import http from 'k6/http';
import { check } from 'k6';
export const options = { insecureSkipTLSVerify: true };
export default function () {
  const r = http.post('URL', 'BODY', { headers: { 'Content-Type': 'FORM', Authorization: 'BASIC' } });
  check(r, { token: (r) => r.status === 200 && r.json().token_type === 'Bearer' && r.json().access_token.length > 0 });
}
`),
	} {
		if err := os.WriteFile(filepath.Join(b.folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
