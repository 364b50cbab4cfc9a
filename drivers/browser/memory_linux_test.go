package browser

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/page"

	"flowproof/drivers/oauth"
)

func TestKeeperEndsNothingOfOthers(t *testing.T) {
	b := start(t, newSite(t).target(), Options{})
	other := exec.CommandContext(t.Context(), "sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Wait() }()
	ours := newFamily(b.keeper.family.head)
	members := ours.members()
	if len(members) < 3 {
		t.Errorf("the browser is said to have the processes %v", members)
	}
	if slices.Contains(members, other.Process.Pid) {
		t.Error("a process that is none of the browser's is taken for one")
	}
	if ours.end(other.Process.Pid) {
		t.Error("a process that is none of the browser's was ended")
	}
	if err := other.Process.Kill(); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range members {
		if ours.end(pid) {
			t.Errorf("%d was ended after its browser was gone", pid)
		}
	}
}

func TestVisitTellsThatTheBrowserWasEnded(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	x := open(t, b)
	// The page is asked for: from now on the browser takes too much.
	s.onNever = func() { b.keeper.end(b.keeper.family.head.Pid) }
	_, err := x.Visit(t.Context(), oauth.Visit{URL: s.URL + "/never"})
	if err == nil || !strings.Contains(err.Error(), "the browser took more than 1024 MiB of memory, and was ended") {
		t.Errorf("error %v", err)
	}
	if _, err := b.Session(t.Context()); err == nil || !strings.Contains(err.Error(), "1024 MiB") {
		t.Errorf("the next session: %v", err)
	}
}

func TestCrashedTabEndsTheVisitAlone(t *testing.T) {
	s := newSite(t)
	b := start(t, s.target(), Options{})
	x := open(t, b)
	crash := func() {
		tab := x.(*session)
		go tab.command(func(ctx context.Context) error {
			_, err := cdp.Call(ctx, tab.tab, page.Crash, cdp.Empty{})
			return err
		})
	}
	v := oauth.Visit{URL: s.request("to", client), RedirectURIs: []string{client}, User: alice()}
	dies := v
	dies.Pause = func(ctx context.Context) {
		crash()
		<-ctx.Done()
	}
	began := time.Now()
	_, err := x.Visit(t.Context(), dies)
	if err == nil || !strings.Contains(err.Error(), "get past the sign-in page: the page crashed its tab") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("it was told after %v", took)
	}
	if l := land(t, x, v); l.Kind != oauth.Redirected {
		t.Errorf("the next visit landed %s", l.Kind)
	}
	crash() // between two visits
	if l := land(t, x, v); l.Kind != oauth.Redirected {
		t.Errorf("the visit after that landed %s", l.Kind)
	}
	// The news of it may come late.
	s.onNever = func() { x.(*session).queue.push(&inspector.EventTargetCrashed{}) }
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	if _, err := x.Visit(ctx, oauth.Visit{URL: s.URL + "/never"}); err == nil || strings.Contains(err.Error(), "crashed") {
		t.Errorf("error %v", err)
	}
}
