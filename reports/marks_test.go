package reports

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// marked is what a reader sees marked in the answer, parts separated by bars.
func marked(f Finding, sentence string) string {
	e := f.Evidence[len(f.Evidence)-1]
	v := decidersOf(f, sentence).answer(e)
	var parts []string
	if v.StatusMark {
		parts = append(parts, v.Status)
	}
	for _, pieces := range [][]piece{v.Head, v.Body} {
		for _, p := range pieces {
			if p.Marked {
				parts = append(parts, p.Text)
			}
		}
	}
	return strings.Join(parts, "|")
}

func TestWhatDecidedIsMarked(t *testing.T) {
	answer := Exchange{
		Status: 200, Proto: "HTTP/1.1", AnswerHead: "Cache-Control: public\nContent-Type: text/html\nWWW-Authenticate: Basic realm=\"x\"", Deciding: true,
		AnswerBody: `{"access_token":"[access_token eyJh…]","error":"invalid_request","scope":"a b","expires_in":600}`,
	}
	for _, c := range []struct{ expected, message, sentence, want string }{
		{"a refusal with the error invalid_grant, status 400", "200 with an access token", "", "200|access_token|access_token|error"},
		{"", "Cache-Control is public", "Every answer with a token carries Cache-Control: no-store.", "Cache-Control: public"},
		{"", "expires_in is no number", "", "expires_in"},
		{"invalid_grant", "invalid_request", "", "invalid_request"},
		{"", "the scope is wider than what was asked for", "", "scope"},
		{"", "it opens the resource", "", "200"},
		{"401", "200", "", "200"},
		{"", "no challenge", "The answer carries WWW-Authenticate.", "WWW-Authenticate: Basic realm=\"x\""},
	} {
		f := Finding{Expected: c.expected, Message: c.message, Evidence: []Exchange{answer}}
		if got := marked(f, c.sentence); got != c.want {
			t.Errorf("%q, %q: marked %q, want %q", c.expected, c.message, got, c.want)
		}
	}
}

func TestMarksLoseNothing(t *testing.T) {
	f := Finding{Expected: hostile + " invalid_grant error", Message: "(?i)[ a_b (x", Evidence: []Exchange{{Deciding: true, AnswerHead: hostile + "\nA-B: c\n", AnswerBody: "{\"error\": \"invalid_grant\"}\n\n" + hostile}}}
	d := decidersOf(f, hostile)
	for _, text := range []string{f.Evidence[0].AnswerHead, f.Evidence[0].AnswerBody, "", "\n", "a_b", "a_b\na_b: x\r\n a_b"} {
		pieces, _ := d.pieces(text)
		whole := ""
		for _, p := range pieces {
			whole += p.Text
		}
		if whole != text {
			t.Errorf("%q became %q", text, whole)
		}
	}
}

func TestOnlyTheDecidingExchangeIsMarked(t *testing.T) {
	marks := 0
	elements(t, render(t, "html", samples()["conformance"]), func(n *html.Node) {
		if n.Data != "mark" {
			return
		}
		marks++
		for a := range n.Ancestors() {
			if a.Data == "details" && strings.Contains(attribute(a, "class"), "exchange") {
				if !strings.Contains(attribute(a, "class"), "deciding") {
					t.Error("a mark in an exchange that did not decide")
				}
				return
			}
		}
	})
	if marks < 3 {
		t.Errorf("%d marks", marks)
	}
}
