package mangle

import (
	"net/url"
	"strings"
)

// A pair is a name and its value in a query, a form or a fragment.
type pair struct{ name, value string }

// bendPairs changes every pair of that name and leaves the others as they stand, to the letter. It reports whether
// that made a difference.
func bendPairs(raw, name string, how func(pair) []pair) (string, bool) {
	if raw == "" {
		return raw, false
	}
	var out []string
	for part := range strings.SplitSeq(raw, "&") {
		k, v, _ := strings.Cut(part, "=")
		key, err := url.QueryUnescape(k)
		value, wrong := url.QueryUnescape(v)
		if err != nil || wrong != nil || key != name {
			out = append(out, part)
			continue
		}
		for _, p := range how(pair{key, value}) {
			out = append(out, url.QueryEscape(p.name)+"="+url.QueryEscape(p.value))
		}
	}
	bent := strings.Join(out, "&")
	return bent, bent != raw
}

// altered is another value of the same length and alphabet: its middle is changed, since the last character of a
// base64 text may carry no bit that counts.
func altered(s string) string {
	if s == "" {
		return "x"
	}
	b := []byte(s)
	at := len(b) / 2
	switch {
	case b[at] == 'a':
		b[at] = 'b'
	default:
		b[at] = 'a'
	}
	return string(b)
}

// renamed is the name as another convention writes it.
func renamed(name string) string {
	before, after, several := strings.Cut(name, "_")
	if !several || after == "" {
		return name + "_"
	}
	return before + strings.ToUpper(after[:1]) + after[1:]
}
