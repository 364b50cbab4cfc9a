package sandbox

// tokenFaults are the faults of sections A to D: how the token endpoint reads, answers, refuses, and knows its clients.
func tokenFaults() []Fault {
	return []Fault{
		{ID: "token-accept-get", Sentence: "A GET with the parameters in its query is answered with a token",
			Requirement: "RFC6749-3.2-get-refused", change: func(p *policy) { p.token.acceptsGet = true }},
	}
}
