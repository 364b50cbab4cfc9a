package browser

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"flowproof/drivers/target"
)

const period = 30 * time.Second

// codes makes one-time passwords, none of them twice: servers refuse one that was used.
type codes struct {
	mu   sync.Mutex
	last map[string]int64 // by user, the period of the last code
}

func newCodes() *codes { return &codes{last: map[string]int64{}} }

// next makes the user's next code. It waits for the next period when this one's was used, or is about to end.
func (c *codes) next(ctx context.Context, u target.User) (string, error) {
	const margin = 3 * time.Second
	now := time.Now()
	at := now
	if now.Truncate(period).Add(period).Sub(now) < margin {
		at = at.Add(period)
	}
	c.mu.Lock()
	turn := max(at.Unix()/int64(period/time.Second), c.last[u.Name]+1)
	c.last[u.Name] = turn
	c.mu.Unlock()

	begin := time.Unix(turn*int64(period/time.Second), 0)
	timer := time.NewTimer(time.Until(begin))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	code, err := totp.GenerateCodeCustom(u.TOTP.Reveal(), begin, totp.ValidateOpts{
		Period: uint(period / time.Second), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return "", fmt.Errorf("the totp secret of %s: %w", u.Name, err)
	}
	return code, nil
}

// withCode makes a code in the background, and hands it on.
func (v *visit) withCode(then func(code string)) {
	v.acting = true
	go func() {
		code, err := v.s.b.codes.next(v.ctx, *v.User)
		v.push(coded{code, err, then})
	}()
}

// coded is a one-time password that was waited for.
type coded struct {
	code string
	err  error
	then func(code string)
}

func (v *visit) coded(e coded) {
	v.acting = false
	if e.err != nil {
		if v.ctx.Err() == nil {
			v.failure = v.fail("make a one-time password", e.err.Error())
		}
		return
	}
	v.s.b.learn("otp", e.code)
	e.then(e.code)
}
