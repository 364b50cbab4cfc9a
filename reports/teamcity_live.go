package reports

import "io"

// A TeamCityLive writes the service messages of a check while it is under way: each test when it has ended, under
// the name that it has in the report. It stops writing when that cannot be done.
type TeamCityLive struct {
	w      io.Writer
	t      teamcity
	strict bool
	err    error
}

// NewTeamCityLive begins the suite of a check of the target.
func NewTeamCityLive(w io.Writer, target string, strict bool) *TeamCityLive {
	l := &TeamCityLive{w: w, strict: strict}
	l.t.begin("flowproof check " + visible(target))
	l.flush()
	return l
}

// Tell tells the tests of a result, or of some variants of it, that have ended.
func (l *TeamCityLive) Tell(r Result) {
	l.t.result(shown(r), l.strict)
	l.flush()
}

// Progress says how far the run is.
func (l *TeamCityLive) Progress(words string) {
	l.t.say("progressMessage", "text", words)
	l.flush()
}

// End tells the tests that were not told, the statistics and the verdict.
func (l *TeamCityLive) End(c Conformance) error {
	l.t.end(shown(c))
	l.flush()
	return l.err
}

func (l *TeamCityLive) flush() {
	if l.err == nil {
		_, l.err = l.w.Write(l.t.Bytes())
	}
	l.t.Reset()
}
