package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	invopop "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"flowproof/drivers/strict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// generated is the JSON Schema of the plan file, made from its type and the comments there.
func generated(t *testing.T) []byte {
	t.Helper()
	text := func(pattern, example string) *invopop.Schema {
		return &invopop.Schema{Type: "string", Pattern: pattern, Examples: []any{example}}
	}
	own := map[reflect.Type]func() *invopop.Schema{
		reflect.TypeFor[rateText](): func() *invopop.Schema {
			return text(`^\s*[0-9.eE+]+\s*/\s*(s|sec|second|m|min|minute|h|hour)\s*$`, "500/s")
		},
		reflect.TypeFor[time.Duration](): func() *invopop.Schema { return text(`^([0-9.]+(ns|us|µs|ms|s|m|h))+$`, "1m30s") },
		reflect.TypeFor[shareText](): func() *invopop.Schema {
			return &invopop.Schema{OneOf: []*invopop.Schema{text(`^[0-9.]+%?$`, "1%"), {Type: "number", ExclusiveMinimum: "0", ExclusiveMaximum: "1"}}}
		},
		reflect.TypeFor[boundText](): func() *invopop.Schema {
			return text(`^\s*([a-z0-9_.-]+:)?\s*(latency\.|service\.)?[a-z0-9_.]+\s*(<=|>=|<|>).+$`, "p99<250ms")
		},
		reflect.TypeFor[abortText](): func() *invopop.Schema { return text(`^.+>.+ for .+$`, "errors>50% for 5s") },
		reflect.TypeFor[connectionFile](): func() *invopop.Schema {
			number := func() *invopop.Schema { return &invopop.Schema{Type: "integer", Minimum: "1"} }
			both := invopop.NewProperties()
			both.Set("from", number())
			both.Set("to", number())
			return &invopop.Schema{OneOf: []*invopop.Schema{number(), {Type: "object", Properties: both, Required: []string{"from", "to"}, AdditionalProperties: invopop.FalseSchema}}}
		},
	}
	r := &invopop.Reflector{
		Anonymous: true, ExpandedStruct: true, RequiredFromJSONSchemaTags: true,
		Mapper: func(typ reflect.Type) *invopop.Schema {
			if f := own[typ]; f != nil {
				return f()
			}
			if typ == reflect.TypeFor[map[string]shareText]() {
				kinds := invopop.NewProperties()
				for _, h := range Hostilities() {
					kinds.Set(string(h), own[reflect.TypeFor[shareText]()]())
				}
				return &invopop.Schema{Type: "object", Properties: kinds, AdditionalProperties: invopop.FalseSchema}
			}
			return nil
		},
	}
	said := comments(t)
	r.LookupComment = func(typ reflect.Type, field string) string {
		if field != "" {
			return said[typ.Name()+"."+field]
		}
		return said[typ.Name()]
	}
	s := r.Reflect(planFile{})
	s.ID, s.Title = "urn:flowproof:plan", "flowproof load plan"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// comments are those of the types of the plan file and of their fields.
func comments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "planfile.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || len(g.Specs) != 1 {
			continue
		}
		spec, ok := g.Specs[0].(*ast.TypeSpec)
		if !ok {
			continue
		}
		said[spec.Name.Name] = strings.TrimSpace(strings.TrimPrefix(g.Doc.Text(), spec.Name.Name+" is "))
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				said[spec.Name.Name+"."+f.Names[0].Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
		}
	}
	return said
}

func TestSchemaIsThatOfTheType(t *testing.T) {
	text := generated(t)
	if *update {
		if err := os.WriteFile("plan.schema.json", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(Schema(), text) {
		t.Error("plan.schema.json is not that of the type (rewrite with -update)")
	}
}

func plans(t *testing.T, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no plans", err)
	}
	return files
}

// What the schema refuses an editor shows, and what it lets through the reader takes, but for what no schema
// can say.
func TestSchemaAndReaderAgree(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("plan", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("plan")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Glob("../../testdata/plans/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(append(plans(t, "good"), plans(t, "bad")...), examples...) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(raw, []byte("# beyond the schema")) {
			continue
		}
		var v any
		if err := yaml.Unmarshal(raw, &v); err != nil {
			t.Fatal(file, err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		refused := schema.Validate(instance)
		if bad := strings.Contains(filepath.ToSlash(file), "/bad/"); bad != (refused != nil) {
			t.Errorf("%s: the schema says %v", file, refused)
		}
	}
}

func TestExamplesAreRead(t *testing.T) {
	examples, err := filepath.Glob("../../testdata/plans/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples", err)
	}
	for _, file := range append(plans(t, "good"), examples...) {
		if _, err := ReadPlan(file, os.ReadFile); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	p, err := ReadPlan("testdata/good/full.yaml", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[planFile](), reflect.TypeFor[scenarioFile](), reflect.TypeFor[stageFile]()} {
		for i := range typ.NumField() {
			name := typ.Field(i).Tag.Get("json")
			if !bytes.Contains(raw, []byte(name+":")) && name != "rate" && name != "streams" {
				t.Errorf("the full plan does not write %s", name)
			}
		}
	}
	if p.Name != "everything" || p.Model != Open || p.Arrivals != Poisson || p.Seed != 7 || p.WarmUp != 5*time.Second || p.Count != 100_000 ||
		p.Connections != 256 || p.ConnectionsFrom != 16 || p.Protocol != HTTP1 || !p.NoKeepAlive || p.Timeout != 5*time.Second || p.MaxRate != 1000 {
		t.Errorf("%+v", p)
	}
	if len(p.Stages) != 4 || p.Stages[0] != (Stage{Rate: 100, Duration: 10 * time.Second}) || p.Stages[1] != (Stage{Ramp: true, Rate: 500, Duration: 30 * time.Second}) || p.Stages[3].Rate != 0 {
		t.Errorf("%+v", p.Stages)
	}
	if len(p.Nodes) != 2 || p.Nodes[0] != "https://node-1.acme.test:8443" {
		t.Error(p.Nodes)
	}
	if len(p.Thresholds) != 2 || p.Thresholds[1].String() != "login.redeem:service.p99<100ms" || len(p.Abort) != 2 || p.Abort[1].String() != "p99>2s for 10s" {
		t.Errorf("%v %v", p.Thresholds, p.Abort)
	}
	s := p.Scenarios
	if len(s) != 3 || s[0].Name != "service" || s[0].Weight != 8 || *s[0].Scope != "" || len(s[0].Hostile) != 2 || s[0].Hostile[1] != (Hostile{UnknownClient, 0.005}) {
		t.Errorf("%+v", s)
	}
	if s[1].ThinkTime != 2*time.Second || len(s[1].People) != 3 || s[1].People[2].Username != "zoe" || s[1].People[2].Password.Reveal() != `with "quotes", and a comma` || s[1].PeopleAre != "people.csv (3 users)" {
		t.Errorf("%+v", s[1])
	}
	if s[2].Resource != "user" || s[2].Clients[0] != "web" || s[2].Users[0] != "alice" {
		t.Errorf("%+v", s[2])
	}
}

func TestMistakesAreAllListedWithLineReasonAndMend(t *testing.T) {
	for _, file := range plans(t, "bad") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := ReadPlan(file, os.ReadFile)
			var m strict.Mistakes
			if !errors.As(err, &m) || len(m) == 0 {
				t.Fatalf("got %v, want mistakes", err)
			}
			got := strings.ReplaceAll(err.Error(), filepath.ToSlash(filepath.Dir(file))+"/", "") + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(got, "hunter2") {
				t.Error("a password is shown")
			}
		})
	}
}

// The places of the file are there for what only the target tells, too.
func TestMistakesAboutTheTargetHaveTheirPlace(t *testing.T) {
	p, err := ReadPlan("testdata/good/full.yaml", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	tgt := testTarget()
	tgt.Endpoints.Authorization, tgt.Resources.User = "", nil
	_, err = p.resolved(tgt)
	var m strict.Mistakes
	if !errors.As(err, &m) {
		t.Fatal(err)
	}
	for _, want := range []string{"full.yaml:31:", "authorization endpoint", `the resource "user"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
}
