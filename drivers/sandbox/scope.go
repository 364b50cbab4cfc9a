package sandbox

import (
	"errors"
	"slices"
	"strings"
)

// A scope is a set of rights, each context and permission; all of them when all is set.
type scope struct {
	all   bool
	items []string // sorted, each once
	text  string   // as answers show it
}

var errScope = errors.New("the scope is malformed or names an unknown permission")

// grammar reads scopes in the form of an edition of Space.
type grammar struct {
	old bool // 2021: Entity:Permission,Permission
	lax bool // what cannot be read is taken as it stands
}

// parse reads a scope; a space separates its items, and ** is everything.
func (g grammar) parse(text string) (scope, error) {
	if text == "**" {
		return scope{all: true, text: text}, nil
	}
	var items []string
	for item := range strings.SplitSeq(text, " ") {
		if item == "**" { // beside it, nothing else matters
			return scope{all: true, text: "**"}, nil
		}
		read, ok := g.item(item)
		switch {
		case ok:
			items = append(items, read...)
		case g.lax && malformed(item):
			items = append(items, item)
		default:
			return scope{}, errScope
		}
	}
	return newScope(items), nil
}

func newScope(items []string) scope {
	slices.Sort(items)
	items = slices.Compact(items)
	return scope{items: items, text: strings.Join(items, " ")}
}

// literal reads a scope without asking whether its items exist: one that a token carries.
func literal(text string) scope {
	if text == "**" {
		return scope{all: true, text: text}
	}
	return newScope(strings.Fields(text))
}

func (g grammar) item(item string) ([]string, bool) {
	if g.old {
		return oldItem(item)
	}
	// The context may hold colons (project:key:PROJ), the permission's code never does.
	cut := strings.LastIndexByte(item, ':')
	if cut < 0 {
		return nil, false
	}
	return []string{item}, isContext(item[:cut]) && isPermission(item[cut+1:])
}

// malformed reports whether an item is not even of the right form; one that is may still be unknown.
func malformed(item string) bool {
	cut := strings.LastIndexByte(item, ':')
	return item != "" && (cut < 1 || cut == len(item)-1 || strings.Contains(item, "::") || strings.ContainsFunc(item, notIdentifier))
}

func isContext(c string) bool {
	if c == "global" {
		return true
	}
	kind, id, found := strings.Cut(c, ":")
	if !found || id == "" || strings.ContainsFunc(id, notIdentifier) {
		return false
	}
	return kind == "project" || kind == "channel" || kind == "packageRepository"
}

func notIdentifier(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune(":-_.", r)
}

func isPermission(code string) bool {
	switch code {
	case "Profile.View", "Profile.View.Basic", "Profile.Edit", "Profile.Memberships.View",
		"Profile.Absences.View", "Profile.Absences.Edit", "Project.View", "Project.Issues.View",
		"Project.Issues.Create", "Team.View", "Team.Create", "Team.Edit", "Channel.ViewMessages",
		"Channel.PostMessages", "Article.Comments.Post", "VcsRepository.Read":
		return true
	}
	return false
}

// oldItem reads <permissions> or <Entity>:<permissions>, where permissions are * or a comma list.
func oldItem(item string) ([]string, bool) {
	entity, list, found := strings.Cut(item, ":")
	if !found {
		entity, list = "", item
	}
	prefix := ""
	if found {
		prefix = entity + ":"
	}
	var items []string
	for p := range strings.SplitSeq(list, ",") {
		if !isOldPermission(entity, p) {
			return nil, false
		}
		items = append(items, prefix+p)
	}
	return items, true
}

func isOldPermission(entity, p string) bool {
	var known string
	switch entity {
	case "":
		known = "AddNewProfile AddNewTeam AddNewProject"
	case "Profile":
		known = "ViewProfile EditProfile ViewAbsences EditAbsences EditLanguages *"
	case "Project":
		known = "ViewProject EditProject CreateIssues *"
	case "Team":
		known = "ViewTeam EditTeam *"
	}
	return p != "" && slices.Contains(strings.Fields(known), p)
}

// covers reports whether the right is in the scope.
func (s scope) covers(item string) bool {
	if s.all || slices.Contains(s.items, item) {
		return true
	}
	entity, _, found := strings.Cut(item, ":")
	return found && slices.Contains(s.items, entity+":*")
}

// within reports whether t covers all of s.
func (s scope) within(t scope) bool {
	if t.all {
		return true
	}
	return !s.all && !slices.ContainsFunc(s.items, func(i string) bool { return !t.covers(i) })
}

// restricted is what remains of s when only t may be granted: everything asked for means all of t,
// a named right outside it is an error.
func (s scope) restricted(t scope) (scope, error) {
	switch {
	case s.all:
		return t, nil
	case s.within(t):
		return s, nil
	}
	return scope{}, errScope
}

// union is what either scope allows.
func union(a, b scope) scope {
	if a.all || b.all {
		return scope{all: true, text: "**"}
	}
	return newScope(slices.Concat(a.items, b.items))
}

// fixtures are the scope values that a target file names.
type fixtures struct {
	standard, narrow, first, second, third, forbidden, projects, absences string
}

func (s *Sandbox) scopes() fixtures {
	if s.grammar.old {
		return fixtures{
			standard: "**", narrow: "Profile:ViewProfile", first: "Profile:ViewProfile", second: "Project:ViewProject",
			third: "Team:ViewTeam", forbidden: "Nowhere:Else", projects: "Project:ViewProject", absences: "Profile:ViewAbsences",
		}
	}
	return fixtures{
		standard: "**", narrow: "global:Profile.View", first: "global:Profile.View", second: "global:Project.View",
		third: "global:Team.View", forbidden: "global:Nowhere.Else", projects: "global:Project.View", absences: "global:Profile.Absences.View",
	}
}
