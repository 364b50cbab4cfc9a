package reports

// ManyFindings is a record for tests of the pages.
func ManyFindings(n int) Record {
	c := manyFindings(n)
	return Record{Conformance: &c}
}

// CapacityRecord is a search that found the highest rate.
func CapacityRecord() Record { l := capacityLoad(); return Record{Load: &l} }
