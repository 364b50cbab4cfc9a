//go:build pictures

package reports_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

var (
	pages    = flag.String("pages", "", "the folder of pages that pictures are taken of")
	pictures = flag.String("pictures", "", "the folder that the pictures go to")
)

// TestPictures takes the README's pictures: what a reader sees first of each page. It is what make pictures calls.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(*pages, "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no page in %s: %v", *pages, err)
	}
	b := newTab(t)
	for _, file := range files {
		b.look(1200, false)
		b.size(1200, 1000)
		b.open(fileURL(t, file))
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		b.must(err)
		b.must(os.WriteFile(filepath.Join(*pictures, strings.TrimSuffix(filepath.Base(file), ".html")+".png"), picture, 0o644))
	}
}
