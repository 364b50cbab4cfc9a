// Package suites says what a server owes: Ginkgo specs, one file per flow and endpoint, and the
// one function that runs them.
package suites

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
	"flowproof/suites/catalogue"
)

// Options say what to run and with whom.
type Options struct {
	Target  target.Target
	Driver  *oauth.Driver   // made for Target
	Front   oauth.UserAgent // signs users in for the front rows; nil makes them inconclusive
	Browser oauth.UserAgent // plays the browser rows; nil makes them inconclusive
	Only    string          // a Ginkgo label filter over requirement ids and flows; empty: everything

	Slow        bool // also rows that wait for minutes
	Destructive bool // also rows that may lock the sacrificial accounts
	Rounds      int  // of each race; 0: a few. From 20 on, thousands of tokens are collected too
	Bare        bool // verdicts alone, no evidence: for those who run the suites hundreds of times

	Pass func(d time.Duration) // makes time pass on a target whose clock can be set; nil: it is waited for

	NoBrowser string               // why there is no browser, for the inconclusive rows
	Progress  func(done, of int)   // after each spec; may be nil
	Found     func(reports.Result) // a requirement, or a variant of it, as soon as its last spec has ended; may be nil
	Tool      reports.Tool         // what the record says wrote it
}

// The errors of a run that claims nothing.
var (
	ErrFilter      = errors.New("suites: the filter cannot be read")
	ErrUnreachable = errors.New("suites: the token endpoint gave no answer")
	ErrNothing     = errors.New("suites: the filter chooses no spec")
)

// Run holds the target to the catalogue and returns the record. It must not be called twice at once.
func Run(ctx context.Context, o Options) (reports.Conformance, error) {
	started := time.Now()
	record := reports.Conformance{
		Schema: reports.ConformanceSchema, Tool: o.Tool, Only: o.Only,
		Started: started.UTC().Format(time.RFC3339),
		Target: reports.Target{
			Name: o.Target.Name, URL: o.Target.URL, Profile: o.Target.Profile, Edition: o.Target.Edition,
		},
	}
	if o.Browser != nil {
		record.Browser = o.Browser.Product()
	}
	chosen, err := filter(o.Only)
	if err != nil {
		return record, err
	}
	s := newSession(ctx, o)
	if err := s.reach(ctx); err != nil {
		return record, err
	}
	s.learnDemands(ctx)
	defer o.Driver.Subscribe(s.observe)()
	defer s.close()

	found := &findings{session: s, profile: catalogue.Profile(o.Target.Profile), edition: o.Target.Edition}
	if o.Found != nil {
		found.await(chosen)
	}
	ended := runSpecs(s, o, chosen, found)

	record.DurationMS = time.Since(started).Milliseconds()
	record.Exchanges = s.exchanges()
	record.Target.Tokens = s.tokenFormat()
	record.Results = found.results()
	record.Partial = partial(ctx, ended)
	record.Notices = s.notices(record.Results)
	if len(record.Results) == 0 && record.Partial == "" {
		return record, fmt.Errorf("%w: %q chooses nothing that profile %s knows (see: flowproof list requirements)", ErrNothing, o.Only, o.Target.Profile)
	}
	return record, nil
}

// runSpecs builds the tree for the session and runs it; Ginkgo's globals are fenced in here.
func runSpecs(s *session, o Options, chosen types.LabelFilter, found *findings) []string {
	console := formatter.ColorableStdOut
	formatter.ColorableStdOut = io.Discard
	defer func() { formatter.ColorableStdOut = console }()
	globals.Reset()
	gomega.RegisterFailHandler(ginkgo.Fail)

	var ended []string
	done, total := 0, 0
	ginkgo.ReportBeforeSuite(func(r ginkgo.Report) { total = r.PreRunStats.SpecsThatWillRun })
	ginkgo.Describe("a deployment", func() { // one container: one order, whatever the seed
		ginkgo.BeforeEach(s.begin)
		ginkgo.ReportAfterEach(func(r ginkgo.SpecReport) {
			if !chosen(r.Labels()) {
				return
			}
			found.add(r)
			if done++; o.Progress != nil {
				o.Progress(done, total)
			}
		})
		specs(s)
	})
	ginkgo.ReportAfterSuite("", func(r ginkgo.Report) { ended = r.SpecialSuiteFailureReasons })

	suite, reporter := ginkgo.GinkgoConfiguration()
	suite.LabelFilter, suite.FailOnEmpty, suite.GracePeriod = o.Only, false, 5*time.Second
	suite.Timeout = 2 * time.Hour
	reporter.NoColor, reporter.Succinct = true, true
	ginkgo.RunSpecs(silent{}, "flowproof", suite, reporter)
	signal.Reset(os.Interrupt, syscall.SIGTERM) // RunSpecs leaves its handler behind
	return ended
}

// silent is Ginkgo's testing.T; the findings decide, not Ginkgo.
type silent struct{}

func (silent) Fail() {}

// specs is the table of contents: what a deployment owes, flow by flow and endpoint by endpoint.
func specs(s *session) {
	chapters := []func(*session){
		tokenRequest,
		clientAuthentication,
		clientCredentials,
		password,
		authorizationCode,
		pkce,
		implicit,
		refreshToken,
		resource,
		space,
		authorization,
		redirectURI,
		authorizationResponse,
		revocation,
		introspection,
		metadata,
		pages,
		transport,
		races,
		unpredictability,
		parallelTabs,
		codeLife,
		everyAnswer,
		tokenAnswers, // last: it judges the answers that all the others provoked
	}
	for i, chapter := range chapters {
		// Ginkgo orders specs by file name and line; the place in this list is what counts here.
		ginkgo.Describe("", types.CodeLocation{FileName: "chapters", LineNumber: i + 1}, func() { chapter(s) })
	}
}

// filter reads a label filter; Ginkgo itself would leave the process on a bad one.
func filter(only string) (types.LabelFilter, error) {
	chosen, err := types.ParseLabelFilter(only)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrFilter, only, err)
	}
	return chosen, nil
}

// partial says why a run ended early, or nothing.
func partial(ctx context.Context, reasons []string) string {
	if ctx.Err() != nil || slices.Contains(reasons, "Interrupted by User") {
		return "interrupted"
	}
	if len(reasons) > 0 {
		return reasons[0]
	}
	return ""
}
