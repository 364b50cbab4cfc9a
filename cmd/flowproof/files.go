package main

import (
	"fmt"
	"io"
	"os"
)

const largestFile = 64 << 20 // a million people in a CSV file

// readFile reads a file that is named on the command line or in a file; one without an end, such as a device, is
// refused.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	if err == nil && len(text) > largestFile {
		return nil, fmt.Errorf("read %s: it is larger than %d MiB", path, largestFile>>20)
	}
	return text, err
}
