package reports

import "embed"

//go:embed conformance.schema.json load.schema.json comparison.schema.json waivers.schema.json
var schemas embed.FS

// Schema returns the JSON Schema (draft 2020-12) of a kind of record (conformance, load or comparison) or of the waivers file (waivers), and nil for
// any other.
func Schema(kind string) []byte {
	text, err := schemas.ReadFile(kind + ".schema.json")
	if err != nil {
		return nil
	}
	return text
}
