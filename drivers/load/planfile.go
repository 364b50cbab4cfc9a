package load

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"flowproof/drivers/strict"
	"flowproof/drivers/target"
)

// planFile is a plan as it is written. The reader and the JSON Schema both follow it.
type planFile struct {
	// A word for the plan, for reports.
	Name string `json:"name" jsonschema:"pattern=\\S"`
	// open (the default): requests start when the schedule says. closed: when the one before was answered, for comparison.
	Model string `json:"model" jsonschema:"enum=open,enum=closed"`
	// constant (the default): evenly spaced. poisson: as many independent people come.
	Arrivals string `json:"arrivals" jsonschema:"enum=constant,enum=poisson"`
	// Of poisson arrivals: the same seed makes the same schedule.
	Seed uint64 `json:"seed"`
	// Short for one stage that holds it for the duration.
	Rate rateText `json:"rate"`
	// Of that stage; in the closed model of the run.
	Duration time.Duration `json:"duration"`
	// One after the other.
	Stages []stageFile `json:"stages"`
	// Stop after so many requests, even if there is time left.
	Count int64 `json:"count" jsonschema:"minimum=1"`
	// Sent first, at the rate that the plan begins with, and recorded apart.
	WarmUp time.Duration `json:"warm_up"`
	// How many there are at most (64): a number, or from and to, when more are to be opened while all are busy.
	Connections connectionFile `json:"connections"`
	// Requests at a time on each connection (8); h2 only.
	Streams int `json:"streams" jsonschema:"minimum=1"`
	// http/1.1 (the default), or h2 over TLS.
	Protocol string `json:"protocol" jsonschema:"enum=http/1.1,enum=h2"`
	// false: a new connection for each request.
	KeepAlive *bool `json:"keep_alive"`
	// Of one request; the target's unless given.
	Timeout time.Duration `json:"timeout"`
	// Base URLs of a cluster's nodes, which take the place of the target's, each for an equal part of the requests.
	Nodes []string `json:"nodes"`
	// A page of the target, such as /oauth/jwks.json, that is asked for five times a second beside the load: a comparison with a baseline looks whether that one moved, too.
	Reference string `json:"reference" jsonschema:"pattern=^/"`
	// No stage may ask for more.
	MaxRate rateText `json:"max_rate"`
	// Bounds that the run has to keep: p99<250ms, errors<0.1%, login.redeem:service.p99<100ms.
	Thresholds []boundText `json:"thresholds"`
	// What ends the run early (errors>90% for 5s); an empty list: nothing does.
	Abort []abortText `json:"abort"`
	// What is sent.
	Scenarios []scenarioFile `json:"scenarios" jsonschema:"required,minItems=1"`
}

// stageFile is a stretch of the plan: it holds a rate, or ramps to one.
type stageFile struct {
	// The rate from beginning to end.
	Hold rateText `json:"hold"`
	// The rate at the end; it changes evenly from that of the stage before, 0 at first.
	Ramp rateText `json:"ramp"`
	// May be left out in a last stage that holds its rate, when the plan has a count.
	Duration time.Duration `json:"duration"`
}

// scenarioFile is one kind of request, or of several in a row, and who sends them.
type scenarioFile struct {
	// In reports and thresholds; the flow's unless given.
	Name string `json:"name" jsonschema:"pattern=^[a-z0-9][a-z0-9_-]*$"`
	// What it does.
	Flow string `json:"flow" jsonschema:"required,enum=client_credentials,enum=password,enum=refresh_token,enum=authorization_code,enum=resource,enum=revocation"`
	// Its part of the requests (1).
	Weight int `json:"weight" jsonschema:"minimum=1"`
	// Names from the target file; all that fit and are not sacrificial unless given.
	Clients []string `json:"clients"`
	// Names from the target file; all that fit and are not sacrificial unless given.
	Users []string `json:"users"`
	// A file with the header username,password, relative to the plan. It holds secrets and is never shown.
	UsersCSV string `json:"users_csv"`
	// What to ask for; the target's default for people, nothing for client credentials unless given.
	Scope *string `json:"scope" strict:"empty"`
	// Which of the target's resources is called (any).
	Resource string `json:"resource" jsonschema:"enum=any,enum=user,enum=application,enum=scoped"`
	// Between the requests of a flow that has several; in the closed model after each request.
	ThinkTime time.Duration `json:"think_time"`
	// Shares of the requests that are wrong and have to be refused: wrong_secret (of sacrificial clients, if the target has any with the grants, for guessing may lock a client), unknown_client, used_code, foreign_refresh_token.
	Hostile map[string]shareText `json:"hostile" jsonschema:"enum=wrong_secret,enum=unknown_client,enum=used_code,enum=foreign_refresh_token"`
}

// A text that means something else reads itself.
type (
	rateText  float64
	shareText float64
	boundText Threshold
	abortText Abort
	// connectionFile is a number, or a mapping of from and to.
	connectionFile struct {
		From int `json:"from" jsonschema:"required,minimum=1"`
		To   int `json:"to" jsonschema:"required,minimum=1"`
	}
)

func (r *rateText) UnmarshalText(s []byte) error {
	if number, _, cut := strings.Cut(string(s), "/"); cut {
		if x, err := strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil && x == 0 { //nolint:nilerr // ParseRate says what is wrong
			*r = 0
			return nil
		}
	}
	x, err := ParseRate(string(s))
	*r = rateText(x)
	return err
}

func (h *shareText) UnmarshalText(s []byte) error {
	x, err := share(string(s))
	*h = shareText(x)
	return err
}

func (b *boundText) UnmarshalText(s []byte) error {
	h, err := ParseThreshold(string(s))
	*b = boundText(h)
	return err
}

func (a *abortText) UnmarshalText(s []byte) error {
	x, err := ParseAbort(string(s))
	*a = abortText(x)
	return err
}

func (c *connectionFile) UnmarshalText(s []byte) error {
	x, err := strconv.Atoi(string(s))
	if err != nil || x < 1 {
		return fmt.Errorf("%q is no whole number from 1 on; write one, or from and to", s)
	}
	c.To = x
	return nil
}

//go:embed plan.schema.json
var planSchema []byte

// Schema is the JSON Schema (draft 2020-12) of the plan file, for editors.
func Schema() []byte { return slices.Clone(planSchema) }

// ReadPlan reads and checks a plan file; files that it names are looked up relative to it. Its error is a
// strict.Mistakes when the file can be read but is wrong.
func ReadPlan(path string, file func(path string) ([]byte, error)) (Plan, error) {
	raw, err := file(path)
	if err != nil {
		return Plan{}, fmt.Errorf("load: read the plan: %w", err)
	}
	var f planFile
	read := strict.Read(path, strict.Form{Called: "the plan", Least: "write at least rate, duration and scenarios"}, raw, &f)
	w := problems{source: read, list: read.Mistakes}
	well := len(w.list) == 0
	p := f.plan(filepath.Dir(path), file, &w)
	if p.source = w.source; well { // of what cannot be read nobody knows what it means
		p.completed(0).check(&w)
	}
	if err := w.err(); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// plan is what the file asks for.
func (f planFile) plan(folder string, file func(string) ([]byte, error), w *problems) Plan {
	p := Plan{
		Name: f.Name, Model: f.Model, Arrivals: f.Arrivals, Seed: f.Seed, Rate: float64(f.Rate), Duration: f.Duration,
		Count: f.Count, WarmUp: f.WarmUp, Connections: f.Connections.To, ConnectionsFrom: f.Connections.From, Streams: f.Streams,
		Protocol: f.Protocol, NoKeepAlive: f.KeepAlive != nil && !*f.KeepAlive, Timeout: f.Timeout, Reference: f.Reference, MaxRate: float64(f.MaxRate),
	}
	for _, n := range f.Nodes {
		p.Nodes = append(p.Nodes, strings.TrimRight(n, "/"))
	}
	for _, b := range f.Thresholds {
		p.Thresholds = append(p.Thresholds, Threshold(b))
	}
	if w.source.Has("abort") {
		p.Abort = []Abort{}
	}
	for _, a := range f.Abort {
		p.Abort = append(p.Abort, Abort(a))
	}
	if len(f.Stages) > 0 && (w.source.Has("rate") || w.source.Has("duration")) {
		w.add("rate|duration", "leave them out, or leave stages out", "rate and duration are short for one stage, and the plan has stages")
	}
	for i, s := range f.Stages {
		at := pathOf("stages", i)
		hold, ramp := w.source.Has(at+".hold"), w.source.Has(at+".ramp")
		if hold == ramp {
			w.add(at, "write hold: 500/s, or ramp: 500/s", "a stage either holds a rate or ramps to one")
		}
		p.Stages = append(p.Stages, Stage{Ramp: ramp, Rate: float64(max(s.Hold, s.Ramp)), Duration: s.Duration})
	}
	for i, s := range f.Scenarios {
		out := Scenario{
			Name: s.Name, Flow: Flow(s.Flow), Weight: s.Weight, Clients: s.Clients, Users: s.Users, Scope: s.Scope,
			Resource: s.Resource, ThinkTime: s.ThinkTime,
		}
		for _, kind := range Hostilities() {
			if x := s.Hostile[string(kind)]; x != 0 {
				out.Hostile = append(out.Hostile, Hostile{kind, float64(x)})
			}
		}
		if s.UsersCSV != "" {
			at := pathOf("scenarios", i) + ".users_csv"
			people, why := readPeople(s.UsersCSV, folder, file)
			if why != "" {
				w.add(at, "", "users_csv: %s", why)
			}
			out.UsersCSV = s.UsersCSV
			out.people(people)
		}
		p.Scenarios = append(p.Scenarios, out)
	}
	return p
}

const mostPeople = 1_000_000

// readPeople reads users from a file of which nothing but its name and the numbers of its lines may be shown.
func readPeople(path, folder string, file func(string) ([]byte, error)) (people []target.User, why string) {
	whole := path
	if !filepath.IsAbs(path) {
		whole = filepath.Join(folder, path)
	}
	raw, err := file(whole)
	if err != nil {
		return nil, "cannot read the file: " + err.Error()
	}
	rows := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff")))
	rows.FieldsPerRecord, rows.ReuseRecord = -1, true
	name, password := -1, -1
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			return nil, fmt.Sprintf("%s, line %d: quotes do not match", path, wrong.Line)
		}
		if err != nil {
			return nil, "cannot read " + path
		}
		line, _ := rows.FieldPos(0)
		if name < 0 {
			if name, password = slices.Index(row, "username"), slices.Index(row, "password"); name < 0 || password < 0 {
				return nil, path + " has to begin with the line username,password"
			}
			continue
		}
		if len(row) <= max(name, password) || row[name] == "" || row[password] == "" {
			return nil, fmt.Sprintf("%s, line %d has no user name or no password", path, line)
		}
		if len(people) == mostPeople {
			return nil, fmt.Sprintf("%s has more than %d users", path, mostPeople)
		}
		people = append(people, target.User{
			Name: fmt.Sprintf("%s:%d", filepath.Base(path), line), Username: strings.Clone(row[name]), Password: target.NewSecret(strings.Clone(row[password])),
		})
	}
	if len(people) == 0 {
		return nil, path + " has no users below its header username,password"
	}
	return people, ""
}
