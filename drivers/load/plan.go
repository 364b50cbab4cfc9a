// Package load sends token requests at a rate that the server does not choose, holds every answer to
// what a token answer owes, and tells how long each took from the moment at which it was due.
package load

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"flowproof/drivers/target"
)

// The models: in the open one requests start when the schedule says, in the closed one when the
// answer before came.
const (
	Open   = "open"
	Closed = "closed"
)

// The arrivals of the open model: evenly spaced, or as many independent people would come.
const (
	Constant = "constant"
	Poisson  = "poisson"
)

// The protocols.
const (
	HTTP1 = "http/1.1"
	HTTP2 = "h2"
)

// A Plan says what load to send. ReadPlan reads one from a file.
type Plan struct {
	Name            string
	Model           string  // Open (the default) or Closed
	Arrivals        string  // Constant (the default) or Poisson; open model only
	Seed            uint64  // of the Poisson arrivals
	Stages          []Stage // one after the other; open model only
	Rate            float64 // short for one stage that holds it for Duration; once the plan is resolved, the mean
	Duration        time.Duration
	Count           int64         // stop after so many measured requests; 0: until the time is over
	WarmUp          time.Duration // sent first, at the rate that the plan begins with, and recorded apart
	Connections     int           // the bound of the open model, the workers of the closed one; 0: 64
	ConnectionsFrom int           // how many there are at first; more are opened when all are busy; 0: all of them
	Streams         int           // requests at a time on each connection; HTTP/2 only; 0: 8
	Protocol        string        // HTTP1 (the default) or HTTP2
	NoKeepAlive     bool          // a new connection for each request
	Timeout         time.Duration // of one request; 0: the target's
	Reference       string        // a path of the target that is asked for beside the load, and belongs to no figure of it
	Nodes           []string      // base URLs that take the place of the target's, each for an equal part of the requests
	MaxRate         float64       // no stage may ask for more; 0: no bound
	Scenarios       []Scenario    // empty: client credentials only
	Thresholds      []Threshold
	Abort           []Abort // any of them ends the run; nil: when 90% of the requests of 5 s failed
	Shard           Shard

	source *source // the file that it was read from
}

// A Stage is a stretch of the open model.
type Stage struct {
	Ramp     bool          // the rate changes evenly, from where the stage before ended (0 at first) to Rate
	Rate     float64       // requests a second
	Duration time.Duration // 0 in the last stage: until the plan's count
}

// A Shard is the part of a plan's schedule that one process sends. The zero value is all of it.
type Shard struct {
	Index int // from 1
	Of    int
}

const (
	defaultConnections = 64
	defaultStreams     = 8
	mostConnections    = 20_000
	defaultTimeout     = 10 * time.Second
	mostWeight         = 10_000
	mostRate           = 10e6
	mostRequests       = 10e9
	mostShards         = 1000
)

// resolved is the plan with its defaults filled in, or all that is wrong with it.
func (p Plan) resolved(t target.Target) (Plan, error) {
	w := problems{source: p.source}
	p = p.completed(t.Timeout)
	p.check(&w)
	if t.Endpoints.Token == "" {
		w.add("", "name it under endpoints: token", "the target has no token endpoint")
	}
	for i, s := range p.Scenarios {
		s.fit(p.path(i), t, &w)
	}
	return p, w.err()
}

// Check tells what is wrong with the plan, as far as that can be told without a target.
func (p Plan) Check() error {
	w := problems{source: p.source}
	p.completed(0).check(&w)
	return w.err()
}

// completed fills in the defaults.
func (p Plan) completed(timeout time.Duration) Plan {
	p.Stages, p.Thresholds, p.Nodes = slices.Clone(p.Stages), slices.Clone(p.Thresholds), slices.Clone(p.Nodes)
	if p.Model == "" {
		p.Model = Open
	}
	if p.Arrivals == "" && p.Model == Open {
		p.Arrivals = Constant
	}
	if p.Connections == 0 {
		p.Connections = defaultConnections
	}
	if p.ConnectionsFrom == 0 {
		p.ConnectionsFrom = p.Connections
	}
	if p.Protocol == "" {
		p.Protocol = HTTP1
	}
	if p.Protocol == HTTP2 && p.Streams == 0 {
		p.Streams = defaultStreams
	}
	if p.Timeout == 0 {
		p.Timeout = timeout
	}
	if p.Timeout == 0 {
		p.Timeout = defaultTimeout
	}
	if p.Abort == nil {
		p.Abort = defaultAbort()
	}
	if p.Shard == (Shard{}) {
		p.Shard = Shard{1, 1}
	}
	if p.Model == Open && len(p.Stages) == 0 && p.Rate != 0 {
		p.Stages = []Stage{{Rate: p.Rate, Duration: p.Duration}}
	} else if len(p.Stages) > 0 && p.Rate == 0 && p.Duration == 0 {
		p.Rate, p.Duration = mean(p.Stages)
	}
	p.Scenarios = completedScenarios(p.Scenarios)
	return p
}

// requests is how many the stage has when the one before ended at a rate.
func (s Stage) requests(before float64) float64 {
	if !s.Ramp {
		before = s.Rate
	}
	return (before + s.Rate) / 2 * s.Duration.Seconds()
}

// mean is the rate of all stages together, and how long they take.
func mean(stages []Stage) (float64, time.Duration) {
	var sum, before float64
	var took time.Duration
	for _, s := range stages {
		sum += s.requests(before)
		took += s.Duration
		before = s.Rate
	}
	if took == 0 || stages[len(stages)-1].Duration == 0 {
		return before, 0
	}
	return sum / took.Seconds(), took
}

// Peak is the highest rate that the plan asks for, in requests a second; 0 in the closed model.
func (p Plan) Peak() float64 {
	peak := 0.0
	for _, s := range p.completed(0).Stages {
		peak = max(peak, s.Rate)
	}
	return peak
}

func (p Plan) check(w *problems) {
	switch p.Model {
	case Open:
		p.checkOpen(w)
	case Closed:
		p.checkClosed(w)
	default:
		w.add("model", "it is "+Open+" or "+Closed, "there is no model %q", p.Model)
	}
	for path, d := range map[string]time.Duration{"duration": p.Duration, "warm_up": p.WarmUp, "timeout": p.Timeout} {
		if d < 0 {
			w.add(path, "", "%s cannot be negative", path)
		}
	}
	for path, n := range map[string]int64{"count": p.Count, "connections": int64(min(p.Connections, p.ConnectionsFrom)), "streams": int64(p.Streams)} {
		if n < 0 {
			w.add(path, "", "%s cannot be negative", path)
		}
	}
	if p.Model == Closed && p.Duration == 0 && p.Count == 0 {
		w.add("", "give a duration or a count", "the run would have no end")
	}
	p.checkConnections(w)
	p.checkScenarios(w)
	p.checkBounds(w)
}

func (p Plan) checkOpen(w *problems) {
	if len(p.Stages) == 0 {
		w.add("rate", "give one, such as 500/s, or stages; or ask for the closed model", "the open model needs a rate")
		return
	}
	if p.Arrivals != Constant && p.Arrivals != Poisson {
		w.add("arrivals", "they are "+Constant+" or "+Poisson, "there are no arrivals %q", p.Arrivals)
	}
	before, sum := 0.0, 0.0
	for i, s := range p.Stages {
		path := stagePath(p.Stages, i)
		last := i == len(p.Stages)-1
		switch {
		case !(s.Rate >= 0) || s.Rate > mostRate:
			w.add(path, "", "a rate lies between 0 and %.0f requests a second", float64(mostRate))
		case s.Rate == 0 && !s.Ramp && len(p.Stages) == 1:
			w.add(path, "give one, such as 500/s", "the open model needs a rate above zero")
		case s.Rate == 0 && s.Ramp && before == 0:
			w.add(path, "", "a ramp from nothing to nothing sends nothing")
		case p.MaxRate > 0 && s.Rate > p.MaxRate:
			w.add(path, "lower it, or raise max_rate", "%s/s is above the plan's max_rate of %s/s", significant(s.Rate), significant(p.MaxRate))
		}
		switch {
		case s.Duration < 0:
			w.add(path, "", "a duration cannot be negative")
		case s.Duration == 0 && (!last || s.Ramp):
			w.add(path, "give it a duration", "only a last stage that holds its rate can go on until the count is reached")
		case s.Duration == 0 && last && p.Count == 0:
			w.add(path, "give a duration or a count", "the run would have no end")
		case s.Duration == 0 && s.Rate == 0:
			w.add(path, "give it a rate", "the count would never be reached")
		}
		sum += s.requests(before)
		before = s.Rate
	}
	if sum == 0 && p.Duration > 0 {
		w.add("stages", "", "the stages send nothing")
	}
	if sum > mostRequests || float64(p.Count) > mostRequests {
		w.add("stages", "shorten it, or split it into runs", "the plan has more than %.0f requests", float64(mostRequests))
	}
	if p.WarmUp > 0 && startRate(p.Stages) == 0 {
		w.add("warm_up", "begin with a stage that holds a rate, which is then that of the warm-up", "the plan begins with nothing, so there is no rate to warm up with")
	}
}

func stagePath(stages []Stage, i int) string {
	if len(stages) == 1 {
		return pathOf("stages", i) + "|rate"
	}
	return pathOf("stages", i)
}

// startRate is the rate with which the stages begin.
func startRate(stages []Stage) float64 {
	if len(stages) == 0 || stages[0].Ramp {
		return 0
	}
	return stages[0].Rate
}

func (p Plan) checkClosed(w *problems) {
	if p.Rate != 0 || len(p.Stages) > 0 {
		w.add("stages|rate", "leave it out, or ask for the open model", "the closed model has no rate: requests start when answers come")
	}
	for path, given := range map[string]bool{"arrivals": p.Arrivals != "", "seed": p.Seed != 0, "max_rate": p.MaxRate != 0} {
		if given {
			w.add(path, "leave it out", "%s is for the open model", path)
		}
	}
	if p.ConnectionsFrom != p.Connections {
		w.add("connections", "give one number", "the closed model has a fixed number of connections")
	}
	if p.Shard.Of > 1 {
		w.add("", "leave --shard out, or ask for the open model", "the closed model has no schedule, so there is nothing to share out")
	}
}

func (p Plan) checkConnections(w *problems) {
	switch {
	case p.Connections > mostConnections:
		w.add("connections", "", "%d connections are too many; one process takes up to %d", p.Connections, mostConnections)
	case p.ConnectionsFrom > p.Connections:
		w.add("connections", "begin with fewer", "connections grow from %d to %d, which is less", p.ConnectionsFrom, p.Connections)
	case p.ConnectionsFrom < len(p.Nodes):
		w.add("connections", "give as many at least", "%d connections do not reach %d nodes", p.ConnectionsFrom, len(p.Nodes))
	}
	switch p.Protocol {
	case HTTP1:
		if p.Streams > 1 {
			w.add("streams", "leave it out, or choose protocol: h2", "HTTP/1.1 carries one request at a time on each connection")
		}
	case HTTP2:
		if p.NoKeepAlive {
			w.add("keep_alive", "leave it out, or choose protocol: http/1.1", "HTTP/2 keeps its connections")
		}
		if p.Streams > 0 && p.Connections*p.Streams > mostConnections {
			w.add("streams", "", "%d requests at a time are too many; one process takes up to %d", p.Connections*p.Streams, mostConnections)
		}
	default:
		w.add("protocol", "it is "+HTTP1+" or "+HTTP2, "there is no protocol %q", p.Protocol)
	}
	if p.Reference != "" && !strings.HasPrefix(p.Reference, "/") {
		w.add("reference", "write it as in /oauth/jwks.json", "the reference %q is no path of the target", p.Reference)
	}
	for i, n := range p.Nodes {
		if why := wrongNode(n); why != "" {
			w.add(pathOf("nodes", i), "write it as in https://node-1.acme.test:8443", "%s", why)
		} else if slices.Contains(p.Nodes[:i], n) {
			w.add(pathOf("nodes", i), "keep one of them", "the node is there twice")
		}
	}
	if s := p.Shard; s.Of < 1 || s.Of > mostShards || s.Index < 1 || s.Index > s.Of {
		w.add("", "write 1/3, 2/3 and 3/3", "there is no shard %d/%d", s.Index, s.Of)
	}
}

func (p Plan) checkBounds(w *problems) {
	for i, h := range p.Thresholds {
		if h.step != "" && !slices.Contains(p.stepNames(), h.step) {
			w.add(pathOf("thresholds", i), "the plan has "+list(p.stepNames()), "threshold %s is about %s, which is not in the mix", h, h.step)
		}
	}
	for i, a := range p.Abort {
		if a.bound.expression == "" || a.spell <= 0 {
			w.add(pathOf("abort", i), abortShapes, "the rule is empty")
		}
	}
	if p.MaxRate < 0 || math.IsNaN(p.MaxRate) {
		w.add("max_rate", "", "max_rate cannot be negative")
	}
}

// String says the plan in one line.
func (p Plan) String() string {
	p = p.completed(0)
	var flows []string
	for _, s := range p.Scenarios {
		flows = append(flows, s.Name)
	}
	out := strings.Join(flows, ", ")
	if p.Name != "" {
		out = p.Name + " (" + out + ")"
	}
	switch rate := significant(p.Rate) + "/s"; {
	case p.Model == Closed:
		out += " as fast as it answers"
	case len(p.Stages) > 1:
		out += fmt.Sprintf(" at up to %s/s in %d stages", significant(p.Peak()), len(p.Stages))
	default:
		out += " at " + rate
	}
	if p.Duration > 0 {
		out += " for " + p.Duration.String()
	}
	if p.Count > 0 {
		out += ", " + requests(p.Count)
	}
	if p.Shard.Of > 1 {
		out += fmt.Sprintf(", shard %d of %d", p.Shard.Index, p.Shard.Of)
	}
	return out
}
