package oauth

import (
	"maps"
	"slices"
	"strings"
)

// Set gives a form parameter a value, in its old place if it had one.
func Set(name, value string) Change {
	return func(r *Request) { r.Form = r.Form.With(name, value) }
}

// Without drops form parameters.
func Without(names ...string) Change {
	return func(r *Request) { r.Form = r.Form.Without(names...) }
}

// Twice adds a form parameter at the end, whether or not it is there.
func Twice(name, value string) Change {
	return func(r *Request) { r.Form = r.Form.And(name, value) }
}

// SetQuery gives a query parameter a value, in its old place if it had one.
func SetQuery(name, value string) Change {
	return func(r *Request) { r.Query = r.Query.With(name, value) }
}

// WithoutQuery drops query parameters.
func WithoutQuery(names ...string) Change {
	return func(r *Request) { r.Query = r.Query.Without(names...) }
}

// TwiceQuery adds a query parameter at the end, whether or not it is there.
func TwiceQuery(name, value string) Change {
	return func(r *Request) { r.Query = r.Query.And(name, value) }
}

// Header gives a header one value. "Content-Type" with an empty value means that none is sent,
// and so does "User-Agent".
func Header(name, value string) Change {
	return func(r *Request) {
		WithoutHeader(name)(r)
		r.Header = r.Header.And(name, value)
	}
}

// TwiceHeader adds a header line, whether or not there is one of that name.
func TwiceHeader(name, value string) Change {
	return func(r *Request) { r.Header = r.Header.And(name, value) }
}

// WithoutHeader drops every header line of that name, whatever its letter case.
func WithoutHeader(name string) Change {
	return func(r *Request) {
		r.Header = slices.DeleteFunc(slices.Clone(r.Header), func(h Param) bool { return strings.EqualFold(h.Name, name) })
	}
}

// NoAuth drops all client authentication, client_id included.
func NoAuth() Change {
	return func(r *Request) {
		WithoutHeader("Authorization")(r)
		Without("client_id", "client_secret")(r)
	}
}

// BasicAuth authenticates by HTTP Basic alone, id and secret as they stand.
func BasicAuth(id, secret string) Change {
	return func(r *Request) {
		NoAuth()(r)
		Header("Authorization", basic(id, secret))(r)
	}
}

// BasicAuthEncoded authenticates by HTTP Basic alone, id and secret form-encoded first (RFC 6749 section 2.3.1).
func BasicAuthEncoded(id, secret string) Change {
	return func(r *Request) {
		NoAuth()(r)
		Header("Authorization", basicEncoded(id, secret))(r)
	}
}

// BodyAuth authenticates in the body alone.
func BodyAuth(id, secret string) Change {
	return func(r *Request) {
		NoAuth()(r)
		r.Form = r.Form.And("client_id", id).And("client_secret", secret)
	}
}

// ClientIDOnly identifies the client in the body and authenticates nobody.
func ClientIDOnly(id string) Change {
	return func(r *Request) {
		NoAuth()(r)
		r.Form = r.Form.And("client_id", id)
	}
}

// Bearer presents a bearer token in the header.
func Bearer(token string) Change { return Header("Authorization", "Bearer "+token) }

// Method changes the method alone.
func Method(m string) Change {
	return func(r *Request) { r.Method = m }
}

// InQuery moves the form into the query; the body is empty then, and still announced as a form.
func InQuery() Change {
	return func(r *Request) { r.Query, r.Form = append(slices.Clone(r.Query), r.Form...), Params{} }
}

// AsGET makes it a GET with the form in the query.
func AsGET() Change {
	return func(r *Request) {
		InQuery()(r)
		r.Method, r.Form = "GET", nil
	}
}

// WithBody replaces the form with a body and its content type; an empty content type sends none.
func WithBody(contentType, body string) Change {
	return func(r *Request) {
		Header("Content-Type", contentType)(r)
		r.Form, r.Body = nil, body
	}
}

// To sends the request to another URL.
func To(url string) Change {
	return func(r *Request) { r.URL = url }
}

// Titled says in other words what the request is for.
func Titled(title string) Change {
	return func(r *Request) { r.Title = title }
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
