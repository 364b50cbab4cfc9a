package reports

// LoadSchema names the version of the record.
const LoadSchema = "flowproof/load/v1"

// A Load is the record of a load run.
type Load struct {
	Schema     string      `json:"schema"`
	Tool       Tool        `json:"tool"`
	Target     Target      `json:"target"`
	Plan       Plan        `json:"plan"`
	Started    string      `json:"started"` // RFC 3339, UTC
	DurationMS int64       `json:"duration_ms"`
	Partial    string      `json:"partial,omitempty"`
	Machine    Machine     `json:"machine"`
	Generator  Generator   `json:"generator"`
	Rate       Rate        `json:"rate"`
	Steps      []Step      `json:"steps"`
	WarmUp     []Step      `json:"warm_up,omitempty"` // what was sent before the measured part; in no other figure
	Series     []Second    `json:"series"`
	Reference  *Reference  `json:"reference,omitempty"`
	Violations []Violation `json:"violations,omitempty"`
	Thresholds []Threshold `json:"thresholds,omitempty"`
	Baseline   *Comparison `json:"baseline,omitempty"` // what this run is against its baseline, which is A
	Verdict    Verdict     `json:"verdict"`            // pass, fail or inconclusive
	Capacity   *Capacity   `json:"capacity,omitempty"`
	Agents     []Agent     `json:"agents,omitempty"` // that sent the plan together; none: one process did
	Notices    []string    `json:"notices,omitempty"`
}

// An Agent is a process that sent a part of the plan, on whatever machine.
type Agent struct {
	Name          string  `json:"name"`
	Host          string  `json:"host,omitempty"`
	Share         Shard   `json:"share"`
	CPUs          int     `json:"cpus"`            // of its machine, which other agents may share
	ClockOffsetUS int64   `json:"clock_offset_us"` // how far its clock was ahead of the coordinator's
	ClockUnsureUS int64   `json:"clock_unsure_us"` // give or take: half of the fastest of several round trips
	StartSkewUS   int64   `json:"start_skew_us"`   // how long after it was due its first request was sent, by the coordinator's clock
	Planned       int64   `json:"planned"`
	Sent          int64   `json:"sent"`
	P50US         int64   `json:"p50_us"` // of the latency of its own requests
	P99US         int64   `json:"p99_us"`
	LatenessP99US int64   `json:"lateness_p99_us"`
	Bottleneck    string  `json:"bottleneck,omitempty"`
	Lost          string  `json:"lost,omitempty"`    // why no more came of it
	Missing       float64 `json:"missing,omitempty"` // the share of the whole schedule of which it therefore said nothing
	BusMessages   int64   `json:"bus_messages,omitempty"`
	BusBytes      int64   `json:"bus_bytes,omitempty"` // that it sent to the others
}

// A Plan says what load was to be sent: all of it, with its defaults, and without secrets.
type Plan struct {
	Name        string     `json:"name,omitempty"`
	Hash        string     `json:"hash,omitempty"` // of the other members but shard: records of the same plan have the same
	Model       string     `json:"model"`          // open or closed
	Arrivals    string     `json:"arrivals,omitempty"`
	Seed        uint64     `json:"seed,omitempty"`
	Rate        float64    `json:"rate,omitempty"` // of all stages and shards, on average
	Stages      []Stage    `json:"stages,omitempty"`
	DurationMS  int64      `json:"duration_ms"`
	Count       int64      `json:"count,omitempty"` // the run was to end after so many requests
	WarmUpMS    int64      `json:"warm_up_ms,omitempty"`
	Connections int        `json:"connections"`
	From        int        `json:"connections_from,omitempty"` // how many there were to be at first, if fewer
	Streams     int        `json:"streams,omitempty"`          // requests at a time on each connection, with HTTP/2
	Protocol    string     `json:"protocol,omitempty"`
	KeepAlive   *bool      `json:"keep_alive,omitempty"` // false: a connection for each request
	Nodes       []string   `json:"nodes,omitempty"`
	Reference   string     `json:"reference,omitempty"` // a path that was asked for beside the load
	MaxRate     float64    `json:"max_rate,omitempty"`
	Grants      []string   `json:"grants"`            // the scenarios' names
	Weights     []int      `json:"weights,omitempty"` // of the scenarios, in their order
	Scenarios   []Scenario `json:"scenarios,omitempty"`
	Clients     []string   `json:"clients"`
	Users       []string   `json:"users,omitempty"`
	TimeoutMS   int64      `json:"timeout_ms"`
	Thresholds  []string   `json:"thresholds,omitempty"`
	Abort       []string   `json:"abort,omitempty"` // what was to end the run early
	Shard       *Shard     `json:"shard,omitempty"` // the part of the plan that this record is about; without it, all
}

// A Stage is a stretch of the plan.
type Stage struct {
	Ramp       bool    `json:"ramp,omitempty"` // the rate changes evenly to this one; otherwise it is held
	Rate       float64 `json:"rate"`
	DurationMS float64 `json:"duration_ms"`
}

// A Scenario is what one kind of arrival does, and for whom.
type Scenario struct {
	Name        string             `json:"name"`
	Flow        string             `json:"flow"`
	Weight      int                `json:"weight"`
	Clients     []string           `json:"clients"`
	Users       []string           `json:"users,omitempty"`
	Scope       *string            `json:"scope,omitempty"`
	Resource    string             `json:"resource,omitempty"`
	ThinkTimeMS float64            `json:"think_time_ms,omitempty"`
	Hostile     map[string]float64 `json:"hostile,omitempty"` // shares of requests that had to be refused, by kind
}

// A Shard is a part of a plan's schedule.
type Shard struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
}

// A Machine is where the load came from.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	CPU  string `json:"cpu,omitempty"` // its model
	Go   string `json:"go"`
}

// A Generator says how the load generator itself fared.
type Generator struct {
	CPUSeconds    float64 `json:"cpu_seconds"`
	MaxRSSBytes   int64   `json:"max_rss_bytes"`
	LatenessP99US int64   `json:"lateness_p99_us"` // how late requests with a free connection were sent
	LatenessMaxUS int64   `json:"lateness_max_us"`
	Late          int64   `json:"late,omitempty"` // of those, how many were more than 1 ms late
	GCPauseUS     int64   `json:"gc_pause_us"`
	GCPauseMaxUS  int64   `json:"gc_pause_max_us,omitempty"` // the longest
	StoodStillMS  int64   `json:"stood_still_ms,omitempty"`  // how long the process was suspended, or got no processor
	Bottleneck    string  `json:"bottleneck,omitempty"`      // why the figures are the generator's and not the server's
}

// A Rate is in requests a second.
type Rate struct {
	Intended float64 `json:"intended,omitempty"`
	Achieved float64 `json:"achieved"` // verified answers a second
}

// A Step is one kind of request: a grant, or one leg of a flow.
type Step struct {
	Name      string           `json:"name"`
	Planned   int64            `json:"planned"` // due in the run; the number sent in a closed model
	Sent      int64            `json:"sent"`
	Answered  int64            `json:"answered"`
	Verified  int64            `json:"verified"`         // answers that hold all that was checked
	Throttled int64            `json:"throttled"`        // 429 and 503
	Errors    map[string]int64 `json:"errors,omitempty"` // by class: timeout, refused, reset, status 500, not verified …
	NotSent   int64            `json:"not_sent"`
	Late      int64            `json:"late,omitempty"`    // started more than 1 ms after they were due
	Hostile   bool             `json:"hostile,omitempty"` // its requests had to be refused; verified are those that were
	Latency   Histogram        `json:"latency"`           // from the intended start
	Service   Histogram        `json:"service"`           // from the send
}

// A Histogram is a distribution of durations in microseconds.
type Histogram struct {
	Count       int64              `json:"count"`
	MinUS       int64              `json:"min_us"`
	MeanUS      float64            `json:"mean_us"`
	MaxUS       int64              `json:"max_us"`
	Percentiles map[string]float64 `json:"percentiles_us"` // "50", "75", "90", "95", "99", "99.9", "99.99"
	Encoded     string             `json:"encoded"`        // HdrHistogram V2, compressed, base64
}

// A Second is one second of the run.
type Second struct {
	Second       int   `json:"second"`
	Planned      int64 `json:"planned"`
	Sent         int64 `json:"sent"`
	Answered     int64 `json:"answered"`
	Errors       int64 `json:"errors"`
	P50US        int64 `json:"p50_us"`
	P99US        int64 `json:"p99_us"`
	MaxUS        int64 `json:"max_us"`
	ServiceP99US int64 `json:"service_p99_us"`
	ReferenceUS  int64 `json:"reference_us,omitempty"` // the median of the reference
}

// A Reference is a page of the target that was asked for beside the load, and is in no other figure. Where it moved,
// more changed than the token endpoint.
type Reference struct {
	Path    string    `json:"path"`
	Asked   int64     `json:"asked"`
	Failed  int64     `json:"failed,omitempty"`
	Latency Histogram `json:"latency"`
}

// A Violation is a requirement that did not hold under load.
type Violation struct {
	Requirement string    `json:"requirement"`
	Verdict     Verdict   `json:"verdict"` // fail, warn or note, by the requirement's level
	Count       int64     `json:"count"`
	Message     string    `json:"message"`
	First       Exchange  `json:"first"`
	Worst       *Exchange `json:"worst,omitempty"` // the slowest, if it is another one
}

// A Threshold is a bound that the run was to keep.
type Threshold struct {
	Expression string  `json:"expression"` // p99<250ms
	Value      float64 `json:"value"`      // in the unit of the expression: microseconds, or a share
	Shown      string  `json:"shown"`      // the value as people read it
	Held       bool    `json:"held"`
	Reason     string  `json:"reason,omitempty"` // why it cannot be told
}
