package reports

// ManyFindings is a record for tests of the pages.
func ManyFindings(n int) Record {
	c := manyFindings(n)
	return Record{Conformance: &c}
}
