package target

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// file is a target file as it is written.
type file struct {
	Name        string                  `json:"name" jsonschema:"required" mend:"write name: and a word for reports"`
	URL         string                  `json:"url" jsonschema:"required" mend:"write url: https://…"`
	Profile     string                  `json:"profile" jsonschema:"required,enum=space,enum=rfc6749,enum=bcp-9700,enum=oauth-2.1"`
	Edition     string                  `json:"edition" jsonschema:"enum=space-2021,enum=space-2023,enum=space-2024"`
	Endpoints   map[string]string       `json:"endpoints" jsonschema:"enum=authorization,enum=token,enum=jwks,enum=consents,enum=revocation,enum=introspection,enum=metadata" strict:"empty"`
	Clients     map[string]clientFile   `json:"clients" jsonschema:"required,minItems=1" mend:"register an application on the server and describe it under clients:"`
	Users       map[string]userFile     `json:"users"`
	Scopes      scopesFile              `json:"scopes"`
	Resources   map[string]resourceFile `json:"resources" jsonschema:"enum=any,enum=user,enum=application,enum=scoped"`
	Refresh     refreshFile             `json:"refresh"`
	Guest       bool                    `json:"guest"`
	SignIn      signInFile              `json:"sign_in"`
	SignInHosts []string                `json:"sign_in_hosts"`
	TLS         tlsFile                 `json:"tls"`
	Timeout     time.Duration           `json:"timeout"`
}

type clientFile struct {
	ID                   string    `json:"id" jsonschema:"required" mend:"write the identifier that the server gave the application"`
	Secret               reference `json:"secret"`
	Public               bool      `json:"public"`
	Authentication       string    `json:"authentication" jsonschema:"enum=basic,enum=body"`
	Grants               []Grant   `json:"grants" jsonschema:"required,minItems=1,enum=client_credentials,enum=implicit,enum=authorization_code,enum=password,enum=refresh_token"`
	RedirectURIs         []string  `json:"redirect_uris" strict:"empty"`
	ImplicitRedirectURIs []string  `json:"implicit_redirect_uris" strict:"empty"`
	Scopes               []string  `json:"scopes" strict:"empty"`
	PKCE                 string    `json:"pkce" jsonschema:"enum=optional,enum=required,enum=none"`
	SecretIssued         bool      `json:"secret_issued"`
	Sacrificial          bool      `json:"sacrificial"`
}

type userFile struct {
	Username    string    `json:"username" jsonschema:"required" mend:"write the name that the account signs in with"`
	Password    reference `json:"password" jsonschema:"required" mend:"write password: env:NAME or file:PATH"`
	TOTP        reference `json:"totp"`
	Subject     string    `json:"subject"`
	Sacrificial bool      `json:"sacrificial"`
}

type scopesFile struct {
	Default   *string  `json:"default" strict:"empty"`
	Narrow    string   `json:"narrow"`
	Pair      []string `json:"pair" strict:"empty"`
	Third     string   `json:"third"`
	Forbidden string   `json:"forbidden"`
}

type resourceFile struct {
	Get     string `json:"get" jsonschema:"required" mend:"write get: with its path or URL, or leave the resource out"`
	Scope   string `json:"scope"`
	Subject string `json:"subject"`
}

type refreshFile struct {
	Parameters map[string]string `json:"parameters" strict:"empty"`
	Scope      string            `json:"scope" strict:"empty"`
	Rotation   bool              `json:"rotation"`
	Grace      time.Duration     `json:"grace"`
}

type tlsFile struct {
	CA    string `json:"ca"`
	Plain string `json:"plain"`
}

// signInFile is a recipe. Auto, the default, is an empty one.
type signInFile []stepFile

func (s *signInFile) UnmarshalText(text []byte) error {
	if string(text) != "auto" {
		return fmt.Errorf("unknown %q; write auto, or a list of steps", text)
	}
	return nil
}

// stepFile has one of the acts.
type stepFile struct {
	Fill     *fillFile   `json:"fill"`
	Click    *actFile    `json:"click"`
	Wait     *actFile    `json:"wait"`
	Expect   *expectFile `json:"expect"`
	TOTP     *actFile    `json:"totp"`
	Optional bool        `json:"optional"`
}

type actFile struct {
	Selector string        `json:"selector" jsonschema:"required" mend:"write selector: with a CSS selector"`
	Optional bool          `json:"optional"`
	Patience time.Duration `json:"patience"`
}

type fillFile struct {
	Selector string        `json:"selector" jsonschema:"required" mend:"write selector: with a CSS selector"`
	Value    string        `json:"value" jsonschema:"required,enum=username,enum=password"`
	Optional bool          `json:"optional"`
	Patience time.Duration `json:"patience"`
}

type expectFile struct {
	Selector string        `json:"selector" jsonschema:"required" mend:"write selector: with a CSS selector"`
	Text     string        `json:"text" jsonschema:"required" mend:"write text: with what the page shows"`
	Optional bool          `json:"optional"`
	Patience time.Duration `json:"patience"`
}

// A reference says where a secret is. What is no reference is never repeated: it may be the secret itself.
type reference string

func (r *reference) UnmarshalText(text []byte) error {
	where, name, _ := strings.Cut(string(text), ":")
	if where != "env" && where != "file" || name == "" {
		return errors.New("a secret must not stand in the file; write env:NAME or file:PATH")
	}
	*r = reference(text)
	return nil
}
