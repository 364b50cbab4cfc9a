package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"sync"
	"sync/atomic"
	"time"
)

// opaqueTokens keeps access tokens that mean nothing to their bearer. Records hold no pointers, so that
// millions of them cost the garbage collector nothing; each shard has two generations, and drops the
// older one whole as soon as all of it has expired.
type opaqueTokens struct {
	shards   [16]opaqueShard
	lifetime time.Duration
	scopes   scopeTable
	counts   bool // tokens are a constant and a counter
	issued   atomic.Uint64
}

type opaqueShard struct {
	mu         sync.Mutex
	turn       time.Time // when the younger generation becomes the older one
	young, old map[[16]byte]opaqueRecord
}

type opaqueRecord struct {
	proof           [16]byte // the other half of the token
	authorization   authorizationID
	issued, expires int64 // milliseconds since 1970
	scope           uint32
	client          uint16
	user            uint16 // number + 1; 0 is none
}

func (o *opaqueTokens) init(lifetime time.Duration) {
	o.lifetime = max(lifetime, time.Second)
	for i := range o.shards {
		o.shards[i].young = map[[16]byte]opaqueRecord{}
	}
}

const opaqueLength = 43 // 256 bits in base64url

// issue makes a token for the record.
func (o *opaqueTokens) issue(rec opaqueRecord, now time.Time) string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	if o.counts {
		o.count(&raw)
	}
	copy(rec.proof[:], raw[16:])
	sh := &o.shards[raw[0]&15]
	sh.mu.Lock()
	if now.After(sh.turn) {
		if now.Sub(sh.turn) < o.lifetime {
			sh.old = sh.young
		} else {
			sh.old = nil // nobody came by for a whole generation
		}
		sh.young, sh.turn = make(map[[16]byte]opaqueRecord), now.Add(o.lifetime)
	}
	sh.young[[16]byte(raw[:16])] = rec
	sh.mu.Unlock()
	var text [opaqueLength]byte
	base64.RawURLEncoding.Encode(text[:], raw[:])
	return string(text[:])
}

func (o *opaqueTokens) find(value string) (opaqueRecord, bool) {
	raw, ok := decodeOpaque(value)
	if !ok {
		return opaqueRecord{}, false
	}
	sh := &o.shards[raw[0]&15]
	sh.mu.Lock()
	rec, found := sh.young[[16]byte(raw[:16])]
	if !found {
		rec, found = sh.old[[16]byte(raw[:16])]
	}
	sh.mu.Unlock()
	return rec, found && subtle.ConstantTimeCompare(rec.proof[:], raw[16:]) == 1
}

func decodeOpaque(value string) ([32]byte, bool) {
	var raw [32]byte
	if len(value) != opaqueLength {
		return raw, false
	}
	n, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(value))
	return raw, err == nil && n == len(raw)
}

// scopeTable numbers scopes, so that records need not hold them.
type scopeTable struct {
	mu     sync.RWMutex
	number map[string]uint32
	scopes []scope
}

func (t *scopeTable) intern(s scope) uint32 {
	t.mu.RLock()
	n, ok := t.number[s.text]
	t.mu.RUnlock()
	if ok {
		return n
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok := t.number[s.text]; ok {
		return n
	}
	if t.number == nil {
		t.number = map[string]uint32{}
	}
	n = uint32(len(t.scopes)) //nolint:gosec // as many as there are combinations in use
	t.number[s.text] = n
	t.scopes = append(t.scopes, s)
	return n
}

func (t *scopeTable) at(n uint32) scope {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.scopes[n]
}
