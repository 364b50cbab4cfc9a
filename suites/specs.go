package suites

import (
	"context"
	"io"
	"slices"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"

	"flowproof/suites/catalogue"
)

// Specs tells which specs prove each requirement, by their sentences, without playing any. It must not be
// called while Run is under way.
func Specs() map[string][]string {
	console := formatter.ColorableStdOut
	formatter.ColorableStdOut = io.Discard
	defer func() { formatter.ColorableStdOut = console }()
	globals.Reset()
	defer globals.Reset() // what a preview leaves behind would spoil the next run
	ginkgo.Describe("a deployment", func() { specs(newSession(context.Background(), Options{})) })

	out := map[string][]string{}
	for _, r := range ginkgo.PreviewSpecs("flowproof").SpecReports {
		sentence := r.LeafNodeText
		if slices.Contains(r.Labels(), "table") && len(r.ContainerHierarchyTexts) > 0 {
			sentence = r.ContainerHierarchyTexts[len(r.ContainerHierarchyTexts)-1]
		}
		for _, label := range r.Labels() {
			if _, known := catalogue.ByID(label); known && !slices.Contains(out[label], sentence) {
				out[label] = append(out[label], sentence)
			}
		}
	}
	return out
}
