package load

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
)

// A job is one kind of request of the plan: a grant, with the clients and the people it goes out for.
type job struct {
	grant  target.Grant
	issues []issue // one for each pair of client and user, in turn
}

// An issue is a token request that never changes: its bytes are made once.
type issue struct {
	request oauth.Request
	bytes   []byte
	user    string // the name of the user whose password it carries
	owner   int    // tells clients and users apart
}

// jobs prepares every request of the plan, in the order of its mix.
func jobs(d *oauth.Driver, t target.Target, p Plan) ([]job, error) {
	owners := map[string]int{}
	owner := func(names ...string) int {
		key := strings.Join(names, "\x00")
		if _, known := owners[key]; !known {
			owners[key] = len(owners)
		}
		return owners[key]
	}
	out := make([]job, 0, len(p.Mix))
	for _, s := range p.Mix {
		clients, err := p.clients(t, s.Grant)
		if err != nil {
			return nil, err
		}
		users, err := p.users(t, s.Grant)
		if err != nil {
			return nil, err
		}
		j := job{grant: s.Grant}
		for _, c := range clients {
			if s.Grant == target.ClientCredentials {
				scope := ""
				if p.Scope != nil {
					scope = *p.Scope
				}
				j.issues = append(j.issues, issue{request: d.ClientCredentials(c, scope), owner: owner(c.Name)})
			}
			for _, u := range users {
				scope := t.Scopes.Default
				if p.Scope != nil {
					scope = *p.Scope
				}
				r := d.Password(c, u, scope)
				if s.Grant == target.RefreshToken {
					r = r.Changed(d.ForRefresh())
				}
				j.issues = append(j.issues, issue{request: r, user: u.Name, owner: owner(c.Name, u.Name)})
			}
		}
		if s.Grant == target.Password {
			j.issues = usersInTurn(j.issues, len(users))
		}
		for i := range j.issues {
			e, err := encode(j.issues[i].request)
			if err != nil {
				return nil, err
			}
			j.issues[i].bytes = e.whole(nil, "")
		}
		out = append(out, j)
	}
	return out, nil
}

// usersInTurn reorders pairs so that the client changes with each request, and not only the user.
func usersInTurn(pairs []issue, users int) []issue {
	clients := len(pairs) / users
	out := make([]issue, 0, len(pairs))
	for u := range users {
		for c := range clients {
			out = append(out, pairs[c*users+u])
		}
	}
	return out
}

// An envelope is a request as bytes, with a gap for one value that changes.
type envelope struct {
	head          []byte // up to the value of Content-Length
	before, after string // the body around the gap; all of it before when there is no gap
}

// gap stands for the value that changes; nothing else in a request contains it.
const gap = "flowproof-gap-a8d1"

func encode(r oauth.Request) (envelope, error) {
	u, err := url.Parse(r.FullURL())
	if err != nil {
		return envelope{}, fmt.Errorf("load: make the request: the token endpoint is not a URL")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: flowproof\r\n", r.Method, u.RequestURI(), u.Host)
	typed := false
	for _, h := range r.Header {
		if strings.ContainsAny(h.Name+h.Value, "\r\n") {
			return envelope{}, fmt.Errorf("load: make the request: header %s has a line break", h.Name)
		}
		typed = typed || strings.EqualFold(h.Name, "Content-Type")
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	if !typed {
		b.WriteString("Content-Type: application/x-www-form-urlencoded\r\n")
	}
	b.WriteString("Content-Length: ")
	body := r.Body
	if body == "" {
		body = r.Form.Encode()
	}
	before, after, _ := strings.Cut(body, gap)
	return envelope{[]byte(b.String()), before, after}, nil
}

// whole appends the request to b with the value, form-encoded, in the gap.
func (e envelope) whole(b []byte, v string) []byte {
	v = url.QueryEscape(v)
	b = append(b, e.head...)
	b = strconv.AppendInt(b, int64(len(e.before)+len(v)+len(e.after)), 10)
	b = append(b, "\r\n\r\n"...)
	b = append(b, e.before...)
	b = append(b, v...)
	return append(b, e.after...)
}
