package probe

import (
	"fmt"
	"net/http"
	"slices"
)

// A Truth is what raw requests say about a requirement.
type Truth int

// The better ones come first.
const (
	Conforms Truth = iota
	Deviates       // nothing is lost, but it is not as the standard has it
	Broken
	NotOffered
)

func (t Truth) String() string {
	return [...]string{"it conforms", "it deviates", "it is broken", "it is not offered"}[t]
}

// Agrees reports whether flowproof's verdict says the same.
func (t Truth) Agrees(verdict string) bool {
	return slices.Contains([...][]string{
		Conforms: {"pass"}, Deviates: {"note", "warn", "fail"}, Broken: {"warn", "fail"}, NotOffered: {"not-applicable"},
	}[t], verdict)
}

// A Fact is what was found out about a requirement.
type Fact struct {
	Requirement string
	Truth       Truth
	Seen        string
}

// A probing sends requests about one requirement, and tells each thing that it sees.
type probing struct {
	*Bench
	fact Fact
}

// is files one observation; the worst one counts.
func (p *probing) is(t Truth, format string, arguments ...any) {
	if t > p.fact.Truth {
		p.fact.Truth, p.fact.Seen = t, fmt.Sprintf(format, arguments...)
	}
}

// holds files whether something that must be so is so.
func (p *probing) holds(so bool, format string, arguments ...any) {
	if !so {
		p.is(Broken, format, arguments...)
	}
}

// refused files an answer that must be a refusal with one of these codes, and with that status unless it is 0.
func (p *probing) refused(what string, a Answer, status int, codes ...string) {
	code, _ := a.Members()["error"].(string)
	switch {
	case a.issued() || a.Status < http.StatusBadRequest:
		p.is(Broken, "%s: %d %s", what, a.Status, a.Body)
	case a.Status >= http.StatusInternalServerError || status != 0 && a.Status != status || !slices.Contains(codes, code):
		p.is(Deviates, "%s: %d %s", what, a.Status, code)
	}
}

// offered reports whether the peer has these clients, with these grants; else nothing can be found out.
func (p *probing) offered(client, grant string) bool {
	if slices.Contains(p.Client(client).Grants, grant) {
		return true
	}
	p.is(NotOffered, "%s has no %s", client, grant)
	return false
}
