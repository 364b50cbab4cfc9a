package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"flowproof/reports"
)

const connections = 128

// server starts the bare token server, and writes what is needed to load it.
func (b *bench) server(ctx context.Context, args ...string) (*service, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, self, append([]string{"-serve"}, args...)...)
	if err != nil {
		return nil, err
	}
	if err := b.prepare(s.url); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// load runs flowproof, and reads its record.
func (b *bench) load(ctx context.Context, args ...string) (reports.Load, spent, error) {
	args = append([]string{"load", "-t", filepath.Join(b.folder, "target.yaml"), "--out", "", "--json", "--progress", "none"}, args...)
	took, err := take(ctx, []int{0, 1, 3}, b.flowproof, args...)
	if err != nil {
		return reports.Load{}, took, err
	}
	var l reports.Load
	if err := json.Unmarshal(took.out, &l); err != nil {
		return l, took, fmt.Errorf("read the record of flowproof: %w", err)
	}
	if len(l.Steps) == 0 || l.Steps[0].Answered == 0 {
		return l, took, fmt.Errorf("flowproof got no answers: %s", strings.Join(l.Notices, " "))
	}
	return l, took, nil
}

// closed compares the answers per CPU-second of the client, as fast as each tool goes.
func (b *bench) closed(ctx context.Context) error {
	b.sayf("\nAnswers per CPU-second of the client, %d connections as fast as they go, %d runs of %v in turn; flowproof verifies every answer", connections, b.repeats, b.each)
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	return b.beside(ctx, s, b.flat("--closed", "--duration", b.each.String(), "--connections", strconv.Itoa(connections)), b.peers())
}

// http2 does the same over HTTP/2 and TLS, a connection for each request under way, as k6 has them.
func (b *bench) http2(ctx context.Context) error {
	b.sayf("\nThe same over HTTP/2 and TLS, %d connections with one stream each", connections)
	s, err := b.server(ctx, "-h2", b.folder)
	if err != nil {
		return err
	}
	defer s.end()
	peers := slices.DeleteFunc(b.peers(), func(p peer) bool { return p.name != "k6" })
	for i := range peers {
		peers[i].bar = 2
	}
	return b.beside(ctx, s, b.flat("--plan", filepath.Join(b.folder, "h2.yaml")), peers)
}

// flat is flowproof as fast as it goes.
func (b *bench) flat(more ...string) peer {
	args := append([]string{"load", "-t", filepath.Join(b.folder, "target.yaml"), "--out", "", "--progress", "none"}, more...)
	return peer{name: "flowproof", ok: []int{0, 3}, args: func(string, int, time.Duration) []string { return args }}
}

// beside runs the tools in turn before one server, and holds ours to what each of the others reaches.
func (b *bench) beside(ctx context.Context, s *service, ours peer, peers []peer) error {
	tools := []peer{ours}
	for _, p := range peers {
		if b.find(p.name) == "" {
			b.sayf("  – %s is missing here; no figure beside it (install it, or name its folder with -tools)", p.name)
			continue
		}
		tools = append(tools, p)
	}
	figures := make([][]float64, len(tools))
	for range b.repeats {
		for i, p := range tools {
			path := b.flowproof
			if i > 0 {
				path = b.find(p.name)
			}
			if _, err := s.ask(ctx, "/zero"); err != nil {
				return err
			}
			took, err := take(ctx, p.ok, path, p.args(s.url+"/oauth/token", connections, b.each)...)
			if err != nil {
				return err
			}
			n, err := s.ask(ctx, "/count")
			if err != nil {
				return err
			}
			figures[i] = append(figures[i], float64(n)/took.cpu.Seconds())
		}
	}
	own := median(figures[0])
	b.sayf("    %-44s %9.0fk", "flowproof, answers per CPU-second", own/1000)
	for i, p := range tools[1:] {
		ratio := own / median(figures[i+1])
		b.bar("flowproof : "+p.name, ratio, "", fmt.Sprintf(">= %g", p.bar), ratio >= p.bar)
	}
	return nil
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// stall compares the percentiles with what follows from the stalls of the server.
func (b *bench) stall(ctx context.Context) error {
	b.sayf("\n2,000 requests a second for 20 s, %d connections; the server stalls 500 ms in every 5 s", connections)
	s, err := b.server(ctx, "-stall-every", "5s", "-stall-for", "500ms")
	if err != nil {
		return err
	}
	defer s.end()
	l, _, err := b.load(ctx, "--rate", "2000/s", "--duration", "20s", "--connections", strconv.Itoa(connections))
	if err != nil {
		return err
	}
	step := l.Steps[0]
	// A tenth of the requests is due in a stall, and waits what is left of it: evenly 0 to 500 ms.
	for _, at := range []struct {
		name   string
		theory float64
	}{{"95", 250}, {"99", 450}, {"99.9", 495}} {
		got := step.Latency.Percentiles[at.name] / 1000
		b.bar(fmt.Sprintf("p%s, theory %g ms", at.name, at.theory), got, " ms", "within 3 %", math.Abs(got/at.theory-1) <= 0.03)
	}
	b.bar("requests that were not sent", float64(step.NotSent), "", "0", step.NotSent == 0)
	return nil
}

// pacing compares the rate with what was asked for, and tells how late requests started.
func (b *bench) pacing(ctx context.Context) error {
	b.sayf("\nPacing, 5 s each")
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	for _, rate := range []int{100, 1000, 5000} {
		l, took, err := b.load(ctx, "--rate", strconv.Itoa(rate)+"/s", "--duration", "5s", "--connections", "64")
		if err != nil {
			return err
		}
		off := 100 * math.Abs(l.Rate.Achieved/float64(rate)-1)
		b.bar(fmt.Sprintf("%d/s: off the rate by", rate), off, " %", "<= 0.1 %", off <= 0.1)
		late := float64(l.Generator.LatenessP99US) / 1000
		b.bar(fmt.Sprintf("%d/s: start lateness p99", rate), late, " ms", "< 1 ms", late < 1)
		busy := took.cpu.Seconds() / took.wall.Seconds()
		b.bar(fmt.Sprintf("%d/s: processors kept busy", rate), busy, "", "< 0.9: no spinning", busy < 0.9)
	}
	return nil
}

// memory compares the resident memory of a long run with that of a short one.
func (b *bench) memory(ctx context.Context) error {
	b.sayf("\nResident memory, every token compared with all others")
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	var rss [2]float64
	for i, n := range []int64{b.many / 10, b.many} {
		_, took, err := b.load(ctx, "--closed", "--connections", strconv.Itoa(connections), "--count", strconv.FormatInt(n, 10), "--duration", "0")
		if err != nil {
			return err
		}
		rss[i] = float64(took.rss) / (1 << 20)
		b.sayf("    %-44s %6.1f MiB", fmt.Sprintf("%d requests", n), rss[i])
	}
	b.bar("growth", rss[1]/rss[0], " x", "<= 1.5 x", rss[1] <= 1.5*rss[0])
	return nil
}

// sandbox compares the sandbox's token path with the bare server, per CPU-second of the server.
func (b *bench) sandbox(ctx context.Context) error {
	b.sayf("\nAnswers per CPU-second of the server: the sandbox with opaque tokens beside the bare token server")
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var figures [2]float64
	for i, command := range [][]string{{self, "-serve"}, {b.flowproof, "sandbox", "--tokens", "opaque", "--out", b.folder}} {
		s, err := start(ctx, command[0], command[1:]...)
		if err != nil {
			return err
		}
		if i == 0 {
			err = b.prepare(s.url)
		}
		var l reports.Load
		before := s.cpu() // it made keys first
		if err == nil {
			l, _, err = b.load(ctx, "--closed", "--connections", "64", "--duration", b.each.String())
		}
		took := s.end()
		if err != nil {
			return err
		}
		figures[i] = float64(l.Steps[0].Answered) / (took.cpu - before).Seconds()
	}
	ratio := figures[1] / figures[0]
	b.bar("sandbox : bare token server", ratio, "", ">= 0.5", ratio >= 0.5)
	return nil
}

// grants tells how many answers a core of the generator takes, by grant, before the sandbox: as fast as they come, and
// on a schedule, where each wakes it.
func (b *bench) grants(ctx context.Context) error {
	b.sayf("\nAnswers per CPU-second of flowproof, by grant, before the sandbox with opaque tokens; medians of %d runs of %v", b.repeats, b.each)
	s, err := start(ctx, b.flowproof, "sandbox", "--tokens", "opaque", "--out", b.folder)
	if err != nil {
		return err
	}
	defer s.end()
	b.sayf("    %-24s %14s %14s", "", "closed", "at 2,000/s")
	for _, grant := range []string{"client_credentials", "password", "refresh_token", "authorization_code"} {
		var row [2]float64
		for i, how := range [][]string{{"--closed", "--connections", "64"}, {"--rate", "2000/s"}} {
			var figures []float64
			for range b.repeats {
				l, took, err := b.load(ctx, append(how, "--grant", grant, "--duration", b.each.String())...)
				if err != nil {
					return err
				}
				var answered int64
				for _, step := range l.Steps {
					answered += step.Answered
				}
				figures = append(figures, float64(answered)/took.cpu.Seconds())
			}
			row[i] = median(figures)
		}
		b.sayf("    %-24s %14.0f %14.0f", grant, row[0], row[1])
	}
	return nil
}
