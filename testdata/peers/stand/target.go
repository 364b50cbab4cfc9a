package stand

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// A Target is the target file that a peer writes for itself.
type Target struct {
	Name      string              `yaml:"name"`
	URL       string              `yaml:"url"`
	Profile   string              `yaml:"profile"`
	Endpoints Endpoints           `yaml:"endpoints"`
	Clients   yaml.MapSlice       `yaml:"clients"`
	Users     yaml.MapSlice       `yaml:"users"`
	Scopes    Scopes              `yaml:"scopes"`
	Resources map[string]Resource `yaml:"resources"`
	Refresh   Refresh             `yaml:"refresh"`
	SignIn    string              `yaml:"sign_in"`
}

// Endpoints are paths below the target's URL; an empty one is not offered.
type Endpoints struct {
	Authorization string `yaml:"authorization"`
	Token         string `yaml:"token"`
	Revocation    string `yaml:"revocation,omitempty"`
	Introspection string `yaml:"introspection,omitempty"`
	Metadata      string `yaml:"metadata,omitempty"`
	JWKS          string `yaml:"jwks,omitempty"`
}

// Scopes are the scope values that requests are made with.
type Scopes struct {
	Default   string   `yaml:"default"`
	Narrow    string   `yaml:"narrow"`
	Pair      []string `yaml:"pair,flow"`
	Third     string   `yaml:"third"`
	Forbidden string   `yaml:"forbidden"`
}

// A Resource is a URL that needs a token.
type Resource struct {
	Get     string `yaml:"get"`
	Scope   string `yaml:"scope,omitempty"`
	Subject string `yaml:"subject,omitempty"`
}

// Refresh says how refresh tokens are asked for, and whether they rotate.
type Refresh struct {
	Parameters map[string]string `yaml:"parameters"`
	Scope      string            `yaml:"scope"`
	Rotation   bool              `yaml:"rotation"`
	Grace      string            `yaml:"grace"`
}

type clientEntry struct {
	ID                   string   `yaml:"id"`
	Secret               string   `yaml:"secret,omitempty"`
	Public               bool     `yaml:"public,omitempty"`
	Grants               []string `yaml:"grants,flow"`
	RedirectURIs         []string `yaml:"redirect_uris,omitempty"`
	ImplicitRedirectURIs []string `yaml:"implicit_redirect_uris,omitempty"`
	Scopes               []string `yaml:"scopes,flow"`
	PKCE                 string   `yaml:"pkce,omitempty"`
}

type userEntry struct {
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	Subject  string `yaml:"subject"`
}

// NewTarget describes a peer of that name; the scopes and resources are those of the stand.
func NewTarget(name, base string) Target {
	return Target{
		Name: name, URL: base, Profile: "rfc6749", SignIn: "auto",
		Scopes: Scopes{
			Default: Photos + " " + Profile, Narrow: Profile, Pair: []string{Photos, Profile},
			Third: Notes, Forbidden: Forbidden,
		},
		Resources: map[string]Resource{
			"any":    {Get: AnyPath},
			"user":   {Get: UserPath, Subject: "sub"},
			"scoped": {Get: ScopedPath, Scope: Photos},
		},
		Refresh: Refresh{Parameters: map[string]string{}, Grace: "0s"},
	}
}

// Write puts the target file and beside it one file for each secret into folder, readable by the owner only.
// It returns the path of the target file.
func Write(folder string, t Target, r Registration) (string, error) {
	secrets := filepath.Join(folder, "secrets")
	if err := os.MkdirAll(secrets, 0o700); err != nil {
		return "", fmt.Errorf("stand: making the target's folder: %w", err)
	}
	keep := func(name, value string) (reference string, err error) {
		if value == "" {
			return "", nil
		}
		return "file:secrets/" + name, os.WriteFile(filepath.Join(secrets, name), []byte(value), 0o600)
	}

	for _, c := range r.Clients {
		secret, err := keep("client-"+c.Name, c.Secret)
		if err != nil {
			return "", fmt.Errorf("stand: keeping a client's secret: %w", err)
		}
		t.Clients = append(t.Clients, yaml.MapItem{Key: c.Name, Value: clientEntry{
			ID: c.ID, Secret: secret, Public: c.Public, Grants: c.Grants, RedirectURIs: c.RedirectURIs,
			ImplicitRedirectURIs: c.ImplicitRedirectURIs, Scopes: c.Scopes, PKCE: c.PKCE,
		}})
	}
	for _, u := range r.Users {
		password, err := keep("user-"+u.Name, u.Password)
		if err != nil {
			return "", fmt.Errorf("stand: keeping a user's password: %w", err)
		}
		t.Users = append(t.Users, yaml.MapItem{Key: u.Name, Value: userEntry{u.Name, password, u.Subject}})
	}

	text, err := yaml.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("stand: writing the target as YAML: %w", err)
	}
	path := filepath.Join(folder, "target.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return "", fmt.Errorf("stand: writing the target file: %w", err)
	}
	return path, nil
}
