package main

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

// manifests place agents and their bus on machines.
//
//go:embed placement
var manifests embed.FS

// A placement is what manifests say of the agents.
type placement struct {
	Count int
	CPUs  int      // of each agent
	Image string   // that holds flowproof
	Hosts []string // that may be loaded
}

// natsImage is the bus in a container, of the version that flowproof is built with.
const natsImage = "nats:2.15.2"

// placements are the kinds of manifests, and the files that they are made from.
func placements() map[string]string {
	return map[string]string{"kubernetes": "kubernetes.yaml", "systemd": "systemd.service", "compose": "compose.yaml"}
}

// manifest is the ready manifest of a kind.
func (p placement) manifest(kind string) (string, error) {
	file, has := placements()[kind]
	switch {
	case !has:
		return "", misused("--print %s: there are compose, kubernetes and systemd", kind)
	case p.Count < 1 || p.CPUs < 1:
		return "", misused("--count %d --cpus %d: there is at least one agent, and it has at least one core", p.Count, p.CPUs)
	case slices.ContainsFunc(append(p.Hosts, p.Image), func(s string) bool { return strings.ContainsAny(s, " \t\r\n\"'\\%$#{}`") }):
		return "", misused("--image %s --i-may-load %s: a name of an image or a host has no spaces, quotes or signs", p.Image, strings.Join(p.Hosts, ","))
	case len(p.Hosts) == 0:
		return "", misused("an agent loads only what it may: say --i-may-load HOST")
	}
	nats, err := manifests.ReadFile("placement/nats.conf")
	if err != nil {
		return "", fmt.Errorf("read a manifest: %w", err)
	}
	t, err := template.New(file).Funcs(template.FuncMap{
		"indent":  func(by int, text string) string { return indented(text, strings.Repeat(" ", by)) },
		"dollars": func(text string) string { return strings.ReplaceAll(text, "$", "$$") }, // compose would fill them in
	}).ParseFS(manifests, "placement/"+file)
	if err != nil {
		return "", fmt.Errorf("read a manifest: %w", err)
	}
	var out strings.Builder
	err = t.Execute(&out, struct {
		placement
		Host, NATS, NATSImage string
	}{p, strings.Join(p.Hosts, " --i-may-load "), string(nats), natsImage})
	if err != nil {
		return "", fmt.Errorf("write a manifest: %w", err)
	}
	return out.String(), nil
}

// indented puts something before every line.
func indented(text, by string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	return by + strings.Join(lines, by) + "\n"
}
