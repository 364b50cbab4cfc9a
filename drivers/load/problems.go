package load

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"flowproof/drivers/strict"
)

// A source is the file that a plan was read from.
type source = strict.File

// problems gathers all that is wrong with a plan, with the places of its file if it has one.
type problems struct {
	source *source
	list   strict.Mistakes
}

// add files a mistake of the value at a path of the plan file; of several paths, between bars, the first one
// that is there counts.
func (w *problems) add(paths, mend, what string, args ...any) {
	m := strict.Mistake{What: fmt.Sprintf(what, args...), Mend: mend}
	if w.source != nil {
		all := strings.Split(paths, "|")
		m.File = w.source.Name
		m.Line, m.Column = w.source.Place(all[max(slices.IndexFunc(all, w.source.Has), 0)])
	}
	w.list = append(w.list, m)
}

func (w *problems) err() error {
	if w.source != nil {
		return w.list.Err()
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

func pathOf(list string, i int) string { return strict.Item(list, i) }

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
