package reports

import (
	"fmt"
	"strings"
	"time"
)

// agentColumns head what an agent's row has.
func agentColumns() []string {
	return []string{"agent", "part", "sent", "of planned", "p50", "p99", "started", "clock", "on"}
}

// row is an agent as a row of a table.
func (a Agent) row() []string {
	sent := percent(float64(a.Sent), float64(a.Planned))
	return []string{
		oneLine(a.Name), a.Share.words(), Grouped(a.Sent), sent, micros(float64(a.P50US)), micros(float64(a.P99US)),
		signed(a.StartSkewUS), signed(a.ClockOffsetUS) + " ± " + micros(float64(a.ClockUnsureUS)), joined(", ", oneLine(a.Host), Plural(a.CPUs, "core", "cores")),
	}
}

// signed is a difference of times.
func signed(us int64) string {
	sign := "+"
	if us < 0 {
		sign = "−"
	}
	return sign + micros(float64((time.Duration(us) * time.Microsecond).Abs().Microseconds()))
}

// loss says what is missing of an agent, and is empty where nothing is.
func (a Agent) loss() string {
	if a.Lost == "" {
		return ""
	}
	return fmt.Sprintf("agent %s %s: %s of the whole schedule is missing", oneLine(a.Name), oneLine(a.Lost), percent(a.Missing, 1))
}

// summaryAgents lists who sent the load together.
func (l Load) summaryAgents(t *text) {
	if len(l.Agents) == 0 {
		return
	}
	t.gap()
	g := grid{rows: [][]string{agentColumns()}}
	for _, a := range l.Agents {
		g.rows = append(g.rows, a.row())
	}
	g.style = func(row, _ int, s string) string {
		if row == 0 {
			return t.dim(s)
		}
		return s
	}
	g.writeTo(t)
	for _, a := range l.Agents {
		if loss := a.loss(); loss != "" {
			t.labelled(0, "lost", 11, loss)
		}
	}
}

// An agentView is an agent on the page.
type agentView struct {
	Name  string
	Cells []string
	Loss  string
}

func (l Load) agentViews() (columns []string, all []agentView) {
	for _, a := range l.Agents {
		row := a.row()
		all = append(all, agentView{row[0], row[1:], a.loss()})
	}
	for _, c := range agentColumns() {
		if !strings.HasPrefix(c, "p50") && !strings.HasPrefix(c, "p99") {
			c = strings.ToUpper(c[:1]) + c[1:]
		}
		columns = append(columns, c)
	}
	return columns, all
}
