package target

import (
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"path/filepath"
	"strings"
)

// secret follows a reference; there may be none.
func (r *reader) secret(path string, ref reference) Secret {
	var value, why string
	where, name, _ := strings.Cut(string(ref), ":")
	switch where {
	case "":
		return Secret{}
	case "env":
		value, why = r.variable(name)
	case "file":
		var raw []byte
		raw, why = r.readFile(name)
		value = strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
		if why == "" && value == "" {
			why = "file " + name + " is empty"
		}
	}
	if why != "" {
		r.AtValue(path, "set it before the run, or refer to another", "%s: %s", path, why)
	}
	return NewSecret(value)
}

// seed is a secret that has to be base32, as authenticator applications show it.
func (r *reader) seed(path string, ref reference) Secret {
	s := r.secret(path, ref)
	plain := strings.ToUpper(strings.TrimRight(strings.ReplaceAll(s.Reveal(), " ", ""), "="))
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(plain); err != nil {
		r.AtValue(path, "take the text behind the QR code, letters A to Z and digits 2 to 7", "%s is no base32 seed", path)
		return Secret{}
	}
	return NewSecret(plain)
}

func (r *reader) variable(name string) (value, why string) {
	if r.lookup.Env == nil {
		return "", "environment variables cannot be read here"
	}
	value, ok := r.lookup.Env(name)
	switch {
	case !ok:
		return "", "environment variable " + name + " is not set"
	case value == "":
		return "", "environment variable " + name + " is empty"
	}
	return value, ""
}

func (r *reader) trust(path string) string {
	if path == "" {
		return ""
	}
	raw, why := r.readFile(path)
	if why != "" {
		r.AtValue("tls.ca", "", "tls.ca: %s", why)
		return ""
	}
	if !certificates(raw) {
		r.AtValue("tls.ca", "export the certificate as PEM, between BEGIN CERTIFICATE and END CERTIFICATE", "tls.ca: %s holds no certificate", path)
		return ""
	}
	return string(raw)
}

// plainHTTP is the origin at which the deployment is reachable without TLS.
func (r *reader) plainHTTP(raw string) string {
	raw = strings.TrimSuffix(raw, "/")
	if raw == "" {
		return ""
	}
	if rest, plain := strings.CutPrefix(raw, "http://"); !plain || strings.ContainsAny(rest, "/?#") || wrongURL(raw) != "" {
		r.AtValue("tls.plain", "write it as in http://acme.example.test:8080", "tls.plain: it has to be http://, a host and perhaps a port")
		return ""
	}
	return raw
}

func certificates(raw []byte) bool {
	n := 0
	for {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			return n > 0
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return false
		}
		n++
	}
}

// readFile reads a file that the target file names; why tells what is wrong with it.
func (r *reader) readFile(path string) (raw []byte, why string) {
	if r.lookup.File == nil {
		return nil, "files cannot be read here"
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.folder, path)
	}
	raw, err := r.lookup.File(path)
	if err != nil {
		return nil, "cannot read the file: " + err.Error()
	}
	return raw, ""
}
