//go:build unix

package load

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// slots are at least n words of memory that the garbage collector neither sees nor counts; freeSlots has to
// give them back. They fill the pages that they begin.
func slots(n int) []uint64 {
	page := os.Getpagesize()
	size := (n*8 + page - 1) / page * page
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil { // the heap will tell whether there is any memory left
		return make([]uint64, size/8+1)
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b))), size/8)
}

func freeSlots(s []uint64) {
	if len(s)*8%os.Getpagesize() != 0 || len(s) == 0 { // from the heap
		return
	}
	_ = unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*8))
}
