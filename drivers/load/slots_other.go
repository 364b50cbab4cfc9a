//go:build !unix

package load

func slots(n int) []uint64 { return make([]uint64, n) }

func freeSlots([]uint64) {}
