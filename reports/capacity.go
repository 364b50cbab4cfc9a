package reports

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The purposes of a step of a capacity search.
const (
	Ramping   = "ramp"   // looks for a rate that is too much
	Bisecting = "bisect" // closes in on the knee
	Below     = "below"  // has to hold just below it
	Above     = "above"  // must not hold just above it
)

// A Capacity is what a search for the highest rate found. The other figures of the record are those of the
// last run at that rate or, when no rate held, of the last run.
type Capacity struct {
	Objective []string       `json:"objective"`
	Held      float64        `json:"held"`             // the highest rate that held, in arrivals a second; 0: none
	Failed    float64        `json:"failed,omitempty"` // the lowest rate above it that did not
	Confirmed bool           `json:"confirmed"`        // it held twice more, for longer
	AtLeast   bool           `json:"at_least,omitempty"`
	Limit     string         `json:"limit"` // what gave way first, or what else ended the search
	Tests     []CapacityStep `json:"steps"`
}

// A CapacityStep is one rate, held for a while. Rates are in arrivals a second; a flow of several requests
// has that many more answers.
type CapacityStep struct {
	Purpose    string  `json:"purpose"`
	Rate       float64 `json:"rate"`
	Intended   float64 `json:"intended"` // requests a second
	Achieved   float64 `json:"achieved"` // verified answers a second
	DurationMS int64   `json:"duration_ms"`
	Sent       int64   `json:"sent"`
	P50US      float64 `json:"p50_us"` // latency from the intended start
	P99US      float64 `json:"p99_us"`
	Errors     float64 `json:"errors"` // the share of the requests that failed
	Held       bool    `json:"held"`
	Why        string  `json:"why,omitempty"`        // it did not hold
	Bottleneck string  `json:"bottleneck,omitempty"` // of the generator
}

// headline is the verdict of a search.
func (c *Capacity) headline(l Load) headline {
	bounds := strings.Join(c.Objective, ", ")
	switch {
	case l.Partial != "":
		return headline{Inconclusive, "Cannot be told", fmt.Sprintf("The search ended early: %s; so far %s.", l.Partial, c.words())}
	case c.Held == 0 && l.Verdict == Fail:
		return headline{Fail, "Falls short", fmt.Sprintf("Not even %s held: %s.", perSecond(c.lowest()), c.Limit)}
	case c.Held == 0:
		return headline{Inconclusive, "Cannot be told", fmt.Sprintf("No rate was seen to hold: %s.", c.Limit)}
	case !c.Confirmed:
		return headline{Inconclusive, "Cannot be told", fmt.Sprintf("%s held, but that was not confirmed: %s.", perSecond(c.Held), c.Limit)}
	case c.AtLeast:
		return headline{Pass, "Holds", fmt.Sprintf("At least %s with %s; the search ended there since %s.", perSecond(c.Held), bounds, c.Limit)}
	}
	return headline{Pass, "Holds", fmt.Sprintf("%s with %s; at %s no longer, since %s.", perSecond(c.Held), bounds, perSecond(c.Failed), c.Limit)}
}

// lowest is the lowest rate that was tried.
func (c *Capacity) lowest() float64 {
	low := 0.0
	for i, s := range c.Tests {
		if i == 0 || s.Rate < low {
			low = s.Rate
		}
	}
	return low
}

// words are the capacity as a figure.
func (c *Capacity) words() string {
	switch {
	case c.Held == 0:
		return "none"
	case !c.Confirmed:
		return perSecond(c.Held) + ", not confirmed"
	case c.AtLeast:
		return "at least " + perSecond(c.Held)
	}
	return perSecond(c.Held)
}

// interval says between which rates the knee lies.
func (c *Capacity) interval() string {
	switch {
	case c.Held == 0:
		return "below " + perSecond(c.lowest())
	case c.Failed == 0:
		return "above " + perSecond(c.Held)
	}
	return fmt.Sprintf("between %s, which held, and %s, which did not", perSecond(c.Held), perSecond(c.Failed))
}

// outcome is the step's in words.
func (s CapacityStep) outcome() string {
	switch {
	case s.Held && s.Bottleneck != "":
		return "held, though the generator was busy"
	case s.Held:
		return "held"
	case s.Bottleneck != "":
		return "the generator gave way: " + s.Bottleneck
	}
	return s.Why
}

func (s CapacityStep) verdict() Verdict {
	switch {
	case s.Held:
		return Pass
	case s.Bottleneck != "":
		return Inconclusive
	}
	return Fail
}

// columns are the step's figures as tables show them.
func (s CapacityStep) columns() []string {
	p50, p99 := "–", "–"
	if s.P50US > 0 {
		p50, p99 = micros(s.P50US), micros(s.P99US)
	}
	return []string{s.Purpose, perSecond(s.Rate), perSecond(s.Achieved), p50, p99, percent(s.Errors, 1)}
}

func capacityColumns() []string {
	return []string{"step", "rate", "achieved", "p50", "p99", "errors"}
}

const outcomeLength = 70

// summary writes the search as text.
func (c *Capacity) summary(t *text) {
	t.labelled(0, "capacity", 11, oneLine(c.words()+" with "+strings.Join(c.Objective, ", ")))
	t.labelled(0, "", 11, oneLine(c.interval()))
	t.gap()
	g := grid{rows: [][]string{append(capacityColumns(), "")}}
	for _, s := range c.Tests {
		outcome := cut(oneLine(s.verdict().mark()+" "+s.outcome()), outcomeLength)
		outcome += strings.Repeat(" ", outcomeLength-utf8.RuneCountInString(outcome)) // the column is one to the right
		g.rows = append(g.rows, append(s.columns(), outcome))
	}
	g.style = func(row, column int, s string) string {
		switch {
		case row == 0:
			return t.dim(s)
		case column == len(capacityColumns()):
			return t.verdict(c.Tests[row-1].verdict(), strings.TrimRight(s, " "))
		}
		return s
	}
	g.writeTo(t)
	if c.Held > 0 {
		t.gap()
		t.linef("%s", t.dim("the rest is about the last run at "+perSecond(c.Held)))
	}
	t.gap()
}
