package reports

// An Exchange is one request and its answer as they may be shown: redacted, text, bounded.
type Exchange struct {
	Title      string `json:"title"`
	Client     string `json:"client,omitempty"`
	Started    string `json:"started"` // RFC 3339 with milliseconds, UTC
	DurationUS int64  `json:"duration_us"`
	Proto      string `json:"proto,omitempty"`
	TLS        string `json:"tls,omitempty"`
	Method     string `json:"method"`
	URL        string `json:"url"`
	Head       string `json:"request_head,omitempty"` // header lines, one a line
	Body       string `json:"request_body,omitempty"` // form parameters one a line, or text
	Status     int    `json:"status,omitempty"`       // 0: no answer
	AnswerHead string `json:"answer_head,omitempty"`
	AnswerBody string `json:"answer_body,omitempty"`
	Cut        bool   `json:"cut,omitempty"`
	Error      string `json:"error,omitempty"`    // why there was no answer
	Curl       string `json:"curl,omitempty"`     // reproduces it, with the secrets as shell variables
	Deciding   bool   `json:"deciding,omitempty"` // the exchange that decided the verdict
}
