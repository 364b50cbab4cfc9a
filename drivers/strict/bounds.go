package strict

import "github.com/goccy/go-yaml/token"

// What nobody writes, and what the YAML library takes minutes or gigabytes for, is not handed to it.
const (
	maxFile   = 1 << 20
	maxTokens = 50_000
	maxDepth  = 100 // levels
	maxKey    = 200 // bytes of a key, beyond which no word is looked for that it might have been
)

// excess is what a file has too much of, with the place where it begins to, and nil of a file that can be read.
func excess(tokens token.Tokens) (at *token.Token, what, mend string) {
	var columns []int // at which the mappings and lists that a token stands in begin
	brackets, tags := 0, 0
	for i, t := range tokens {
		if i == maxTokens {
			return t, "holds too much", "write less of it"
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets = max(brackets-1, 0)
		case token.TagType, token.AnchorType, token.MappingKeyType:
			tags++ // each holds what comes next
		case token.SequenceEntryType, token.MappingValueType:
			tags = 0
			column := tokenPlace(t).column
			if t.Type == token.MappingValueType && i > 0 {
				column = tokenPlace(tokens[i-1]).column
			}
			for len(columns) > 0 && columns[len(columns)-1] >= column {
				columns = columns[:len(columns)-1]
			}
			if brackets == 0 {
				columns = append(columns, column)
			}
		case token.DocumentHeaderType, token.DocumentEndType:
			columns, brackets, tags = nil, 0, 0
		default:
			if i == 0 || tokens[i-1].Type != token.AnchorType { // else it is the anchor's name
				tags = 0
			}
		}
		if len(columns)+brackets+tags > maxDepth {
			return t, "is nested too deeply", "write it flatter"
		}
	}
	return nil, "", ""
}
