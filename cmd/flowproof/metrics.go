package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"flowproof/drivers/load"
)

// metricsType is the media type of the Prometheus text format.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// serveMetrics serves what the monitor sees on the address until end is called; at is where. An address without
// a host is on loopback.
func serveMetrics(ctx context.Context, address string, m *load.Monitor) (at string, end func(), err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, misused("--metrics %s: %w; give HOST:PORT, or :PORT for this machine only", address, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return "", nil, misused("--metrics %s: %w", address, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		status, running := m.Look()
		var text bytes.Buffer
		writeMetrics(&text, status, running)
		w.Header().Set("Content-Type", metricsType)
		_, _ = text.WriteTo(w) // who asked has gone
	})
	server := &http.Server{
		Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			_ = listener.Close() // the run goes on without
		}
	})
	return listener.Addr().String(), func() {
		patient, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer stop()
		if server.Shutdown(patient) != nil {
			_ = server.Close()
		}
		serving.Wait()
	}, nil
}

// elsewhere reports whether others than this machine reach the address.
func elsewhere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "localhost" {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

// writeMetrics writes a run in the Prometheus text format.
func writeMetrics(w io.Writer, s load.Status, running bool) {
	m := metrics{w}
	m.family("flowproof_up", "gauge", "1 once the run has begun.")
	m.sample("flowproof_up", nil, float64(b2i(running)))
	if !running {
		return
	}
	for _, g := range []struct {
		name, help string
		value      float64
	}{
		{"elapsed_seconds", "Time since the measured part began; negative in the warm-up.", s.Elapsed.Seconds()},
		{"intended_rate", "Requests a second that were due in the last seconds.", s.Intended},
		{"achieved_rate", "Answers a second in the last seconds.", s.Rate},
		{"in_flight", "Requests without an answer so far.", float64(s.InFlight)},
		{"recent_latency_p50_seconds", "Median of the latency of the last seconds.", s.P50.Seconds()},
		{"recent_latency_p99_seconds", "99th percentile of the latency of the last seconds.", s.P99.Seconds()},
	} {
		m.family("flowproof_load_"+g.name, "gauge", g.help)
		m.sample("flowproof_load_"+g.name, nil, g.value)
	}
	counter := func(name, help string, of func(load.StepStatus) int64) {
		m.family(name, "counter", help)
		for _, step := range s.Steps {
			m.sample(name, []string{"step", step.Name}, float64(of(step)))
		}
	}
	counter("flowproof_load_sent_total", "Requests sent and answered or given up.", func(s load.StepStatus) int64 { return s.Sent })
	counter("flowproof_load_answered_total", "Answers of any kind.", func(s load.StepStatus) int64 { return s.Answered })
	counter("flowproof_load_verified_total", "Answers that hold all that was checked.", func(s load.StepStatus) int64 { return s.Verified })
	counter("flowproof_load_throttled_total", "Answers with 429 or 503.", func(s load.StepStatus) int64 { return s.Throttled })
	counter("flowproof_load_late_total", "Requests that started more than 1 ms after they were due.", func(s load.StepStatus) int64 { return s.Tardy })
	m.family("flowproof_load_errors_total", "counter", "Requests without a verified answer, by what went wrong.")
	for _, step := range s.Steps {
		for _, c := range step.Errors {
			m.sample("flowproof_load_errors_total", []string{"step", step.Name, "class", c.Name}, float64(c.N))
		}
	}
	m.family("flowproof_load_findings_total", "counter", "Answers that broke a requirement.")
	for _, f := range s.Findings {
		m.sample("flowproof_load_findings_total", []string{"requirement", f.Requirement, "verdict", string(f.Verdict)}, float64(f.N))
	}
	m.histogram("flowproof_load_latency_seconds", "Time to the answer from when the request was due.", s.Steps, func(s load.StepStatus) load.Distribution { return s.Latency })
	m.histogram("flowproof_load_service_seconds", "Time to the answer from when the request was sent.", s.Steps, func(s load.StepStatus) load.Distribution { return s.Service })
}

// metrics writes the text format.
type metrics struct{ to io.Writer }

func (m metrics) family(name, kind, help string) {
	fmt.Fprintf(m.to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// sample writes a value; labels are names and values in turn.
func (m metrics) sample(name string, labels []string, value float64) {
	var pairs []string
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	for i := 0; i+1 < len(labels); i += 2 {
		pairs = append(pairs, labels[i]+`="`+escape.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD"))+`"`)
	}
	if len(pairs) > 0 {
		name += "{" + strings.Join(pairs, ",") + "}"
	}
	fmt.Fprintf(m.to, "%s %s\n", name, strconv.FormatFloat(value, 'g', -1, 64))
}

func (m metrics) histogram(name, help string, steps []load.StepStatus, of func(load.StepStatus) load.Distribution) {
	m.family(name, "histogram", help)
	for _, step := range steps {
		d := of(step)
		for i, bound := range load.Bounds() {
			m.sample(name+"_bucket", []string{"step", step.Name, "le", strconv.FormatFloat(bound.Seconds(), 'g', -1, 64)}, float64(d.Within[i]))
		}
		m.sample(name+"_bucket", []string{"step", step.Name, "le", "+Inf"}, float64(d.Count))
		m.sample(name+"_sum", []string{"step", step.Name}, d.Sum.Seconds())
		m.sample(name+"_count", []string{"step", step.Name}, float64(d.Count))
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
