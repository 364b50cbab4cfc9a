package cluster

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"flowproof/drivers/load"
	"flowproof/reports"
)

// The words between the sides. Both are of the same build, so that none of them ever has to be understood by another.
const (
	service        = "flowproof-agent"
	serviceVersion = "1.0.0" // NATS wants one; what counts is the build's, which is among the metadata
	stream         = "FLOWPROOF"
	results        = "flowproof.results" // .RUN.AGENT
	pulses         = "flowproof.pulse"   // .RUN
	beats          = "flowproof.beat"    // .RUN.AGENT
	agents         = "flowproof.agent"   // .AGENT.WORD
)

// The words that an agent answers to.
const (
	clockWord   = "clock"
	armWord     = "arm"
	runWord     = "run"
	startWord   = "start"
	stopWord    = "stop"
	releaseWord = "release"
	marksWord   = "marks"
)

const (
	pulseEvery = 250 * time.Millisecond
	// silence is how long a side may be silent: an agent then counts as lost, and without its coordinator it stops.
	silence = 2500 * time.Millisecond
)

// An order is what an agent needs to make its part of a plan ready. It holds no secret: the target file refers to them.
type order struct {
	Run     string
	Version string // of the coordinator
	Leader  string // who and where it is
	Plan    load.Plan
	Name    string // of the target file
	Target  []byte // its text
	CA      string // trust roots beside those of the target file, PEM
	Key     []byte // for marks
}

// A round runs an armed plan once.
type round struct {
	Run    string
	Number int
	Stages []load.Stage
}

// A start is when a round begins, by the agent's own clock.
type start struct {
	Run    string
	Number int
	At     int64 // nanoseconds since 1970
}

// An end ends a round or, as a release, the whole.
type end struct {
	Run string
	Why string
}

// A page asks for marks.
type page struct {
	Run  string
	Kind int
	From load.Place
}

type marks struct {
	Words []byte
	Next  load.Place
}

// A refusal is the answer to a word that an agent does not follow; without a reason it does.
type refusal struct {
	Why string `json:",omitempty"`
}

// A pulse says that the coordinator is there, and whom it counts on.
type pulse struct {
	Members []string
}

// A beat says that an agent is there, and what it is at.
type beat struct {
	State state
	Round int
	Why   string `json:",omitempty"`
}

type state string

const (
	arming     state = "arming"
	armed      state = "armed"
	connecting state = "connecting"
	ready      state = "ready"
	running    state = "running"
	failed     state = "failed"
)

// A result is what an agent puts into the stream. Those of a run are numbered.
type result struct {
	Number   int
	Round    int
	Head     *load.Head     `json:",omitempty"`
	Interval *load.Interval `json:",omitempty"`
	Piece    *piece         `json:",omitempty"`
	Failure  string         `json:",omitempty"` // there will be no record
}

// A piece is a part of a record, which may be larger than a message.
type piece struct {
	Index, Of int
	Data      []byte
}

// A closing is the last that an agent says of a round.
type closing struct {
	Record   reports.Load
	Extents  []load.Extent
	Reissues [2]bool
	Messages int64 // that the agent sent in all
	Bytes    int64
}

// mostPiece leaves room in a message, which is a MiB at most unless the server allows more.
const mostPiece = 384 << 10

func (c closing) pieces() ([]piece, error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := json.NewEncoder(z).Encode(c); err != nil {
		return nil, fmt.Errorf("cluster: write the record: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("cluster: write the record: %w", err)
	}
	n := (packed.Len() + mostPiece - 1) / mostPiece
	var out []piece
	for i := range n {
		out = append(out, piece{Index: i, Of: n, Data: append([]byte(nil), packed.Next(mostPiece)...)})
	}
	return out, nil
}

// mostRecord bounds what a made-up record can ask for.
const mostRecord = 512 << 20

func joined(pieces []piece) (closing, error) {
	var packed []byte
	for _, p := range pieces {
		packed = append(packed, p.Data...)
	}
	var c closing
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.NewDecoder(io.LimitReader(z, mostRecord)).Decode(&c)
	}
	if err != nil {
		return c, fmt.Errorf("cluster: read a record: %w", err)
	}
	return c, nil
}

// streamConfig is the stream of all runs. What is left of one goes after an hour.
func streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: stream, Description: "what the agents of flowproof counted", Subjects: []string{results + ".*.*"},
		Storage: jetstream.FileStorage, MaxAge: time.Hour, Duplicates: 10 * time.Minute, Retention: jetstream.LimitsPolicy,
	}
}

// identifier is a message's, by which a server that has it already knows it.
func identifier(run, agent string, number int) string {
	return fmt.Sprintf("%s/%s/%d", run, agent, number)
}
