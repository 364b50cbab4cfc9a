package reports

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	invopop "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// generated makes the JSON Schema of a record from its Go type and the comments there.
func generated(t *testing.T, record any, id string) []byte {
	t.Helper()
	r := &invopop.Reflector{
		AllowAdditionalProperties: true, Anonymous: true, ExpandedStruct: true,
		Mapper: func(typ reflect.Type) *invopop.Schema {
			if typ != reflect.TypeFor[Verdict]() {
				return nil
			}
			s := &invopop.Schema{Type: "string"}
			for _, v := range Verdicts() {
				s.Enum = append(s.Enum, string(v))
			}
			return s
		},
	}
	if err := r.AddGoComments("flowproof/reports", "."); err != nil {
		t.Fatal(err)
	}
	s := r.Reflect(record)
	member, ok := s.Properties.Get("schema")
	if !ok {
		t.Fatal("the record has no schema member")
	}
	member.Const = id
	s.Title = "The record " + id
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func TestSchemasAreThoseOfTheTypes(t *testing.T) {
	for kind, text := range map[string][]byte{
		"conformance": generated(t, Conformance{}, ConformanceSchema),
		"load":        generated(t, Load{}, LoadSchema),
		"comparison":  generated(t, Comparison{}, ComparisonSchema),
	} {
		if *update {
			if err := os.WriteFile(kind+".schema.json", text, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if !bytes.Equal(Schema(kind), text) {
			t.Errorf("%s.schema.json is not that of the types (rewrite with -update)", kind)
		}
	}
	if Schema("nonsense") != nil {
		t.Error("there is a schema of nonsense")
	}
}

func compiled(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema(kind)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(kind, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(kind)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecordsKeepTheirSchema(t *testing.T) {
	all := samples()
	all["no results"] = Record{Conformance: &Conformance{}}
	all["no load"] = Record{Load: &Load{Verdict: Inconclusive}}
	for name, record := range all {
		var out bytes.Buffer
		if err := encode(&out, record); err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled(t, record.Kind()).Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefusesWhatIsNoRecord(t *testing.T) {
	for _, change := range []func(map[string]any){
		func(m map[string]any) { m["schema"] = LoadSchema },
		func(m map[string]any) { delete(m, "target") },
		func(m map[string]any) { m["results"] = nil },
		func(m map[string]any) { m["results"].([]any)[0].(map[string]any)["verdict"] = "great" },
	} {
		var doc map[string]any
		if err := json.Unmarshal(render(t, "json", samples()["conformance"]), &doc); err != nil {
			t.Fatal(err)
		}
		change(doc)
		if compiled(t, "conformance").Validate(doc) == nil {
			t.Error("a broken record is taken")
		}
	}
}

func TestSchemasNameEachField(t *testing.T) {
	for kind, typ := range map[string]reflect.Type{"conformance": reflect.TypeFor[Conformance](), "load": reflect.TypeFor[Load](), "comparison": reflect.TypeFor[Comparison]()} {
		var doc struct {
			Properties map[string]any
			Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
		}
		if err := json.Unmarshal(Schema(kind), &doc); err != nil {
			t.Fatal(err)
		}
		seen := map[reflect.Type]bool{}
		var walk func(reflect.Type, map[string]any)
		walk = func(typ reflect.Type, properties map[string]any) {
			for i := range typ.NumField() {
				field := typ.Field(i)
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				if name == "" || name != strings.ToLower(name) {
					t.Errorf("%s.%s has no JSON name in small letters", typ.Name(), field.Name)
				}
				if properties[name] == nil {
					t.Errorf("%s.schema.json does not name %s.%s", kind, typ.Name(), field.Name)
				}
				inner := field.Type
				for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Map || inner.Kind() == reflect.Pointer {
					inner = inner.Elem()
				}
				if inner.Kind() == reflect.Struct && !seen[inner] {
					seen[inner] = true
					walk(inner, doc.Defs[inner.Name()].Properties)
				}
			}
		}
		walk(typ, doc.Properties)
	}
}
