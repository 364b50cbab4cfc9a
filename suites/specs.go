package suites

import (
	"context"
	"io"
	"slices"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"

	"flowproof/suites/catalogue"
)

// Specs tells which specs prove each requirement, by their sentences, without playing any. It must not be
// called while Run is under way.
func Specs() map[string][]string {
	out := map[string][]string{}
	for _, r := range preview(Options{}) {
		sentence, _ := sentenceOf(r)
		for _, label := range r.Labels() {
			if _, known := catalogue.ByID(label); known && !slices.Contains(out[label], sentence) {
				out[label] = append(out[label], sentence)
			}
		}
	}
	return out
}

// preview is the tree for the options, as reports of specs that were not played.
func preview(o Options) types.SpecReports {
	console := formatter.ColorableStdOut
	formatter.ColorableStdOut = io.Discard
	defer func() { formatter.ColorableStdOut = console }()
	globals.Reset()
	defer globals.Reset() // what a preview leaves behind would spoil the next run
	ginkgo.Describe("a deployment", func() { specs(newSession(context.Background(), o)) })
	return ginkgo.PreviewSpecs("flowproof").SpecReports
}

// sentenceOf is what the spec says, and which variant of that it is.
func sentenceOf(r types.SpecReport) (sentence, variant string) {
	if slices.Contains(r.Labels(), "table") && len(r.ContainerHierarchyTexts) > 0 {
		return r.ContainerHierarchyTexts[len(r.ContainerHierarchyTexts)-1], r.LeafNodeText
	}
	return r.LeafNodeText, ""
}
