// Package oauth speaks to the endpoints of an authorization server, wrongly if asked, and
// returns each exchange as evidence.
package oauth

import (
	"net/url"
	"slices"
	"strings"
)

// A Param is one name and its value.
type Param struct{ Name, Value string }

// Params keep order and repetition, which url.Values would lose.
type Params []Param

// Get returns the first value of name.
func (p Params) Get(name string) string {
	for _, q := range p {
		if q.Name == name {
			return q.Value
		}
	}
	return ""
}

// Has reports whether name is there at all, even empty.
func (p Params) Has(name string) bool {
	return slices.ContainsFunc(p, func(q Param) bool { return q.Name == name })
}

// With returns the parameters with name set to value, in its old place if it had one.
func (p Params) With(name, value string) Params {
	out := slices.Clone(p)
	for i := range out {
		if out[i].Name == name {
			out[i].Value = value
			return out
		}
	}
	return append(out, Param{name, value})
}

// And returns the parameters with one more at the end, repeated or not.
func (p Params) And(name, value string) Params {
	return append(slices.Clone(p), Param{name, value})
}

// Without returns the parameters without any of the names.
func (p Params) Without(names ...string) Params {
	return slices.DeleteFunc(slices.Clone(p), func(q Param) bool { return slices.Contains(names, q.Name) })
}

// Encode writes the parameters as application/x-www-form-urlencoded (RFC 6749 appendix B).
func (p Params) Encode() string {
	var b strings.Builder
	for i, q := range p {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(q.Name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(q.Value))
	}
	return b.String()
}

// A Request is exactly what is sent; nothing is added but Host, Content-Length and User-Agent.
type Request struct {
	Title  string // what it is for, in words: "redeem the code"
	Client string // the name of the target's client that it stands for, for the report
	Method string
	URL    string // a query in it is sent as it stands
	Query  Params // appended to the URL
	Header Params // in this order, repetition kept
	Form   Params // the body, form-encoded, with its content type unless Header names one
	Body   string // the body verbatim, instead of Form
}

// A Change spoils or adorns a request. Probes start from a valid request and change one thing.
type Change func(*Request)

// Changed returns the request with the changes made to a copy of it.
func (r Request) Changed(changes ...Change) Request {
	r.Query, r.Header, r.Form = slices.Clone(r.Query), slices.Clone(r.Header), slices.Clone(r.Form)
	for _, c := range changes {
		c(&r)
	}
	return r
}
