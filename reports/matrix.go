package reports

import (
	"slices"
	"strings"
)

// The flows and endpoints that every report names, whether or not anything was judged there.
func mainFlows() []string {
	return []string{"client_credentials", "password", "authorization_code", "implicit", "refresh_token"}
}

func mainEndpoints() []string { return []string{"authorization", "token", "resource"} }

// The others, in the order in which they are shown when they occur.
func otherEndpoints() []string { return []string{"revocation", "introspection", "metadata", "jwks"} }

const anyFlow = "any"

// A Matrix counts requirements by flow and endpoint. A requirement counts once in each cell that one of its
// findings lies in, with the worst verdict that it has there; so the cells of a row may add up to more than
// the row's total.
type Matrix struct {
	Flows     []string // the five flows, then the others that occur
	Endpoints []string // authorization, token and resource, then the others that occur
	cells     map[[2]string]Counts
}

// At returns the counts of a cell; an empty flow or endpoint stands for all of them.
func (m Matrix) At(flow, endpoint string) Counts { return m.cells[[2]string{flow, endpoint}] }

// Matrix counts the requirements by flow and endpoint.
func (c Conformance) Matrix() Matrix {
	m := Matrix{cells: map[[2]string]Counts{}}
	flows, endpoints := map[string]bool{}, map[string]bool{}
	for _, r := range c.Results {
		worst := map[[2]string]Verdict{}
		for _, f := range r.Findings {
			flows[f.Flow], endpoints[f.Endpoint] = true, true
			for _, cell := range [][2]string{{f.Flow, f.Endpoint}, {f.Flow, ""}, {"", f.Endpoint}, {"", ""}} {
				if seen, ok := worst[cell]; ok {
					worst[cell] = Worst(seen, f.Verdict)
				} else {
					worst[cell] = Worst(f.Verdict)
				}
			}
		}
		for cell, v := range worst {
			if m.cells[cell] == nil {
				m.cells[cell] = Counts{}
			}
			m.cells[cell].add(v)
		}
	}
	m.Flows = ordered(flows, mainFlows(), []string{anyFlow})
	m.Endpoints = ordered(endpoints, mainEndpoints(), otherEndpoints())
	return m
}

// ordered returns the always-named ones, then those of known that occur, then the rest by name.
func ordered(occur map[string]bool, always, known []string) []string {
	out := slices.Clone(always)
	for _, name := range known {
		if occur[name] {
			out = append(out, name)
		}
	}
	var rest []string
	for name := range occur {
		if name != "" && !slices.Contains(out, name) {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return append(out, rest...)
}

// flowWords names a flow as people do.
func flowWords(flow string) string {
	if flow == anyFlow {
		return "any flow"
	}
	return strings.ReplaceAll(flow, "_", " ")
}

// endpointWords names an endpoint as the standards do.
func endpointWords(endpoint string) string {
	switch endpoint {
	case "authorization", "token", "revocation", "introspection":
		return endpoint + " endpoint"
	case "jwks":
		return "key set"
	}
	return endpoint
}
