package target

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"flowproof/drivers/strict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// standIn serves the files' references.
func standIn() Lookup {
	env := map[string]string{
		"SERVICE_SECRET": "s3rvice-secret-value", "ALICE_PASSWORD": "correct horse 1", "ALICE_TOTP": "JBSW Y3DP EHPK 3PXP", "EMPTY_VARIABLE": "",
	}
	return Lookup{
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		File: func(path string) ([]byte, error) {
			switch filepath.Base(path) {
			case "web.secret":
				return []byte("w3b-secret-value\n"), nil
			case "empty.secret":
				return []byte("\n"), nil
			case "no-such-file":
				return nil, &fs.PathError{Op: "open", Path: "no-such-file", Err: fs.ErrNotExist}
			}
			return os.ReadFile(path)
		},
	}
}

func load(t *testing.T, file string) (Target, error) {
	t.Helper()
	got, err := Load(filepath.Join("testdata", file), standIn())
	return got, err
}

func TestEveryKeyIsRead(t *testing.T) {
	got, err := load(t, "good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got.URL != "https://acme.example.test/space" || got.Edition != "space-2021" || got.Timeout != 90*time.Second || !got.Guest || got.CA == "" || got.Plain != "http://acme.example.test:8080" {
		t.Errorf("read %s", got.Masked())
	}
	if e := got.Endpoints; e.Authorization != "https://acme.example.test/space/oauth/auth" || e.Token != "https://login.example.test/token?tenant=acme" || e.JWKS != "" {
		t.Errorf("endpoints %+v", e)
	}
	web, _ := got.Client("web")
	if web.Secret.Reveal() != "w3b-secret-value" || web.PKCE != "required" || !slices.Equal(web.ImplicitRedirectURIs, web.RedirectURIs) {
		t.Errorf("web %+v", web)
	}
	if alice, _ := got.User("alice"); alice.TOTP.Reveal() != "JBSWY3DPEHPK3PXP" || alice.Password.Reveal() != "correct horse 1" {
		t.Error("alice's secrets are not those of the environment")
	}
	var names []string
	for _, c := range got.Clients {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"service", "web", "spa", "mobile", "spare"}) {
		t.Errorf("clients in the order %q", names)
	}
	if len(got.SignIn) != 7 || got.SignIn[0] != (Step{Do: "fill", Selector: "#user", Value: "username"}) || !got.SignIn[1].Optional || !got.SignIn[4].Optional || got.SignIn[3].Patience != 20*time.Second || got.SignIn[6].Value != "Welcome" {
		t.Errorf("sign-in %+v", got.SignIn)
	}
	if !slices.Equal(got.SignInHosts, []string{"login.acme.test", "sso.acme.test:8443", "id.acme.test"}) {
		t.Errorf("sign-in hosts %q", got.SignInHosts)
	}
	if r := got.Refresh; r.Parameters["access_type"] != "offline" || r.Scope != "offline_access" || !r.Rotation || r.Grace != 30*time.Second {
		t.Errorf("refresh %+v", r)
	}
	if got.Resources.Scoped.Scope != "global:Project.View" || got.Resources.Scoped.Get != "https://api.example.test/projects" {
		t.Errorf("scoped resource %+v", got.Resources.Scoped)
	}
}

func TestClientsKnowTheirLines(t *testing.T) {
	got, err := load(t, "good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "good", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, c := range got.Clients {
		if c.Line < 1 || c.Line > len(lines) || !strings.HasPrefix(strings.TrimSpace(lines[c.Line-1]), c.Name+":") {
			t.Errorf("%s stands in line %d, it says", c.Name, c.Line)
		}
	}
}

func TestDefaults(t *testing.T) {
	got, err := load(t, "good/space.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const base = "https://acme.example.test"
	want := Endpoints{
		Authorization: base + "/oauth/auth", Token: base + "/oauth/token", JWKS: base + "/oauth/jwks.json",
		Consents: base + "/api/http/team-directory/profiles/oauth-consents",
	}
	if got.Endpoints != want || got.Edition != "space-2023" || got.Timeout != 10*time.Second || got.Scopes.Default != "**" {
		t.Errorf("space reads as %s", got.Masked())
	}
	if r := got.Resources; r.User.Subject != "username" || r.Any.Get != base+"/api/http/team-directory/profiles" || r.Application.Get != base+"/api/http/applications/me" || r.Scoped != nil {
		t.Errorf("resources %+v", r)
	}
	if got.Refresh.Parameters["access_type"] != "offline" || got.Clients[0].Authentication != "basic" || got.Clients[1].PKCE != "optional" {
		t.Errorf("space reads as %s", got.Masked())
	}
	got, err = load(t, "good/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got.Endpoints != (Endpoints{Token: "http://127.0.0.1:8080/token"}) || got.Edition != "" || got.Resources != (Resources{}) || got.Refresh.Parameters != nil {
		t.Errorf("rfc6749 reads as %s", got.Masked())
	}
}

func TestMistakesAreAllListedWithLineReasonAndMend(t *testing.T) {
	for _, file := range glob(t, "bad") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := Load(file, standIn())
			var m strict.Mistakes
			if !errors.As(err, &m) || len(m) == 0 {
				t.Fatalf("got %v, want mistakes", err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", strings.ReplaceAll(err.Error(), filepath.ToSlash(filepath.Dir(file))+"/", "")+"\n")
			for _, secret := range []string{"hunter2", "123456789", "s3rvice", "correct horse", "w3b"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the mistakes hold a secret: %v", err)
				}
			}
		})
	}
}

func TestAFileThatCannotBeReadIsNoMistakeInIt(t *testing.T) {
	_, err := Load("no-such-file", standIn())
	var m strict.Mistakes
	if !errors.Is(err, fs.ErrNotExist) || errors.As(err, &m) {
		t.Errorf("got %v", err)
	}
	if _, err := Load("x", Lookup{}); err == nil {
		t.Error("a file was read without a way to read files")
	}
}

func TestMaskedShowsNoSecret(t *testing.T) {
	got, err := load(t, "good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	masked := got.Masked()
	golden(t, "testdata/masked.yaml", masked)
	for _, secret := range []string{"s3rvice-secret-value", "w3b-secret-value", "correct horse 1", "JBSW"} {
		if strings.Contains(masked, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	var back map[string]any
	if err := yaml.Unmarshal([]byte(masked), &back); err != nil {
		t.Errorf("it is no YAML: %v", err)
	}
}

func TestSchemaAndReaderAgree(t *testing.T) {
	s := compiled(t)
	for _, file := range slices.Concat(glob(t, "good"), glob(t, "bad"), examples(t)) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(raw, []byte("# beyond the schema")) {
			continue
		}
		var v any
		if err := yaml.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		refused := s.Validate(viaJSON(t, v))
		if bad := strings.Contains(filepath.ToSlash(file), "/bad/"); bad != (refused != nil) {
			t.Errorf("%s: the schema says %v", file, refused)
		}
	}
}

func TestSchemaAndReaderKnowTheSameKeys(t *testing.T) {
	read := map[string]string{}
	written(reflect.StructField{Type: reflect.TypeFor[file]()}, "", read)
	inSchema := map[string]string{}
	var doc map[string]any
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	walk(doc, doc, "", inSchema)
	if !maps.Equal(read, inSchema) {
		for _, path := range slices.Sorted(maps.Keys(read)) {
			t.Logf("%q: reader %q, schema %q", path, read[path], inSchema[path])
		}
		t.Errorf("reader %d objects, schema %d: %q", len(read), len(inSchema), slices.Sorted(maps.Keys(inSchema)))
	}
}

// written gathers the keys of each object of the file's type by its path.
func written(field reflect.StructField, path string, into map[string]string) {
	typ := field.Type
	below := map[string]reflect.StructField{}
	switch typ.Kind() {
	case reflect.Pointer:
		written(reflect.StructField{Type: typ.Elem()}, path, into)
	case reflect.Slice:
		written(reflect.StructField{Type: typ.Elem()}, path+".*", into)
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(typ) {
			below[f.Tag.Get("json")] = f
		}
	case reflect.Map:
		for option := range strings.SplitSeq(field.Tag.Get("jsonschema"), ",") {
			if word, ok := strings.CutPrefix(option, "enum="); ok {
				below[word] = reflect.StructField{Type: typ.Elem()}
			}
		}
		if len(below) == 0 {
			written(reflect.StructField{Type: typ.Elem()}, path+".*", into)
		}
	}
	if len(below) > 0 {
		into[path] = strings.Join(slices.Sorted(maps.Keys(below)), " ")
	}
	for name, f := range below {
		written(f, strings.TrimPrefix(path+"."+name, "."), into)
	}
}

// walk gathers the keys of each closed object of the schema by its path.
func walk(doc, node map[string]any, path string, into map[string]string) {
	sub := func(v any, at string) {
		if m, ok := v.(map[string]any); ok {
			walk(doc, m, at, into)
		}
	}
	if ref, ok := node["$ref"].(string); ok {
		defs, _ := doc["$defs"].(map[string]any)
		sub(defs[strings.TrimPrefix(ref, "#/$defs/")], path)
	}
	for _, key := range []string{"allOf", "oneOf"} {
		some, _ := node[key].([]any)
		for _, one := range some {
			sub(one, path)
		}
	}
	if properties, ok := node["properties"].(map[string]any); ok && node["additionalProperties"] == false {
		into[path] = strings.Join(slices.Sorted(maps.Keys(properties)), " ")
		for name, one := range properties {
			sub(one, strings.TrimPrefix(path+"."+name, "."))
		}
	}
	sub(node["additionalProperties"], path+".*")
	sub(node["items"], path+".*")
}

// examples are the target files that people copy.
func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/targets/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	return files
}

func TestTheExamplesParse(t *testing.T) {
	l := Lookup{
		Env:  func(string) (string, bool) { return "JBSWY3DPEHPK3PXP", true },
		File: func(string) ([]byte, error) { return []byte("a-secret\n"), nil },
	}
	for _, file := range examples(t) {
		name := filepath.Base(file)
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(name, raw, l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Name+".yaml" != name || len(got.Users) == 0 || !strings.HasPrefix(string(raw), "# ") {
			t.Errorf("%s is called %s, has %d users, or does not begin by saying what it is", name, got.Name, len(got.Users))
		}
		if name != "space.yaml" {
			continue
		}
		for _, g := range Grants() {
			if !slices.ContainsFunc(got.Clients, func(c Client) bool { return c.Has(g) }) {
				t.Errorf("%s: no client shows %s", name, g)
			}
		}
		if got.Profile != "space" || len(got.SignIn) != 0 {
			t.Errorf("%s reads as %s", name, got.Masked())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, dir := range []string{"good", "bad"} {
		files, _ := filepath.Glob("testdata/" + dir + "/*.yaml")
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
	l := Lookup{
		Env:  func(string) (string, bool) { return "value-of-env", true },
		File: func(string) ([]byte, error) { return []byte("value-of-file"), nil },
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Parse("x.yaml", raw, l)
		if err == nil {
			_ = got.Masked()
			if got.URL == "" || got.Endpoints.Token == "" || len(got.Clients) == 0 {
				t.Errorf("accepted %q as %+v", raw, got)
			}
			return
		}
		var m strict.Mistakes
		if !errors.As(err, &m) || len(m) == 0 || m[0].Line < 1 || m[0].Column < 1 {
			t.Errorf("refused %q with %v", raw, err)
		}
	})
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("target.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("target.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func viaJSON(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func glob(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/" + dir + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	return files
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzRecipe: a recipe that is accepted says what to do in each step, and shows itself as one that reads the same.
func FuzzRecipe(f *testing.F) {
	for _, seed := range []string{
		"auto", "[]", "- fill: {selector: '#u', value: username}\n- fill: {selector: '#p', value: password}\n- click: {selector: b, optional: true}\n- wait: {selector: x}\n  optional: true",
		"- totp: {selector: '#o'}\n- expect: {selector: body, text: \"a\\nb\\u202e\"}", "- {fill: {selector: a, value: b}, click: {selector: c}}", "- {}", "- optional: true",
		"- click: {selector: &a b}\n- click: {selector: *a}", "- click: {selector: '*'}\n- wait: {selector: '- a: b'}", "- expect: {selector: a, text: null}", "{click: {selector: a}}", "- !!x click: 1",
	} {
		f.Add(seed)
	}
	l := Lookup{Env: func(string) (string, bool) { return "value-of-env", true }}
	read := func(recipe string) (Target, error) {
		indented := strings.ReplaceAll("\n"+recipe, "\n", "\n  ")
		return Parse("x.yaml", []byte("name: a\nurl: https://a.test\nprofile: space\nclients: {c: {id: x, secret: env:S, grants: [client_credentials]}}\nsign_in:"+indented), l)
	}
	f.Fuzz(func(t *testing.T, recipe string) {
		got, err := read(recipe)
		if err != nil {
			var m strict.Mistakes
			if !errors.As(err, &m) || len(m) == 0 || m[0].What == "" {
				t.Errorf("%q is refused with %v", recipe, err)
			}
			return
		}
		for _, s := range got.SignIn {
			if !slices.Contains([]string{"fill", "click", "wait", "expect", "totp"}, s.Do) || s.Selector == "" || (s.Value != "") != (s.Do == "fill" || s.Do == "expect") {
				t.Errorf("%q reads as %+v", recipe, s)
			}
		}
		if slices.ContainsFunc(got.SignIn, func(s Step) bool { return strings.ContainsFunc(s.Selector+s.Value, unicode.IsControl) }) {
			return // the library does not quote each of them; nothing secret or wrong comes of it
		}
		shown := strings.ReplaceAll(got.Masked(), mask, "env:S")
		again, err := Parse("x.yaml", []byte(shown), l)
		if err != nil || !slices.Equal(again.SignIn, got.SignIn) {
			t.Errorf("%q reads as %+v, and what it shows of itself as %+v (%v)\n%s", recipe, got.SignIn, again.SignIn, err, shown)
		}
	})
}
