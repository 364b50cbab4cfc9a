package load

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"flowproof/drivers/target"
)

// A Flow is what a scenario does.
type Flow string

// The flows. The first four are grants; the others do something with the token that they obtained.
const (
	ClientCredentials Flow = "client_credentials"
	Password          Flow = "password"
	RefreshToken      Flow = "refresh_token"
	AuthorizationCode Flow = "authorization_code"
	Resource          Flow = "resource"
	Revocation        Flow = "revocation"
)

// Flows lists them all.
func Flows() []Flow {
	return []Flow{ClientCredentials, Password, RefreshToken, AuthorizationCode, Resource, Revocation}
}

// A Hostility is a kind of request that has to be refused.
type Hostility string

// The hostile requests, each right but for one thing.
const (
	WrongSecret         Hostility = "wrong_secret"
	UnknownClient       Hostility = "unknown_client"
	UsedCode            Hostility = "used_code"
	ForeignRefreshToken Hostility = "foreign_refresh_token"
)

// Hostilities lists them all.
func Hostilities() []Hostility {
	return []Hostility{WrongSecret, UnknownClient, UsedCode, ForeignRefreshToken}
}

// against are the flows that the hostile request is a variant of.
func (h Hostility) against() []Flow {
	switch h {
	case WrongSecret, UnknownClient:
		return []Flow{ClientCredentials, Password, RefreshToken}
	case UsedCode:
		return []Flow{AuthorizationCode}
	case ForeignRefreshToken:
		return []Flow{RefreshToken}
	}
	return nil
}

// A Scenario is one kind of request, or of several requests in a row, and who sends them.
type Scenario struct {
	Name      string // in reports and thresholds; empty: the flow's
	Flow      Flow
	Weight    int           // its part of the requests; 0 counts as 1
	Clients   []string      // names; empty: all that fit and are not sacrificial
	Users     []string      // names; empty: all that fit and are not sacrificial
	UsersCSV  string        // a file of users beside those of the target, as the plan names it
	People    []target.User `json:"-"` // those users
	PeopleAre string        `json:"-"` // what reports call them, instead of their names
	Scope     *string       // nil: the target's default where a person is involved, none for client credentials
	Resource  string        // any (the default), user, application or scoped; for the resource flow
	ThinkTime time.Duration // between the requests of one arrival; in the closed model after each request
	Hostile   []Hostile     // instead of a share of the requests
}

// Hostile is a share of a scenario's requests that have to be refused.
type Hostile struct {
	Kind  Hostility
	Share float64 // above 0, below 1; in steps of 0.01 %
}

// The parts of a flow that is made of several requests.
const (
	authorizeStep = "authorize"
	redeemStep    = "redeem"
	tokenStep     = "token"
	revokeStep    = "revoke"
)

// steps are the names of what the scenario's requests are recorded as, the hostile ones last.
func (s Scenario) steps() []string {
	var out []string
	switch s.Flow {
	case AuthorizationCode:
		out = []string{s.Name + "." + authorizeStep, s.Name + "." + redeemStep}
	case Revocation:
		out = []string{s.Name + "." + tokenStep, s.Name + "." + revokeStep}
	default:
		out = []string{s.Name}
	}
	for _, h := range s.Hostile {
		out = append(out, s.Name+"."+string(h.Kind))
	}
	return out
}

// stepNames are what thresholds can be about: each scenario and each of its steps.
func (p Plan) stepNames() []string {
	var out []string
	for _, s := range p.Scenarios {
		for _, name := range append([]string{s.Name}, s.steps()...) {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

func completedScenarios(in []Scenario) []Scenario {
	if len(in) == 0 {
		in = []Scenario{{Flow: ClientCredentials}}
	}
	out := slices.Clone(in)
	for i := range out {
		s := &out[i]
		if s.Name == "" {
			s.Name = string(s.Flow)
		}
		if s.Weight == 0 {
			s.Weight = 1
		}
		if s.Flow == Resource && s.Resource == "" {
			s.Resource = anyResource
		}
		s.Hostile = slices.DeleteFunc(slices.Clone(s.Hostile), func(h Hostile) bool { return h.Share == 0 })
	}
	return out
}

func (p Plan) path(scenario int) string { return pathOf("scenarios", scenario) }

var scenarioName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func (p Plan) checkScenarios(w *problems) {
	seen := map[string]bool{}
	sum := 0
	for i, s := range p.Scenarios {
		at := p.path(i)
		if !slices.Contains(Flows(), s.Flow) {
			w.add(at+".flow", "it can be "+words(Flows(), ", "), "%q cannot be sent as load", s.Flow)
			continue
		}
		switch {
		case !scenarioName.MatchString(s.Name):
			w.add(at+".name", "use small letters, digits, - and _", "%q is no name for a scenario", s.Name)
		case seen[s.Name]:
			w.add(at+".name", "name it otherwise, or give one of them the weight of both", "scenario %s is there twice", s.Name)
		}
		seen[s.Name] = true
		if s.Weight < 0 {
			w.add(at+".weight", "", "the weight of %s is negative", s.Name)
		}
		sum += max(s.Weight, 0)
		s.checkOptions(at, p.Model, w)
		s.checkHostile(at, w)
	}
	if sum > mostWeight {
		w.add("scenarios", fmt.Sprintf("smaller ones in the same proportion do, up to %d", mostWeight), "the weights of the mix add up to %d", sum)
	}
}

// personal reports whether a person takes part in the flow.
func (s Scenario) personal() bool {
	switch s.Flow {
	case Password, RefreshToken, AuthorizationCode:
		return true
	case Resource:
		return s.Resource == userResource
	}
	return false
}

func (s Scenario) checkOptions(at, model string, w *problems) {
	if (len(s.Users) > 0 || len(s.People) > 0) && !s.personal() {
		w.add(at+".users_csv|"+at+".users", "leave them out", "nobody takes part in %s but the client", s.Name)
	}
	if s.Resource != "" && s.Flow != Resource {
		w.add(at+".resource", "leave it out, or write flow: resource", "%s calls no resource", s.Name)
	}
	if s.Resource != "" && !slices.Contains(resources(), s.Resource) {
		w.add(at+".resource", "it can be "+strings.Join(resources(), ", "), "there is no resource %q", s.Resource)
	}
	switch {
	case s.ThinkTime < 0:
		w.add(at+".think_time", "", "a think time cannot be negative")
	case s.ThinkTime > 0 && model == Open && len(s.steps())-len(s.Hostile) == 1:
		w.add(at+".think_time", "leave it out", "%s is a single request, and the open model says when the next one starts", s.Name)
	}
}

func (s Scenario) checkHostile(at string, w *problems) {
	sum := 0.0
	for i, h := range s.Hostile {
		where := at + ".hostile." + string(h.Kind)
		switch {
		case !slices.Contains(Hostilities(), h.Kind):
			w.add(where, "they are "+words(Hostilities(), ", "), "there are no hostile requests %q", h.Kind)
			continue
		case !slices.Contains(h.Kind.against(), s.Flow):
			w.add(where, "it goes with "+words(h.Kind.against(), " or "), "%s is no variant of %s", h.Kind, s.Flow)
		case h.Share < 0.0001 || h.Share >= 1 || math.IsNaN(h.Share):
			w.add(where, "write 1%", "a share of hostile requests lies between 0.01%% and 100%%")
		case slices.ContainsFunc(s.Hostile[:i], func(o Hostile) bool { return o.Kind == h.Kind }):
			w.add(where, "keep one of them", "%s is there twice", h.Kind)
		}
		sum += h.Share
	}
	if sum >= 1 {
		w.add(at+".hostile", "", "the hostile requests leave none that are not")
	}
}

// The resources of the target that a scenario can call.
const (
	anyResource         = "any"
	userResource        = "user"
	applicationResource = "application"
	scopedResource      = "scoped"
)

func resources() []string {
	return []string{anyResource, userResource, applicationResource, scopedResource}
}

func words[T ~string](all []T, between string) string {
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = string(x)
	}
	return strings.Join(out, between)
}
