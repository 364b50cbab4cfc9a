package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestManifests holds what is printed to testdata/placement, where other tests hold it to the schemas.
func TestManifests(t *testing.T) {
	p := placement{Count: 3, CPUs: 2, Image: "registry.example/flowproof:1.0", Hosts: []string{"acme.example", "node-2.acme.example"}}
	for kind, file := range placements() {
		got, err := p.manifest(kind)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("../../testdata/placement", file)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is no longer what is printed; if that is meant: go test ./cmd/flowproof -run TestManifests -update", path)
		}
	}
	for _, wrong := range []placement{
		{Count: 0, CPUs: 1, Image: "x", Hosts: []string{"y"}}, {Count: 1, CPUs: 0, Image: "x", Hosts: []string{"y"}},
		{Count: 1, CPUs: 1, Image: "x", Hosts: nil}, {Count: 1, CPUs: 1, Image: "x", Hosts: []string{"y\nz: w"}}, {Count: 1, CPUs: 1, Image: `x", "y`, Hosts: []string{"y"}},
	} {
		if got, err := wrong.manifest("kubernetes"); err == nil {
			t.Errorf("%+v makes %s", wrong, got)
		}
	}
	if _, err := p.manifest("nomad"); err == nil {
		t.Error("a manifest of an unknown kind")
	}
}

// TestManifestsRunTheBusThatWasTested: the image is that of the server which the tests run with.
func TestManifestsRunTheBusThatWasTested(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(natsImage, ":")
	if !strings.Contains(string(text), "github.com/nats-io/nats-server/v2 v"+version+"\n") {
		t.Errorf("%s is not the server in go.mod", natsImage)
	}
}
