package oauth

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"flowproof/drivers/target"
)

const totpPeriod = 30 * time.Second

// Codes makes one-time passwords, none of them twice: servers refuse one that was used.
type Codes struct {
	mu   sync.Mutex
	last map[string]int64 // by user, the period of the last code
}

// NewCodes has made none yet.
func NewCodes() *Codes { return &Codes{last: map[string]int64{}} }

// Next makes the user's next code. It waits for the next period when this one's was used, or is about to end.
func (c *Codes) Next(ctx context.Context, u target.User) (string, error) {
	const margin = 3 * time.Second
	now := time.Now()
	at := now
	if now.Truncate(totpPeriod).Add(totpPeriod).Sub(now) < margin {
		at = at.Add(totpPeriod)
	}
	c.mu.Lock()
	turn := max(at.Unix()/int64(totpPeriod/time.Second), c.last[u.Name]+1)
	c.last[u.Name] = turn
	c.mu.Unlock()

	begin := time.Unix(turn*int64(totpPeriod/time.Second), 0)
	timer := time.NewTimer(time.Until(begin))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	code, err := totp.GenerateCodeCustom(u.TOTP.Reveal(), begin, totp.ValidateOpts{
		Period: uint(totpPeriod / time.Second), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return "", fmt.Errorf("the totp secret of %s: %w", u.Name, err)
	}
	return code, nil
}
