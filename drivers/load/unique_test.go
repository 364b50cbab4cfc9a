package load

import (
	"fmt"
	"sync"
	"testing"
)

func TestUniques(t *testing.T) {
	u := newUniques()
	const n = 200_000
	var all sync.WaitGroup
	var mu sync.Mutex
	repeats := 0
	for g := range 4 {
		all.Go(func() {
			for i := range n {
				if i%4 != g && i%1000 != 0 { // every thousandth is added by all four
					continue
				}
				if repeated, _ := u.add(fmt.Appendf(nil, "token-%d", i), g); repeated {
					mu.Lock()
					repeats++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if want := 3 * n / 1000; repeats != want {
		t.Errorf("%d repeats, want %d", repeats, want)
	}
	tokens, bytes := u.size()
	if tokens != n || bytes > 22*n {
		t.Errorf("%d tokens in %d bytes", tokens, bytes)
	}
}

func TestUniquesTellOwnersApart(t *testing.T) {
	u := newUniques()
	u.add([]byte("t"), 1)
	if repeated, same := u.add([]byte("t"), 1); !repeated || !same {
		t.Error("the same owner")
	}
	if repeated, same := u.add([]byte("t"), 2); !repeated || same {
		t.Error("another owner")
	}
}
