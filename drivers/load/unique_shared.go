package load

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// A keyedHash is a hash that processes with the same key have in common, and from which no token can be told.
type keyedHash struct {
	key  []byte
	free sync.Pool
}

func newKeyedHash(key []byte) *keyedHash {
	return &keyedHash{key: key, free: sync.Pool{New: func() any { return &hasher{state: sha256.New()} }}}
}

type hasher struct {
	state interface {
		io.Writer
		Sum(to []byte) []byte
		Reset()
	}
	sum [sha256.Size]byte
}

func (k *keyedHash) of(token []byte) uint64 {
	h, ok := k.free.Get().(*hasher)
	if !ok {
		h = &hasher{state: sha256.New()}
	}
	defer k.free.Put(h)
	h.state.Reset()
	_, _ = h.state.Write(k.key) // a hash takes everything
	_, _ = h.state.Write(token)
	return binary.BigEndian.Uint64(h.state.Sum(h.sum[:0]))
}

// The kinds of values of which each has to be unique.
const (
	AccessTokens = iota
	RefreshTokens
	Codes
	markKinds
)

func (s *seen) sets() [markKinds]*uniques { return [markKinds]*uniques{s.access, s.refresh, s.codes} }

// An Extent says how many values of a kind came, and which of their marks are still there: those of the first Kept
// parts of 256.
type Extent struct {
	Given, Compared int64
	Kept            int
}

// A Place is where a page of marks begins.
type Place struct {
	Part, Slot int
}

// Extents are those of each kind, over all runs so far; reissues tells for access and refresh tokens whether the
// target gave the same one again while it lived.
func (r *Rig) Extents() (all []Extent, reissues [2]bool) {
	reissues = [2]bool{r.before.reissues, r.before.reissuesRefresh}
	if r.seen == nil {
		return make([]Extent, markKinds), reissues
	}
	for _, u := range r.seen.sets() {
		x := u.extent()
		all = append(all, Extent{Given: x.given, Compared: x.compared, Kept: int(max(u.active.Load(), 1))})
	}
	return all, reissues
}

const (
	wordBytes   = 8
	blockHeader = 6 // the part, and how many words follow
)

// Marks is a page of what is kept of the values of a kind: marks by which two rigs with the same key can tell that they
// saw the same one, and nothing else. It has so many bytes at most, and tells where the next page begins. Past the last
// one, next.Part is 256.
func (r *Rig) Marks(kind int, from Place, most int) (page []byte, next Place) {
	if r.seen == nil || kind < 0 || kind >= markKinds || from.Part < 0 || from.Slot < 0 {
		return nil, Place{Part: shardCount}
	}
	u := r.seen.sets()[kind]
	for at := from; ; at = (Place{Part: at.Part + 1}) {
		if at.Part >= shardCount {
			return page, Place{Part: shardCount}
		}
		room := (most - len(page) - blockHeader) / wordBytes
		if room < 1 {
			return page, at
		}
		words, slot := u.shards[at.Part].words(at.Slot, room)
		if len(words) > 0 {
			page = binary.BigEndian.AppendUint16(page, uint16(at.Part)) // below 256
			page = binary.BigEndian.AppendUint32(page, uint32(len(words)))
			for _, w := range words {
				page = binary.BigEndian.AppendUint64(page, w)
			}
		}
		if slot > 0 {
			return page, Place{at.Part, slot}
		}
	}
}

// words are at most so many words from a slot on, and the slot where the next ones begin; 0: there are none.
func (s *shard) words(from, most int) (out []uint64, next int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := from; i < len(s.slot); i++ {
		if s.slot[i] == 0 {
			continue
		}
		if len(out) == most {
			return out, i
		}
		out = append(out, s.slot[i])
	}
	return out, 0
}

var errPage = errors.New("load: a page of marks cannot be read")

// take puts a page's marks into the set, as far as they belong to the first so many parts, and tells how many were there
// already: of the same owner, and of another.
func (u *uniques) take(page []byte, parts int) (same, others int64, err error) {
	for len(page) > 0 {
		if len(page) < blockHeader {
			return same, others, errPage
		}
		part, n := int(binary.BigEndian.Uint16(page)), int(binary.BigEndian.Uint32(page[2:]))
		page = page[blockHeader:]
		if part >= shardCount || n > len(page)/wordBytes {
			return same, others, errPage
		}
		for range n {
			word := binary.BigEndian.Uint64(page)
			page = page[wordBytes:]
			if part >= parts || word&hashMask == 0 {
				continue
			}
			switch again, owner := u.put(part, word); {
			case again && owner:
				same++
			case again:
				others++
			}
		}
	}
	return same, others, nil
}
