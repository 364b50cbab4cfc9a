package mangle

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// members bends each member of a JSON object.
func members(s *Sighting) []Mutant {
	var out []Mutant
	for _, name := range s.members.sorted() {
		for how, bend := range map[string]func(name string, value any) []member{
			"dropped":              func(string, any) []member { return nil },
			"renamed":              func(n string, v any) []member { return []member{{renamed(n), v}} },
			"null":                 func(n string, _ any) []member { return []member{{n, nil}} },
			"empty":                func(n string, _ any) []member { return []member{{n, ""}} },
			"in an array":          func(n string, v any) []member { return []member{{n, []any{v}}} },
			"of another type":      func(n string, v any) []member { return []member{{n, retyped(v)}} },
			"altered":              func(n string, v any) []member { return []member{{n, alteredValue(v)}} },
			"in a line of its own": func(n string, v any) []member { return []member{{n, lined(v)}} },
			"twice":                func(n string, v any) []member { return []member{{n, v}, {n, alteredValue(v)}} },
		} {
			out = append(out, Mutant{Name: "member " + name + " " + how, answers: func(a *answer) bool { return a.rewrite(name, bend) }})
		}
	}
	sortByName(out)
	return out
}

type member struct {
	name  string
	value any
}

// rewrite changes one member and keeps the others.
func (a *answer) rewrite(name string, how func(string, any) []member) bool {
	var had map[string]any
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.UseNumber()
	if decoder.Decode(&had) != nil {
		return false
	}
	value, there := had[name]
	if !there {
		return false
	}
	var list []member
	for _, k := range slices.Sorted(maps.Keys(had)) {
		if k != name {
			list = append(list, member{k, had[k]})
		}
	}
	was := string(object(append(slices.Clip(list), member{name, value})))
	bent := object(append(slices.Clip(list), how(name, value)...))
	if string(bent) == was {
		return false
	}
	a.body = bent
	return true
}

// object writes members in their order, repeated ones repeatedly.
func object(list []member) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(m.name)
		value, _ := json.Marshal(m.value)
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func retyped(v any) any {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case bool:
		return map[bool]string{true: "true", false: "false"}[v]
	case string:
		return 7
	default:
		return "[]"
	}
}

func alteredValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		return json.Number(v.String() + "0")
	case bool:
		return !v
	case string:
		return altered(v)
	default:
		return []any{}
	}
}

// lined puts a line break into a text.
func lined(v any) any {
	if s, is := v.(string); is {
		return s + "\n"
	}
	return v
}

// documents bends a JSON answer as a whole.
func documents(s *Sighting) []Mutant {
	if len(s.members) == 0 {
		return nil
	}
	bends := map[string]func(string) string{
		"body empty":                   func(string) string { return "" },
		"body cut":                     func(b string) string { return b[:len(b)/2] },
		"body in an array":             func(b string) string { return "[" + b + "]" },
		"body in an envelope":          func(b string) string { return `{"data":` + b + "}" },
		"body after a byte order mark": func(b string) string { return "\ufeff" + b },
		"body with a comma at the end": func(b string) string { return strings.TrimSuffix(strings.TrimSpace(b), "}") + ",}" },
		"body with more after it":      func(b string) string { return b + "<!-- served by mangle -->" },
		"body with an unknown member":  func(b string) string { return strings.Replace(b, "{", `{"x_unknown":[1],`, 1) },
		"body with names in capitals":  capitals,
	}
	var out []Mutant
	for name, bend := range bends {
		out = append(out, Mutant{Name: name, answers: func(a *answer) bool {
			if !json.Valid(a.body) {
				return false
			}
			was := string(a.body)
			a.body = []byte(bend(was))
			return string(a.body) != was
		}})
	}
	out = append(out, Mutant{Name: "body torn off", answers: func(a *answer) bool {
		a.torn = len(a.body) > 1
		return a.torn
	}})
	sortByName(out)
	return out
}

func capitals(body string) string {
	var had map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &had) != nil {
		return body
	}
	out := map[string]json.RawMessage{}
	for k, v := range had {
		out[strings.ToUpper(k)] = v
	}
	text, _ := json.Marshal(out)
	return string(text)
}
