// Package reports holds the results as data, JSON being the record, and everything rendered from them.
package reports

// A Verdict is what is known of a requirement.
type Verdict string

// The verdicts, worst first.
const (
	Fail          Verdict = "fail"
	Warn          Verdict = "warn"
	Inconclusive  Verdict = "inconclusive"
	Note          Verdict = "note"
	Pass          Verdict = "pass"
	NotApplicable Verdict = "not-applicable"
)

// ConformanceSchema names the version of the record.
const ConformanceSchema = "flowproof/conformance/v1"

// A Conformance is the record of a check.
type Conformance struct {
	Schema     string    `json:"schema"`
	Tool       Tool      `json:"tool"`
	Catalogue  string    `json:"catalogue,omitempty"` // which requirements were known: their number and a digest
	Target     Target    `json:"target"`
	Machine    *Machine  `json:"machine,omitempty"` // where flowproof ran
	Browser    string    `json:"browser,omitempty"` // product and version; empty when there was none
	Only       string    `json:"only,omitempty"`    // the filter, when not everything was to run
	Strict     bool      `json:"strict,omitempty"`  // warnings counted as failures
	Started    string    `json:"started"`           // RFC 3339, UTC
	Ended      string    `json:"ended,omitempty"`   // RFC 3339, UTC
	DurationMS int64     `json:"duration_ms"`
	Partial    string    `json:"partial,omitempty"`  // why the run ended early
	Exchanges  int       `json:"exchanges"`          // how many the run made
	Results    []Result  `json:"results"`            // one a requirement, in the catalogue's order
	Notices    []string  `json:"notices,omitempty"`  // what the reader must know about the run as a whole
	Waivers    []Waiver  `json:"waivers,omitempty"`  // those that the run was given, and what became of each
	Baseline   *Baseline `json:"baseline,omitempty"` // the earlier record that the run was held to
}

// A Tool says what wrote the record.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// A Target says what was tested.
type Target struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	Profile string `json:"profile"`
	Edition string `json:"edition,omitempty"`
	Tokens  string `json:"tokens,omitempty"` // jwt or opaque, as seen

	File  string         `json:"file,omitempty"`  // the target file, relative to where flowproof ran; empty for the sandbox
	Lines map[string]int `json:"lines,omitempty"` // where each client stands in it
}

// A Result is the verdict on one requirement and the findings that led to it.
type Result struct {
	Requirement string    `json:"requirement"`
	Section     string    `json:"section"`  // of the catalogue
	Sentence    string    `json:"sentence"` // what is required
	Source      string    `json:"source"`   // RFC 6749 §4.1.3 …
	Level       string    `json:"level"`    // MUST, SHOULD … in this profile
	Verdict     Verdict   `json:"verdict"`  // the worst of its findings
	Findings    []Finding `json:"findings"`
}

// A Finding is one observation: requirement, verdict, evidence.
type Finding struct {
	Verdict     Verdict      `json:"verdict"`
	Flow        string       `json:"flow"`     // client_credentials, implicit, authorization_code, password, refresh_token or any
	Endpoint    string       `json:"endpoint"` // authorization, token, resource, revocation, introspection, metadata, jwks
	Spec        string       `json:"spec"`     // the sentence of the spec
	Variant     string       `json:"variant,omitempty"`
	Expected    string       `json:"expected,omitempty"` // what the requirement wants to see
	Message     string       `json:"message,omitempty"`  // what was seen, or what is missing
	Seen        int          `json:"seen,omitempty"`     // exchanges judged, for passive rows
	DurationMS  int64        `json:"duration_ms"`
	Evidence    []Exchange   `json:"evidence,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`

	Waived string `json:"waived,omitempty"` // why it does not count: who accepted it, until when, for what reason
	Known  bool   `json:"known,omitempty"`  // it does not count, since it was so in the baseline
}

// An Attachment is a file beside the record, or, when Data is set, inside it.
type Attachment struct {
	Name string `json:"name"`           // what it shows
	Type string `json:"type"`           // media type
	Data []byte `json:"data,omitempty"` // base64 in JSON
}
