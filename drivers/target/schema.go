package target

import (
	_ "embed"
	"slices"
)

//go:embed target.schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of the target file, for editors.
func Schema() []byte { return slices.Clone(schema) }
