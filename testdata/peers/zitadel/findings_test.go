package main

import (
	"testing"

	"flowproof/peers/verdict"
)

func TestFindingsAreExplained(t *testing.T) {
	verdict.Test(t, command(), "--grant", "client_credentials")
}
