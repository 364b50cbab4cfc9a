package reports

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A piece is a part of a text; what decided the verdict is marked.
type piece struct {
	Text   string
	Marked bool
}

// deciders finds in an answer what the finding speaks of, so that readers see it first: the status where one is
// expected or was seen, headers and members that are named, and words that stand for themselves, such as
// invalid_grant. Of an answer in which nothing is named, the status decided.
type deciders struct {
	status bool
	words  *regexp.Regexp // nil: none
}

var (
	technical = regexp.MustCompile(`[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)+|[A-Z][a-z]+(?:-[A-Z][a-z]+)+`)
	threefold = regexp.MustCompile(`\b[1-5][0-9]{2}\b`)
	members   = regexp.MustCompile(`"([A-Za-z][A-Za-z0-9_.-]*)"\s*:`)
	plainWord = regexp.MustCompile(`[A-Za-z]{3,}`)
)

// commonWords occur in sentences and answers alike without saying anything.
func commonWords() []string {
	return []string{"the", "and", "with", "form-encoded", "client-side", "re-used", "non-empty", "user-agent"}
}

func decidersOf(f Finding, sentence string) deciders {
	said := f.Expected + "\n" + f.Message
	d := deciders{status: threefold.MatchString(said) || strings.Contains(said, "status") || strings.Contains(said, "refus")}
	words := technical.FindAllString(said+"\n"+sentence+"\n"+f.Spec, -1)
	for _, e := range f.Evidence {
		if !e.Deciding {
			continue
		}
		// Names of headers and members that are one plain word count where the finding says them.
		names := map[string]bool{}
		for line := range strings.SplitSeq(e.AnswerHead, "\n") {
			if name, _, ok := strings.Cut(line, ":"); ok {
				names[strings.ToLower(name)] = true
			}
		}
		for _, m := range members.FindAllStringSubmatch(e.AnswerBody, -1) {
			names[strings.ToLower(m[1])] = true
			if spaced := strings.ReplaceAll(m[1], "_", " "); spaced != m[1] && strings.Contains(said, spaced) {
				words = append(words, m[1]) // "an access token" speaks of access_token
			}
		}
		for _, word := range plainWord.FindAllString(said, -1) {
			if names[strings.ToLower(word)] {
				words = append(words, word)
			}
		}
	}
	var patterns []string
	for _, w := range words {
		if w = strings.ToLower(w); len(w) < 60 && !slices.Contains(commonWords(), w) && !slices.Contains(patterns, regexp.QuoteMeta(w)) {
			patterns = append(patterns, regexp.QuoteMeta(w))
		}
	}
	if len(patterns) > 0 {
		slices.SortFunc(patterns, func(a, b string) int { return len(b) - len(a) })
		d.words = regexp.MustCompile(`(?i)(^|[^A-Za-z0-9_-])(` + strings.Join(patterns, "|") + `)($|[^A-Za-z0-9_-])`)
	}
	return d
}

// pieces cuts a text into what decided and what did not; lines that begin with a name that decided are marked
// as a whole, since the value is what matters.
func (d deciders) pieces(s string) (out []piece, marked bool) {
	if d.words == nil || s == "" {
		return []piece{{s, false}}, false
	}
	put := func(text string, mark bool) {
		if text == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].Marked == mark {
			out[n-1].Text += text
			return
		}
		out = append(out, piece{text, mark})
	}
	for line := range strings.Lines(s) {
		body := strings.TrimRight(line, "\n")
		end := line[len(body):]
		name, _, header := strings.Cut(body, ":")
		if header && !strings.ContainsAny(name, " \"{'") && d.words.MatchString(name) {
			put(body, true)
			put(end, false)
			marked = true
			continue
		}
		for body != "" {
			at := d.words.FindStringSubmatchIndex(body)
			if at == nil {
				break
			}
			put(body[:at[4]], false)
			put(body[at[4]:at[5]], true)
			body, marked = body[at[5]:], true
		}
		put(body+end, false)
	}
	return out, marked
}

// An answerView is an answer with what decided marked in it.
type answerView struct {
	Proto      string
	Status     string
	StatusMark bool
	Head, Body []piece
}

func (d deciders) answer(e Exchange) answerView {
	v := answerView{Proto: e.Proto, Status: strconv.Itoa(e.Status)}
	head, inHead := d.pieces(e.AnswerHead)
	body, inBody := d.pieces(e.AnswerBody)
	v.Head, v.Body = head, body
	v.StatusMark = d.status || !inHead && !inBody
	return v
}

// answerOf is the answer of the exchange that a template shows: the exchange, whether it is open, and perhaps what
// decided.
func answerOf(shown []any) answerView {
	e, _ := shown[0].(Exchange)
	if len(shown) > 2 && e.Deciding {
		if d, ok := shown[2].(deciders); ok {
			return d.answer(e)
		}
	}
	return answerView{Proto: e.Proto, Status: strconv.Itoa(e.Status), Head: []piece{{e.AnswerHead, false}}, Body: []piece{{e.AnswerBody, false}}}
}
