package reports

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// CSV writes a load run second by second, for spreadsheets.
func CSV(w io.Writer, r Record) error {
	if r.Kind() != "load" {
		return errNotOf("csv", r, "a load run")
	}
	out := csv.NewWriter(w)
	rows := [][]string{{"target", "started", "second", "planned", "sent", "answered", "errors", "p50_us", "p99_us", "max_us", "service_p99_us"}}
	for _, s := range r.Load.Series {
		row := []string{cell(r.Load.Target.Name), cell(r.Load.Started)}
		for _, n := range []int64{int64(s.Second), s.Planned, s.Sent, s.Answered, s.Errors, s.P50US, s.P99US, s.MaxUS, s.ServiceP99US} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		rows = append(rows, row)
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("reports: write CSV: %w", err)
	}
	return nil
}

// cell is text that no spreadsheet takes for a formula.
func cell(s string) string {
	s = oneLine(s)
	if strings.IndexAny(s, "=+-@|%＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}

// HGRM writes the percentile spectrum of the latency, all steps together, in the text form of HdrHistogram,
// which plotters read. Values are milliseconds from the intended start.
func HGRM(w io.Writer, r Record) error {
	if r.Kind() != "load" {
		return errNotOf("hgrm", r, "a load run")
	}
	all := merged(r.Load.Steps, func(s Step) Histogram { return s.Latency })
	var out bytes.Buffer
	if all == nil || all.TotalCount() == 0 {
		out.WriteString("#[Nothing was answered, so there is no spectrum.]\n")
	} else if _, err := all.PercentilesPrint(&out, 5, 1000); err != nil {
		return fmt.Errorf("reports: write the spectrum: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}
