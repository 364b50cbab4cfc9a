package catalogue

import (
	"regexp"
	"slices"
	"strings"
)

// A Document is a source that the catalogue cites.
type Document struct {
	Name  string // as citations write it: RFC 6749
	Title string
}

// A Citation is one place in a document.
type Citation struct {
	Document string // the Name of a Document
	Section  string // 4.1.2, A.12; empty: the document as a whole
}

// Documents lists the sources cited, in the order in which the catalogue introduces them.
func Documents() []Document { return slices.Clone(embedded().documents) }

// Cited returns the places that Source names, in its order.
//
// Source lists documents, separated by semicolons; after the document's name its sections, separated by commas
// and each beginning with the sign §; remarks stand in parentheses, or after a colon.
func (r Requirement) Cited() []Citation {
	var cited []Citation
	for part := range strings.SplitSeq(r.Source, ";") {
		part = remark.ReplaceAllString(strings.TrimSpace(part), "")
		name, ok := documentOf(part)
		if !ok {
			continue
		}
		sections := sectionSign.FindAllStringSubmatch(part[len(name):], -1)
		if len(sections) == 0 {
			cited = append(cited, Citation{Document: name})
		}
		for _, s := range sections {
			cited = append(cited, Citation{Document: name, Section: s[1]})
		}
	}
	return cited
}

var (
	sectionSign = regexp.MustCompile(`§([0-9A-Z]+(?:\.[0-9]+)*)`)
	remark      = regexp.MustCompile(`\([^)]*\)`)
)

// documentOf finds the longest document name that a citation begins with.
func documentOf(citation string) (string, bool) {
	name := ""
	for _, d := range embedded().documents {
		if len(d.Name) > len(name) && strings.HasPrefix(citation, d.Name) {
			name = d.Name
		}
	}
	return name, name != ""
}
