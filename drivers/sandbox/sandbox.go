package sandbox

import (
	"crypto/rsa"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The kinds of access token.
const (
	tokensRS512  = "rs512"
	tokensOpaque = "opaque"
)

// Options say which sandbox is wanted. The zero value is a clean Space of 2023.
type Options struct {
	Posture             string            // space (default), rfc6749, bcp-9700, oauth-2.1: the profile under which the clean sandbox is spotless
	Edition             string            // space-2021, space-2023 (default), space-2024; with posture space only
	Tokens              string            // rs512 (default) or opaque
	Extras              bool              // revocation, introspection and RFC 8414 metadata are offered
	TLS                 bool              // it is served over TLS; what comes over plain http is sent there
	Plain               string            // where it is served over plain http beside, for the target file
	Rotation            bool              // refresh tokens are replaced when used; in bcp-9700 and oauth-2.1 they always are
	Guest               bool              // a guest account is allowed
	AccessTokenLifetime time.Duration     // 600 s by default
	CodeLifetime        time.Duration     // 60 s by default
	Faults              []string          // by id
	NearMisses          []string          // by id
	Secrets             map[string]string // secrets of clients and passwords of users by name; the rest are random
	Key                 *rsa.PrivateKey   // the signing key, made when nil
	Load                LoadBehaviour
	Clock               func() time.Time // nil: time.Now
	URL                 string           // the service URL, for iss; empty: of the first target file, or of the first request
}

// A Sandbox is a running stand-in; it is an http.Handler for the whole service URL.
type Sandbox struct {
	options Options
	policy  policy
	clean   policy // without faults: what the registration and the target file go by
	started time.Time
	issuer  atomic.Pointer[string]

	clients  []*client
	users    []*user
	byID     map[string]*client
	byName   map[string]*user
	grammar  grammar
	signer   jose.Signer
	key      *rsa.PrivateKey
	keySet   []byte
	formKey  []byte
	pages    *pages
	mux      *http.ServeMux
	opaque   opaqueTokens
	throttle throttle
	fixed    fixedHeaders
	race     races

	mu    sync.Mutex
	state state
}

// fixedHeaders are header values shared by all answers, which saves an allocation each.
type fixedHeaders struct{ json, noStore, noCache []string }

// New makes a sandbox. An unknown fault is an error that names the nearest ones.
func New(o Options) (*Sandbox, error) {
	o, err := o.completed()
	if err != nil {
		return nil, err
	}
	p := cleanPolicy(o)
	for _, id := range o.Faults {
		f, err := findFault(id)
		if err != nil {
			return nil, err
		}
		f.change(&p)
	}
	for _, id := range o.NearMisses {
		n, err := findNearMiss(id)
		if err != nil {
			return nil, err
		}
		n.change(&p)
	}
	s := &Sandbox{
		options: o,
		policy:  p,
		started: o.Clock(),
		clean:   cleanPolicy(o),
		grammar: grammar{old: o.Edition == edition2021, lax: p.grants.parsesNoScope},
		formKey: randomBytes(32),
		state:   newState(),
		fixed: fixedHeaders{
			json:    []string{"application/json;charset=UTF-8"},
			noStore: []string{"no-store"},
			noCache: []string{"no-cache"},
		},
	}
	if o.URL != "" {
		s.setIssuer(o.URL)
	}
	s.register()
	for name := range o.Secrets {
		if !s.knows(name) {
			return nil, fmt.Errorf("sandbox: a secret was given for %q, which is no client and no user; known are %s", name, strings.Join(s.names(), ", "))
		}
	}
	s.opaque.init(p.grants.accessLifetime)
	s.opaque.counts = p.race.countsTokens
	s.throttle.init(p.token.neverThrottles)
	if err := s.prepareKeys(); err != nil {
		return nil, err
	}
	if s.pages, err = newPages(); err != nil {
		return nil, err
	}
	s.route()
	return s, nil
}

func (o Options) completed() (Options, error) {
	choose := func(what string, value *string, allowed ...string) error {
		if *value == "" {
			*value = allowed[0]
		}
		if !slices.Contains(allowed, *value) {
			return fmt.Errorf("sandbox: %s %q is unknown; use one of %s", what, *value, strings.Join(allowed, ", "))
		}
		return nil
	}
	if err := choose("posture", &o.Posture, postureSpace, postureRFC, postureBCP, posture21); err != nil {
		return o, err
	}
	if o.Posture != postureSpace && o.Edition != "" {
		return o, fmt.Errorf("sandbox: edition %q belongs to posture space, not to %s", o.Edition, o.Posture)
	}
	if o.Posture == postureSpace {
		if err := choose("edition", &o.Edition, edition2023, edition2021, edition2024); err != nil {
			return o, err
		}
	}
	if err := choose("kind of token", &o.Tokens, tokensRS512, tokensOpaque); err != nil {
		return o, err
	}
	if o.AccessTokenLifetime < 0 || o.CodeLifetime < 0 {
		return o, fmt.Errorf("sandbox: a lifetime below zero makes no sense: access tokens %v, codes %v", o.AccessTokenLifetime, o.CodeLifetime)
	}
	if o.AccessTokenLifetime == 0 {
		o.AccessTokenLifetime = 600 * time.Second
	}
	if o.CodeLifetime == 0 {
		o.CodeLifetime = 60 * time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o, nil
}

// Secrets are the secrets of the clients and the passwords of the users, by name.
func (s *Sandbox) Secrets() map[string]string {
	out := map[string]string{}
	for _, c := range s.clients {
		if c.secret != "" {
			out[c.name] = c.secret
		}
	}
	for _, u := range s.users {
		if !u.guest {
			out[u.name] = u.password
		}
	}
	return out
}

func (s *Sandbox) knows(name string) bool { return slices.Contains(s.names(), name) }

func (s *Sandbox) names() []string { return slices.Sorted(maps.Keys(s.Secrets())) }

func (s *Sandbox) now() time.Time { return s.options.Clock() }

func (s *Sandbox) setIssuer(serviceURL string) {
	u := strings.TrimSuffix(serviceURL, "/")
	s.issuer.CompareAndSwap(nil, &u)
}

// issuerFor is the service URL; before anybody told it, the first request's own does.
func (s *Sandbox) issuerFor(r *http.Request) string {
	if s.issuer.Load() == nil {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		s.setIssuer(scheme + "://" + r.Host)
	}
	return *s.issuer.Load()
}
