package load

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"flowproof/drivers/target"
)

// A source is the file that a plan was read from, with the place of each of its values.
type source struct {
	file   string
	places map[string]place // by path: stages[1].hold
}

type place struct{ line, column int }

// at is where the value stands, or, if it is not there, what it would stand in.
func (s *source) at(paths string) place {
	all := strings.Split(paths, "|")
	for _, path := range all {
		if at, ok := s.places[path]; ok && path != "" {
			return at
		}
	}
	for path := all[0]; path != ""; path = path[:max(strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, '['), 0)] {
		if at, ok := s.places[path]; ok {
			return at
		}
	}
	return place{1, 1}
}

// problems gathers all that is wrong with a plan, with the places of its file if it has one.
type problems struct {
	source *source
	list   []target.Mistake
}

// add files a mistake of the value at a path of the plan file; of several paths, between bars, the first one
// that is there counts.
func (w *problems) add(path, mend, what string, args ...any) {
	m := target.Mistake{What: fmt.Sprintf(what, args...), Mend: mend}
	if w.source != nil {
		at := w.source.at(path)
		m.File, m.Line, m.Column = w.source.file, at.line, at.column
	}
	w.list = append(w.list, m)
}

func (w *problems) err() error {
	if len(w.list) == 0 {
		return nil
	}
	if w.source != nil {
		m := &target.Mistakes{List: w.list}
		m.Sort()
		return m
	}
	var all []error
	for _, m := range w.list {
		text := m.What
		if m.Mend != "" {
			text += "; " + m.Mend
		}
		all = append(all, errors.New("load: "+text))
	}
	return errors.Join(all...)
}

func pathOf(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// list joins words for a sentence.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// wrongNode tells what is wrong with a base URL, and never repeats it: it may hold a password.
func wrongNode(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "a node is no URL"
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "a node has to be an http or https URL with a host"
	case u.User != nil:
		return "a node must not hold a user or a password"
	case u.RawQuery != "" || u.Fragment != "":
		return "a node has neither query nor fragment"
	}
	return ""
}
