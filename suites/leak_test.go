package suites

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets no test leave a goroutine behind, but for the one that Ginkgo leaves at each run.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
}
