package mangle_test

import (
	"net/http"
	"os"
	"testing"

	"flowproof/drivers/sandbox"
	"flowproof/drivers/target"
	"flowproof/peers/mangle"
)

var flags = mangle.DeclareFlags() //nolint:gochecknoglobals // flags are declared before tests run

func TestMutantsOfTheSandboxAreCaught(t *testing.T) {
	key, err := sandbox.QuickKey()
	if err != nil {
		t.Fatal(err)
	}
	mangle.Test(t, flags, func(base string) (http.Handler, target.Target, error) {
		s, err := sandbox.New(sandbox.Options{Extras: true, Rotation: true, Key: key})
		if err != nil {
			return nil, target.Target{}, err
		}
		secrets := s.Secrets()
		described, err := target.Parse("the sandbox's target file", s.TargetFile(base, func(name string) string { return "env:" + name }), target.Lookup{
			Env:  func(name string) (string, bool) { v, ok := secrets[name]; return v, ok },
			File: os.ReadFile,
		})
		return s, described, err
	}, "survivors.yaml")
}
