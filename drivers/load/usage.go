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

// startMeter measures this process from now on.
func startMeter() func(wall time.Duration) used {
	cpuBefore, _ := usage()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	return func(wall time.Duration) used {
		cpu, rss := usage()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		u := used{wall: wall, cpu: cpu - cpuBefore, maxRSS: rss, pause: time.Duration(m.PauseTotalNs - before.PauseTotalNs), cores: runtime.GOMAXPROCS(0)} // centuries
		for n := before.NumGC; n < m.NumGC; n++ {
			if m.NumGC-n <= uint32(len(m.PauseNs)) { // of older ones only the sum is known
				u.longestPause = max(u.longestPause, time.Duration(m.PauseNs[n%uint32(len(m.PauseNs))]))
			}
		}
		return u
	}
}

// noMeter measures nothing.
func noMeter() func(time.Duration) used {
	return func(wall time.Duration) used { return used{wall: wall, cores: 1} }
}
