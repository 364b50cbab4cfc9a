package reports

import "io"

// A TeamCityLive writes the service messages of a check while it is under way: each test when it has ended, under
// the name that it has in the report. It stops writing when that cannot be done.
type TeamCityLive struct {
	w      io.Writer
	t      teamcity
	root   string
	strict bool
	err    error
}

// NewTeamCityLive writes messages about a check of the target; until there is something to tell it writes nothing.
func NewTeamCityLive(w io.Writer, target string, strict bool) *TeamCityLive {
	return &TeamCityLive{w: w, root: "flowproof check " + visible(target), strict: strict}
}

// Tell tells the tests of a result, or of some variants of it, that have ended.
func (l *TeamCityLive) Tell(r Result) {
	l.say(func() { l.t.result(shown(r), l.strict) })
}

// Progress says how far the run is.
func (l *TeamCityLive) Progress(words string) {
	l.say(func() { l.t.say("progressMessage", "text", words) })
}

// End tells the tests that were not told, the statistics and the verdict.
func (l *TeamCityLive) End(c Conformance) error {
	l.say(func() { l.t.end(shown(c)) })
	return l.err
}

func (l *TeamCityLive) say(what func()) {
	if l.t.root == "" {
		l.t.begin(l.root)
	}
	what()
	if l.err == nil {
		_, l.err = l.w.Write(l.t.Bytes())
	}
	l.t.Reset()
}
