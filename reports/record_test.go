package reports

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestWrittenRecordsAreReadBack(t *testing.T) {
	for name, record := range samples() {
		path := filepath.Join(t.TempDir(), "record.json")
		if err := keep(path, record); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// A byte that is no UTF-8 cannot be kept in JSON: it is U+FFFD from then on.
		unbroken := bytes.ReplaceAll(render(t, "json", record), []byte(`\ufffd`), []byte("\ufffd"))
		if !bytes.Equal(render(t, "json", got), unbroken) {
			t.Errorf("%s: what is read differs from what was written", name)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", name, info.Mode())
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(left) != 1 {
			t.Errorf("%s: %d files are left, %v", name, len(left), err)
		}
	}
}

func TestRecordsKeepWhatIsInThem(t *testing.T) {
	want := calmLoad()
	path := filepath.Join(t.TempDir(), "load.json")
	if err := keep(path, Record{Load: &want}); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Conformance != nil || !reflect.DeepEqual(*got.Load, want) {
		t.Errorf("got %+v", got)
	}
}

func TestWriteReplacesAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	if err := keep(path, recordOf(sampleConformance())); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := sampleLoad()
	bad.Rate.Achieved /= 0 * bad.Rate.Achieved // JSON has no infinity
	for _, record := range []Record{{Load: &bad}, {}, {Conformance: &Conformance{}, Load: &Load{}}} {
		if err := keep(path, record); err == nil {
			t.Errorf("%+v is written", record)
		}
	}
	broken := errors.New("broken")
	if err := WriteFile(path, func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the old record is gone: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	if err := keep(filepath.Join(path, "x.json"), recordOf(sampleLoad())); err == nil {
		t.Error("a record is written into a file")
	}
}

func TestReadSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	whole := string(render(t, "json", samples()["conformance"]))
	load := string(render(t, "json", samples()["load"]))
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"empty":           {"  \n", []string{"it is empty", "run it again"}},
		"truncated":       {whole[:len(whole)/2], []string{"ends in the middle", "copy it again"}},
		"one byte short":  {strings.TrimSpace(whole)[:len(strings.TrimSpace(whole))-1], []string{"ends in the middle"}},
		"not JSON":        {"<html>\n", []string{"it is not JSON (line 1", "give the record"}},
		"two records":     {whole + whole, []string{"it is not JSON (line "}},
		"a list":          {"[]", []string{"JSON array"}},
		"no schema":       {`{"results": []}`, []string{`no "schema" member`}},
		"another kind":    {`{"schema": "sarif/2.1.0"}`, []string{`"sarif/2.1.0" is none of flowproof's`, ConformanceSchema, LoadSchema}},
		"newer check":     {strings.Replace(whole, ConformanceSchema, "flowproof/conformance/v7", 1), []string{"flowproof/conformance/v7", "this flowproof reads", "newer one"}},
		"older check":     {strings.Replace(whole, ConformanceSchema, "flowproof/conformance/v0", 1), []string{"flowproof/conformance/v0", ConformanceSchema, "use the flowproof that wrote it"}},
		"newer load":      {strings.Replace(load, LoadSchema, "flowproof/load/v2", 1), []string{"flowproof/load/v2", LoadSchema}},
		"wrong type":      {strings.Replace(whole, `"exchanges": 412`, `"exchanges": "many"`, 1), []string{"line ", `"exchanges" holds a JSON string`}},
		"unknown verdict": {strings.Replace(whole, `"verdict": "fail"`, `"verdict": "great"`, 1), []string{"results[5].verdict", `"great"`, "no verdict"}},
		"wrong kind":      {strings.Replace(whole, ConformanceSchema, LoadSchema, 1), []string{"verdict", "no verdict"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "record.json")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Read(path)
			if err == nil {
				t.Fatal("it is taken")
			}
			if got.Kind() != "" {
				t.Errorf("it is refused and given")
			}
			for _, want := range append(c.want, path) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestFirstRecordsAreStillRead reads records as the first flowproof wrote them, before machines, catalogues, waivers
// and baselines stood in them.
func TestFirstRecordsAreStillRead(t *testing.T) {
	for file, now := range map[string]string{"check-first.json": "conformance", "load-first.json": "calm"} {
		old, err := Read(filepath.Join("testdata", "records", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range formatsFor(old) {
			if text := render(t, f.Name, old); len(text) == 0 {
				t.Errorf("%s of %s is empty", f.Name, file)
			}
		}
		compared, err := Compare(old, samples()[now], file, now, 0.1)
		if err != nil || old.Conformance != nil && compared.Outcome != Same {
			t.Errorf("%s: %s, %s, %v", file, compared.Outcome, compared.Reason, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range samples() {
		var out bytes.Buffer
		if err := encode(&out, r); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	for _, text := range []string{
		`{"schema":"` + ConformanceSchema + `","results":[{"verdict":"pass","findings":[{"verdict":"fail","exchanges":[{}]}]}]}`,
		`{"schema":"` + LoadSchema + `","verdict":"pass","series":[{"t":9e18}],"duration_ms":9223372036854775807,"rate":{"intended":1e308}}`,
		`{"schema":"` + LoadSchema + `","verdict":"pass","steps":[{"latency":{"percentiles":{"":-1,"99":1e308}}}],"violations":[{"count":-1}]}`,
		`{"schema":"` + ComparisonSchema + `"}`, `{"schema":"x"}`, `{"schema":null}`, `[]`, "\xef\xbb\xbf{}", strings.Repeat(`{"schema":`, 20000),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decode(text)
		if err != nil {
			return
		}
		for _, format := range formatsFor(r) {
			var out bytes.Buffer
			if err := Render(format.Name, &out, r); err != nil {
				t.Errorf("%s: %v", format.Name, err)
			}
			if most := 300<<10 + 200*len(text); out.Len() > most {
				t.Errorf("%s: %d bytes are written of %d", format.Name, out.Len(), len(text))
			}
		}
		var once, twice bytes.Buffer
		if err := encode(&once, r); err != nil {
			t.Fatal(err)
		}
		again, err := decode(once.Bytes())
		if err != nil {
			t.Fatalf("what was written of it cannot be read: %v", err)
		}
		if err := encode(&twice, again); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Errorf("it is written anew as\n%s\nnot\n%s", twice.Bytes(), once.Bytes())
		}
	})
}
