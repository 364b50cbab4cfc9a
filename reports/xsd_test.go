package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// An xsdNode is an element of a schema, or of a document held to it.
type xsdNode struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Kids    []xsdNode  `xml:",any"`
	Text    string     `xml:",chardata"`
}

func (n xsdNode) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n xsdNode) named(element, name string) (xsdNode, bool) {
	i := slices.IndexFunc(n.Kids, func(k xsdNode) bool { return k.XMLName.Local == element && k.attr("name") == name })
	if i < 0 {
		return xsdNode{}, false
	}
	return n.Kids[i], true
}

// An xsd is a schema of what JUnit's needs: elements, sequences, choices, attributes and patterns.
type xsd struct{ root xsdNode }

func readXML(t *testing.T, text []byte) xsdNode {
	t.Helper()
	var n xsdNode
	if err := xml.NewDecoder(bytes.NewReader(text)).Decode(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// model writes the order of children as a pattern over their names, each in angle brackets.
func (x xsd) model(n xsdNode) string {
	var parts []string
	for _, k := range n.Kids {
		switch k.XMLName.Local {
		case "element":
			name := k.attr("ref")
			if name == "" {
				name = k.attr("name")
			}
			parts = append(parts, x.times(k, "<"+regexp.QuoteMeta(name)+">"))
		case "sequence", "choice":
			parts = append(parts, x.times(k, x.model(k)))
		}
	}
	if n.XMLName.Local == "choice" {
		return "(" + strings.Join(parts, "|") + ")"
	}
	return "(" + strings.Join(parts, "") + ")"
}

func (x xsd) times(n xsdNode, pattern string) string {
	low, high := n.attr("minOccurs"), n.attr("maxOccurs")
	switch {
	case low == "0" && high == "unbounded":
		return "(" + pattern + ")*"
	case low == "0":
		return "(" + pattern + ")?"
	case high == "unbounded":
		return "(" + pattern + ")+"
	}
	return pattern
}

// check says what in the element is not as the schema has it.
func (x xsd) check(n xsdNode, path string) []string {
	path += "/" + n.XMLName.Local
	decl, ok := x.root.named("element", n.XMLName.Local)
	if !ok {
		return []string{path + ": no such element"}
	}
	if decl.attr("type") == "xs:string" {
		if len(n.Kids) > 0 || len(n.Attrs) > 0 {
			return []string{path + ": text only"}
		}
		return nil
	}
	var wrong []string
	typ, named := x.root.named("complexType", decl.attr("type"))
	if !named {
		typ = decl.Kids[slices.IndexFunc(decl.Kids, func(k xsdNode) bool { return k.XMLName.Local == "complexType" })]
	}
	for _, a := range n.Attrs {
		rule, ok := typ.named("attribute", a.Name.Local)
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s: no attribute %s", path, a.Name.Local))
			continue
		}
		if simple, ok := x.root.named("simpleType", rule.attr("type")); ok {
			pattern := simple.Kids[0].Kids[0].attr("value")
			if !regexp.MustCompile("^(" + pattern + ")$").MatchString(a.Value) {
				wrong = append(wrong, fmt.Sprintf("%s: %s=%q", path, a.Name.Local, a.Value))
			}
		}
	}
	for _, k := range typ.Kids {
		if k.XMLName.Local == "attribute" && k.attr("use") == "required" && !slices.ContainsFunc(n.Attrs, func(a xml.Attr) bool { return a.Name.Local == k.attr("name") }) {
			wrong = append(wrong, fmt.Sprintf("%s: %s is missing", path, k.attr("name")))
		}
	}
	names := ""
	for _, k := range n.Kids {
		names += "<" + k.XMLName.Local + ">"
		wrong = append(wrong, x.check(k, path)...)
	}
	if !regexp.MustCompile("^" + x.model(typ) + "$").MatchString(names) {
		wrong = append(wrong, path+": children "+names)
	}
	if typ.attr("mixed") != "true" && strings.TrimSpace(n.Text) != "" {
		wrong = append(wrong, path+": text between elements")
	}
	return wrong
}

// TestJUnitKeepsItsSchema holds JUnit XML to the schema of Jenkins' xUnit plug-in, the strictest of its readers.
func TestJUnitKeepsItsSchema(t *testing.T) {
	text, err := os.ReadFile("testdata/schemas/junit-10.xsd")
	if err != nil {
		t.Fatal(err)
	}
	schema := xsd{readXML(t, text)}
	for name, record := range hostileSamples() {
		if !slices.ContainsFunc(formatsFor(record), func(f Format) bool { return f.Name == "junit" }) {
			continue
		}
		for _, wrong := range schema.check(readXML(t, render(t, "junit", record)), "") {
			t.Errorf("%s: %s", name, wrong)
		}
	}
	for _, bad := range []string{
		`<testsuites><testsuite name="a" tests="1" failures="0" errors="0"><testcase><failure/></testcase></testsuite></testsuites>`,
		`<testsuites skipped="1"></testsuites>`,
		`<testsuites time="fast"></testsuites>`,
		`<testsuites><testcase name="a"/></testsuites>`,
		`<testsuite name="a" tests="1" failures="0" errors="0"><testcase name="b"><properties/></testcase></testsuite>`,
	} {
		if len(schema.check(readXML(t, []byte(bad)), "")) == 0 {
			t.Errorf("the schema takes %s", bad)
		}
	}
}
