package load

import (
	"hash/maphash"
	"sync"
)

// uniques is a set of the tokens seen in a run, kept as 64-bit words: 56 bits of a hash and the owner
// that the token was issued to. Together with the shard that is 62 bits of hash: among ten million
// tokens the odds of one false repeat are 1 in 90,000.
type uniques struct {
	seed   maphash.Seed
	shards [shardCount]shard
}

const (
	shardCount = 64
	ownerBits  = 8
	ownerMask  = 1<<ownerBits - 1
	hashMask   = ^uint64(ownerMask)
	firstSlots = 256
)

type shard struct {
	mu   sync.Mutex
	n    int
	slot []uint64
	_    [24]byte // a shard a cache line
}

// seen are the values of a run that have to be different: each kind on its own.
type seen struct{ access, refresh, codes *uniques }

func newSeen() seen { return seen{newUniques(), newUniques(), newUniques()} }

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

func newUniques() *uniques {
	u := &uniques{seed: maphash.MakeSeed()}
	for i := range u.shards {
		u.shards[i].slot = make([]uint64, firstSlots)
	}
	return u
}

// add puts a token into the set. It reports whether the token was there, and if so, whether it had
// been issued to the same owner. Owners are told apart by their lowest eight bits.
func (u *uniques) add(token []byte, owner int) (repeated, sameOwner bool) {
	h := maphash.Bytes(u.seed, token)
	s := &u.shards[h%shardCount]
	word := h&hashMask | uint64(owner)&ownerMask // the lowest bits are meant
	if word == 0 {
		word = 1 << ownerBits // zero marks a free slot
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n*4 >= len(s.slot)*3 {
		s.grow()
	}
	found := s.put(word)
	if found == 0 {
		s.n++
		return false, false
	}
	return true, found&ownerMask == word&ownerMask
}

// put returns the word with the same hash that is there, or else puts the word in and returns 0.
func (s *shard) put(word uint64) uint64 {
	mask := uint64(len(s.slot) - 1)
	for i := word >> ownerBits & mask; ; i = (i + 1) & mask {
		switch have := s.slot[i]; {
		case have == 0:
			s.slot[i] = word
			return 0
		case have&hashMask == word&hashMask:
			return have
		}
	}
}

func (s *shard) grow() {
	old := s.slot
	s.slot = make([]uint64, 2*len(old))
	for _, word := range old {
		if word != 0 {
			s.put(word)
		}
	}
}

// size is how many tokens there are, and how many bytes they take.
func (u *uniques) size() (tokens, bytes int64) {
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		tokens += int64(s.n)
		bytes += int64(8 * len(s.slot))
		s.mu.Unlock()
	}
	return tokens, bytes
}
