package load

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"flowproof/reports"
)

// planRecord is the plan without secrets, and with its hash.
func (e *engine) planRecord() reports.Plan {
	p := e.plan
	out := reports.Plan{
		Name: p.Name, Model: p.Model, Arrivals: p.Arrivals, Seed: p.Seed, Rate: p.Rate, DurationMS: p.Duration.Milliseconds(), WarmUpMS: p.WarmUp.Milliseconds(),
		Connections: p.Connections, Streams: p.Streams, Protocol: p.Protocol, Nodes: p.Nodes, Reference: p.Reference, MaxRate: p.MaxRate, TimeoutMS: p.Timeout.Milliseconds(),
		Count: p.Count, Clients: []string{},
	}
	if p.ConnectionsFrom != p.Connections {
		out.From = p.ConnectionsFrom
	}
	if p.NoKeepAlive {
		out.KeepAlive = new(bool)
	}
	for _, s := range p.Stages {
		out.Stages = append(out.Stages, reports.Stage{Ramp: s.Ramp, Rate: s.Rate, DurationMS: milliseconds(s.Duration)})
	}
	for _, h := range p.Thresholds {
		out.Thresholds = append(out.Thresholds, h.String())
	}
	for _, a := range p.Abort {
		out.Abort = append(out.Abort, a.String())
	}
	for _, j := range e.sites[0].jobs {
		if j.hostile != "" {
			continue
		}
		s := j.record()
		out.Grants = append(out.Grants, s.Name)
		out.Weights = append(out.Weights, s.Weight)
		out.Scenarios = append(out.Scenarios, s)
		out.Clients = appendNew(out.Clients, s.Clients...)
		out.Users = appendNew(out.Users, s.Users...)
	}
	out.Hash = hash(out)
	if p.Shard.Of > 1 {
		out.Shard = &reports.Shard{Index: p.Shard.Index, Of: p.Shard.Of}
	}
	return out
}

// record is what the job's scenario does, and for whom.
func (j *job) record() reports.Scenario {
	from := j.scenario
	s := reports.Scenario{
		Name: from.Name, Flow: string(from.Flow), Weight: from.Weight, Clients: []string{}, Scope: from.Scope, Resource: from.Resource,
		ThinkTimeMS: milliseconds(from.ThinkTime),
	}
	for _, h := range from.Hostile {
		if s.Hostile == nil {
			s.Hostile = map[string]float64{}
		}
		s.Hostile[string(h.Kind)] = h.Share
	}
	listed := map[string]bool{}
	for _, is := range j.issues {
		s.Clients = appendNew(s.Clients, is.client.Name)
		if name := is.user.Name; name != "" && !listed[name] {
			listed[name] = true
			s.Users = append(s.Users, name)
		}
	}
	if from.PeopleAre != "" {
		s.Users = slices.DeleteFunc(s.Users, from.isPerson)
		s.Users = append(s.Users, from.PeopleAre)
	}
	return s
}

// isPerson reports whether the user is not one of the target's.
func (s *Scenario) isPerson(name string) bool { return !slices.Contains(s.Users, name) }

// hash tells plans apart. It is that of the plan's JSON.
func hash(p reports.Plan) string {
	text, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func appendNew(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
