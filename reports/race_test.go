//go:build race

package reports_test

// slow is how many seconds a page may take on a machine that does other things, too, with the race detector.
const slow = 15
