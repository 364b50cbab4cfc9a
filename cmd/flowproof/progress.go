package main

import (
	"fmt"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"flowproof/reports"
)

// A progress shows how far a run is: a bar on a terminal, else nothing but what the verb says itself.
type progress struct {
	bars *mpb.Progress
	bar  *mpb.Bar
}

// newProgress draws a bar for the phase on a terminal.
func newProgress(c console, phase string, status func() string) *progress {
	if !c.draws() {
		return &progress{}
	}
	bars := mpb.New(mpb.WithOutput(c.err), mpb.WithWidth(48), mpb.WithRefreshRate(100*time.Millisecond))
	bar := bars.New(0, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─"),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(phase+"  ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return status() })),
	)
	return &progress{bars, bar}
}

// to moves the bar.
func (p *progress) to(done, of int64) {
	if p.bar != nil {
		p.bar.SetTotal(of, false)
		p.bar.SetCurrent(done)
	}
}

// end takes the bar away, wherever it stands; mpb would wait for a bar that is not full.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}

// A teamcityProgress tells a TeamCity server each test when it has ended, and how far the run is in steps of a tenth.
type teamcityProgress struct {
	live   *reports.TeamCityLive
	tenths int
}

// newTeamcityProgress is nil when it was not asked for.
func newTeamcityProgress(c console, f checkFlags, target string) *teamcityProgress {
	if f.progress != "teamcity" {
		return nil
	}
	return &teamcityProgress{live: reports.NewTeamCityLive(c.out, target, f.strict)}
}

func (p *teamcityProgress) to(done, of int) {
	if of == 0 || done*10/of <= p.tenths {
		return
	}
	p.tenths = done * 10 / of
	p.live.Progress(fmt.Sprintf("flowproof check: %d of %d specs", done, of))
}
