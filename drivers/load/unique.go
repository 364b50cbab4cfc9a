package load

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
)

// uniques is a set of the tokens seen in a run, kept as 64-bit words: 56 bits of a hash and the owner
// that the token was issued to. Together with the shard that is 64 bits of hash: among ten million
// tokens the odds of one false repeat are 1 in 370,000.
//
// Of more than most tokens it keeps only those of some shards, half as many each time. The hash decides, so
// that a token that comes again meets itself or was never kept: repeats are missed, and none is made up.
type uniques struct {
	seed   maphash.Seed
	shared *keyedHash // instead of the seed: that of all processes that share a plan
	most   int64
	plan   int64        // so many tokens are to come; 0: nobody knows
	active atomic.Int64 // the shards that are kept, from the first
	shards [shardCount]shard
}

const (
	shardCount = 256
	ownerBits  = 8
	ownerMask  = 1<<ownerBits - 1
	hashMask   = ^uint64(ownerMask)
	firstSlots = 512     // a page
	mostTokens = 1 << 25 // in some 300 MiB
)

type shard struct {
	mu     sync.Mutex
	n      int64    // tokens in the set
	missed int64    // tokens that are not, since there were too many
	slot   []uint64 // outside the heap: the garbage collector would let it grow to twice as much
	shut   bool     // no token is kept any more
	_      [15]byte // a shard a cache line
}

// seen are the values of a run that have to be different: each kind on its own.
type seen struct{ access, refresh, codes *uniques }

// newSeen makes the sets of a run in which so many of each kind may come; 0: nobody knows.
func newSeen(plan int64) seen { return seen{newUniques(plan), newUniques(plan), newUniques(plan)} }

// share makes the sets comparable with those of other processes that have the key.
func (s seen) share(key []byte) {
	if len(key) > 0 {
		s.access.shared, s.refresh.shared, s.codes.shared = newKeyedHash(key), newKeyedHash(key), newKeyedHash(key)
	}
}

func (s seen) free() {
	s.access.free()
	s.refresh.free()
	s.codes.free()
}

// verdict puts a value into the set, and returns the flaw that its coming shows: again when it may come once
// more for the same owner, and repeated otherwise.
func (u *uniques) verdict(value []byte, owner int, reissues bool, repeated, again flaw) flaws {
	switch there, same := u.add(value, owner); {
	case !there:
		return 0
	case same && reissues:
		return again.bit()
	}
	return repeated.bit()
}

func newUniques(plan int64) *uniques {
	u := &uniques{seed: maphash.MakeSeed(), most: mostTokens, plan: plan}
	u.active.Store(shardCount)
	return u
}

// add puts a token into the set. It reports whether the token was there, and if so, whether it had
// been issued to the same owner. Owners are told apart by their lowest eight bits.
func (u *uniques) add(token []byte, owner int) (repeated, sameOwner bool) {
	var h uint64
	if u.shared != nil {
		h = u.shared.of(token)
	} else {
		h = maphash.Bytes(u.seed, token)
	}
	word := h&hashMask | uint64(owner)&ownerMask // the lowest bits are meant
	if word == 0 {
		word = 1 << ownerBits // zero marks a free slot
	}
	return u.put(int(h%shardCount), word)
}

// put puts a word into one of the shards.
func (u *uniques) put(at int, word uint64) (repeated, sameOwner bool) {
	found, full := u.shards[at].add(word, u, at)
	if full {
		u.halve()
	}
	return found != 0, found != 0 && found&ownerMask == word&ownerMask
}

// add returns the word with the same hash that is there, or else puts the word in and returns 0. It tells when
// the shard has its share of what may be kept.
func (s *shard) add(word uint64, u *uniques, at int) (found uint64, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		s.missed++
		return 0, false
	}
	if s.n*16 >= int64(len(s.slot))*15 {
		s.grow(u, at)
	}
	i := find(s.slot, word)
	if s.slot[i] != 0 {
		return s.slot[i], false
	}
	s.slot[i] = word
	s.n++
	return 0, s.n >= u.most/u.active.Load()
}

// find is where the word's hash is, or the free slot where it belongs.
func find(slot []uint64, word uint64) uint64 {
	n := uint64(len(slot))
	i, _ := bits.Mul64(word&hashMask, n)
	for slot[i] != 0 && (slot[i]^word)&hashMask != 0 {
		if i++; i == n {
			i = 0
		}
	}
	return i
}

// grow makes room for a quarter more, but for no more than is to come.
func (s *shard) grow(u *uniques, at int) {
	old := s.slot
	// The shards fill alike; of different sizes they do not all grow at the same time.
	next := max(len(old)*5/4, firstSlots*(shardCount+at)/shardCount)
	each := float64(u.plan) / shardCount
	if last := int((each + 4*math.Sqrt(each)) * 16 / 15); u.plan > 0 && last > len(old)*17/16 {
		next = min(next, last)
	}
	s.slot = slots(max(next, firstSlots/8))
	for _, word := range old {
		if word != 0 {
			s.slot[find(s.slot, word)] = word
		}
	}
	freeSlots(old)
}

// halve gives up half of the shards; of the last one it only keeps what is there.
func (u *uniques) halve() {
	active := u.active.Load()
	rest := active / 2
	if rest > 0 && !u.active.CompareAndSwap(active, rest) {
		return // another worker does
	}
	for i := rest; i < active; i++ {
		s := &u.shards[i]
		s.mu.Lock()
		s.shut = true
		if rest > 0 {
			s.missed += s.n
			s.n = 0
			s.release()
		}
		s.mu.Unlock()
	}
}

func (s *shard) release() {
	freeSlots(s.slot)
	s.slot = nil
}

// free gives the memory back; what was counted stays.
func (u *uniques) free() {
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		s.shut = true
		s.release()
		s.mu.Unlock()
	}
}

// An extent is how many tokens a set was given and how many it compared, and the bytes that those take.
type extent struct {
	given, compared, bytes int64
}

func (u *uniques) extent() extent {
	var x extent
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		x.given += s.n + s.missed
		x.compared += s.n
		x.bytes += int64(8 * len(s.slot))
		s.mu.Unlock()
	}
	return x
}
