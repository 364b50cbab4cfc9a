package load

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"flowproof/reports"
)

// TestPortsThatRunOutAreNotTheTargetsFault says in words that the figures are this machine's, with the mend.
func TestPortsThatRunOutAreNotTheTargetsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bound, err := ParseThreshold("errors<1%")
		if err != nil {
			t.Fatal(err)
		}
		for _, thresholds := range [][]Threshold{nil, {bound}} {
			l, _ := play(t, t.Context(), Plan{Rate: 100, Duration: 4 * time.Second, Abort: []Abort{}, Thresholds: thresholds, Scenarios: []Scenario{{Flow: ClientCredentials}}},
				&server{handle: func(s *server, _ url.Values, n int64) reply {
					if n%4 == 0 {
						return reply{err: fmt.Errorf("dial: %w", syscall.EADDRNOTAVAIL)}
					}
					return s.good()
				}})
			balanced(t, l)
			if n := onlyStep(t, l).Errors[noPorts]; n != 100 {
				t.Errorf("%d requests without a port", n)
			}
			if l.Verdict != reports.Inconclusive || !strings.Contains(l.Generator.Bottleneck, "ports") || !shows(l.Notices, "ip_local_port_range") {
				t.Errorf("%s, %q, %q", l.Verdict, l.Generator.Bottleneck, l.Notices)
			}
		}
	})
}

// crowded is a wire for which there is no file descriptor.
type crowded struct{ *fakeWire }

func (crowded) connect() error { return &url.Error{Op: "dial", Err: syscall.EMFILE} }

func TestTooFewFileDescriptorsEndARunBeforeItBegins(t *testing.T) {
	tgt := testTarget()
	p, err := Plan{Rate: 10, Count: 10, Connections: 3, Scenarios: []Scenario{{Flow: ClientCredentials}}}.resolved(tgt)
	if err != nil {
		t.Fatal(err)
	}
	e := rig(t, tgt, p, &server{})
	e.workers[1].wire = crowded{}
	err = e.connect(t.Context())
	if !errors.Is(err, ErrExhausted) || !strings.Contains(err.Error(), "1 of 3 connections") || !strings.Contains(err.Error(), "ulimit -n") {
		t.Error(err)
	}
}
