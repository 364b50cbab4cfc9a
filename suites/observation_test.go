package suites

import (
	"strings"
	"testing"

	"flowproof/drivers/oauth"
	"flowproof/drivers/target"
	"flowproof/reports"
)

// A finding keeps the HTML of a page, with the secrets masked that were learnt, and those at their places.
func TestAPageThatIsKeptHoldsNoSecret(t *testing.T) {
	of := target.Target{Clients: []target.Client{{Name: "web", ID: "web", Secret: target.NewSecret("the-secret-of-web")}}}
	driver, err := oauth.New(of, oauth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(driver.Close)
	s := newSession(t.Context(), Options{Target: of, Driver: driver})
	page := oauth.Page{Title: "Oh no", HTML: "<p>the-secret-of-web</p><a href='/x?access_token=short'>on</a>"}
	kept := s.attachments(&observation{pages: []oauth.Page{page}}, reports.Fail)
	if len(kept) != 1 || strings.Contains(string(kept[0].Data), "the-secret-of-web") || strings.Contains(string(kept[0].Data), "short") {
		t.Errorf("%s", kept)
	}
}
