package load

import (
	"fmt"
	"sync"
	"testing"
)

func TestUniques(t *testing.T) {
	u := newUniques(0)
	defer u.free()
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
	x := u.extent()
	if x.given != n || x.bytes > 13*n {
		t.Errorf("%+v", x)
	}
}

func TestUniquesTellOwnersApart(t *testing.T) {
	u := newUniques(0)
	defer u.free()
	u.add([]byte("t"), 1)
	if repeated, same := u.add([]byte("t"), 1); !repeated || !same {
		t.Error("the same owner")
	}
	if repeated, same := u.add([]byte("t"), 2); !repeated || same {
		t.Error("another owner")
	}
}

// TestUniquesSampleWhenThereAreTooMany fills a set beyond its bound: it stays within the bound, says how much it
// compared, and still finds the repeats of what it kept, and no others.
func TestUniquesSampleWhenThereAreTooMany(t *testing.T) {
	u := newUniques(0)
	u.most = 20_000
	const n = 100_000
	for i := range n {
		if repeated, _ := u.add(fmt.Appendf(nil, "token-%d", i), 0); repeated {
			t.Fatalf("token %d never came before", i)
		}
	}
	x := u.extent()
	if x.given != n || x.compared > u.most || x.compared < u.most/4 {
		t.Errorf("%+v", x)
	}
	var repeats int64
	for i := range n {
		if repeated, same := u.add(fmt.Appendf(nil, "token-%d", i), 0); repeated && same {
			repeats++
		}
	}
	if repeats != x.compared {
		t.Errorf("%d repeats of %d that were kept", repeats, x.compared)
	}
	u.free()
	if x := u.extent(); x.bytes != 0 || x.given != 2*n-repeats {
		t.Errorf("after free: %+v", x)
	}
}

// TestUniquesOfOneShardKeepWhatIsThere goes on when nothing is left to give up.
func TestUniquesOfOneShardKeepWhatIsThere(t *testing.T) {
	u := newUniques(0)
	defer u.free()
	u.most = 16
	for i := range 10_000 {
		u.add(fmt.Appendf(nil, "token-%d", i), 0)
	}
	if x := u.extent(); x.given != 10_000 || x.compared == 0 || x.compared > 16 {
		t.Errorf("%+v", x)
	}
}

// TestUniquesAreSizedByThePlan holds the set to about nine bytes a token when it is known how many will come.
func TestUniquesAreSizedByThePlan(t *testing.T) {
	const n = 1 << 20
	u := newUniques(n)
	defer u.free()
	for i := range n {
		u.add(fmt.Appendf(nil, "token-%d", i), 0)
	}
	if x := u.extent(); x.compared != n || x.bytes > 10*n {
		t.Errorf("%+v: %.1f bytes a token", x, float64(x.bytes)/n)
	}
}
