package load

import (
	"runtime"
	"time"
)

// used is what the generator took for a run.
type used struct {
	wall, cpu    time.Duration
	maxRSS       int64
	pause        time.Duration // of the garbage collector, together
	longestPause time.Duration
	cores        int
}

type usageAtStart struct {
	cpu, pause time.Duration
	cycles     uint32
}

func startUsage() usageAtStart {
	cpu, _ := usage()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usageAtStart{cpu, time.Duration(m.PauseTotalNs), m.NumGC} // centuries
}

func (s usageAtStart) until(wall time.Duration) used {
	cpu, rss := usage()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u := used{wall: wall, cpu: cpu - s.cpu, maxRSS: rss, pause: time.Duration(m.PauseTotalNs) - s.pause, cores: runtime.GOMAXPROCS(0)}
	for n := s.cycles; n < m.NumGC; n++ {
		if m.NumGC-n <= uint32(len(m.PauseNs)) { // of older ones only the sum is known
			u.longestPause = max(u.longestPause, time.Duration(m.PauseNs[n%uint32(len(m.PauseNs))]))
		}
	}
	return u
}
