package suites

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"
	"time"
)

func bytesOf(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func url64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func uuid4() string {
	b := bytesOf(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func inAlphabet(alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		k, _ := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		out[i] = alphabet[k.Int64()]
	}
	return string(out)
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// good are the ways in which servers make values that nobody can guess.
func good() map[string]func(i int) string {
	key := bytesOf(32)
	return map[string]func(i int) string{
		"32 bytes in base64url":    func(int) string { return url64(bytesOf(32)) },
		"16 bytes in base64url":    func(int) string { return url64(bytesOf(16)) },
		"32 bytes in base64":       func(int) string { return base64.StdEncoding.EncodeToString(bytesOf(32)) },
		"16 bytes in hexadecimal":  func(int) string { return hex.EncodeToString(bytesOf(16)) },
		"20 bytes in hexadecimal":  func(int) string { return hex.EncodeToString(bytesOf(20)) },
		"with a prefix":            func(int) string { return "ory_at_" + url64(bytesOf(32)) },
		"with a signature":         func(int) string { b := bytesOf(32); return url64(b) + "." + url64(sign(key, b)) },
		"a prefix and a signature": func(int) string { b := bytesOf(32); return "ory_ac_" + url64(b) + "." + url64(sign(key, b)) },
		"letters and digits":       func(int) string { return inAlphabet(letters+"0123456789", 24) },
		"43 letters":               func(int) string { return inAlphabet(letters, 43) },
		"base32":                   func(int) string { return inAlphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32) },
		"a counter, then 32 bytes": func(i int) string { return fmt.Sprintf("%08d-%s", i, url64(bytesOf(32))) },
		"a clock, then 20 bytes": func(i int) string {
			return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, uint64(1e12+i))) + hex.EncodeToString(bytesOf(20))
		},
		"of many lengths":  func(i int) string { return url64(bytesOf(32 + i%5)) },
		"three UUIDs":      func(int) string { return uuid4() + "." + uuid4() + "." + "0c5b40a2-1fd0-4c2b-9a34-1f3d2c5a6b7e" },
		"64 random digits": func(int) string { return inAlphabet("0123456789", 64) },
	}
}

func sign(key, b []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil)
}

func sample(n int, make func(i int) string) []string {
	out := []string{}
	for i := range n {
		out = append(out, make(i))
	}
	return out
}

func TestGoodTokensAreNotDoubted(t *testing.T) {
	rounds := 65
	if testing.Short() {
		rounds = 5
	}
	sets := 0
	for name, make := range good() {
		lowest := 1e9
		for round := range rounds {
			n := []int{100, 150, 500}[round%3]
			w := weigh(sample(n, make))
			lowest = min(lowest, w.bits+w.doubt)
			if v := w.verdict(); v != "" {
				t.Errorf("%s: %s with %.1f bits (±%.1f) of %d values: %v", name, v, w.bits, w.doubt, n, w.why)
			}
			sets++
		}
		t.Logf("%s: at least %.1f bits", name, lowest)
	}
	t.Logf("%d sets", sets)
}

func TestUUIDsAreSixBitsShort(t *testing.T) {
	for range 50 {
		w := weigh(sample(200, func(int) string { return uuid4() }))
		if w.verdict() != "warn" || w.bits < 121 || w.bits > 123.5 {
			t.Errorf("%s, %.1f bits: %v", w.verdict(), w.bits, w.why)
		}
	}
}

func TestBadTokensAreCaught(t *testing.T) {
	constant := bytesOf(24)
	half := bytesOf(8)
	word := func(x uint64) []byte { return binary.BigEndian.AppendUint64(nil, x) }
	pool := sample(40, func(int) string { return hex.EncodeToString(bytesOf(16)) })
	started := uint64(time.Now().UnixNano())
	for name, make := range map[string]func(i int) string{
		"a constant and a counter":    func(i int) string { return url64(append(constant[:24:24], word(uint64(i))...)) },
		"a counter between constants": func(i int) string { return url64(append(append(half[:8:8], word(uint64(i))...), constant[:16]...)) },
		"a counter in hexadecimal":    func(i int) string { return hex.EncodeToString(append(constant[:24:24], word(uint64(i))...)) },
		"a counter in decimal":        func(i int) string { return fmt.Sprintf("token-%d", 99_990+i) },
		"a clock":                     func(i int) string { return url64(append(constant[:24:24], word(started+uint64(i)*123_457)...)) },
		"a clock and 8 random bytes":  func(i int) string { return url64(append(word(started+uint64(i)*123_457), bytesOf(8)...)) },
		"8 random bytes":              func(int) string { return url64(bytesOf(8)) },
		"8 random bytes twice":        func(int) string { b := hex.EncodeToString(bytesOf(8)); return b + b },
		"12 random bytes":             func(int) string { return hex.EncodeToString(bytesOf(12)) },
		"two from a pool":             func(i int) string { return pool[(i*7)%40] + pool[(i*13+i/40)%40] },
		"one step after the other":    func(i int) string { return hex.EncodeToString(big128(i)) },
		"32 random letters of four":   func(int) string { return inAlphabet("abcd", 32) },
		"16 random digits":            func(int) string { return inAlphabet("0123456789", 16) },
		"a ULID": func(i int) string {
			return fmt.Sprintf("%010X", 1_700_000_000_000+i) + inAlphabet("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 16)
		},
		"an object identifier of 12 B":  func(i int) string { return fmt.Sprintf("%08x%s%06x", started>>30, "5e3f9a1b2c", i) },
		"the same prefix, 64 bits more": func(int) string { return "at_" + url64(constant) + url64(bytesOf(8)) },
	} {
		for _, n := range []int{100, 500} {
			if w := weigh(sample(n, make)); w.verdict() != "fail" {
				t.Errorf("%s: %q with %.1f bits of %d values: %v", name, w.verdict(), w.bits, n, w.why)
			}
		}
	}
}

// big128 walks around 2^128 in steps of the same length.
func big128(i int) []byte {
	step, _ := new(big.Int).SetString("9e3779b97f4a7c15f39cc0605cedc835", 16)
	x := new(big.Int).Mul(step, big.NewInt(int64(i+1)))
	x.Mod(x, new(big.Int).Lsh(big.NewInt(1), 128))
	return x.FillBytes(make([]byte, 16))
}

func TestWeighingTakesAnything(t *testing.T) {
	for _, values := range [][]string{nil, {""}, {"a"}, {"", "b"}, {"same", "same"}, {"\x00\xff", "é", "long enough"}} {
		if w := weigh(values); w.bits > 64 {
			t.Errorf("%q: %v", values, w.bits)
		}
	}
}
