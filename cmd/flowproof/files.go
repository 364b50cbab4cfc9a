package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const largestFile = 64 << 20 // a million people in a CSV file

// readFile reads a file that is named on the command line or in a file; one without an end, such as a device, is
// refused.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return whole(file)
}

// below reads files of a folder, and no others: whoever sends a plan over the bus is not to choose among all that this
// user may read.
func below(folder string) func(path string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		root, err := os.OpenRoot(folder)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		from, err := filepath.Abs(folder)
		if err != nil {
			return nil, err
		}
		to, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		inner, err := filepath.Rel(from, to)
		if err != nil || !filepath.IsLocal(inner) {
			return nil, fmt.Errorf("%s is not below the agent's --dir", path)
		}
		file, err := root.Open(inner)
		if err != nil {
			return nil, err
		}
		return whole(file)
	}
}

// whole reads a file, and closes it.
func whole(file *os.File) ([]byte, error) {
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	if err == nil && len(text) > largestFile {
		return nil, fmt.Errorf("read %s: it is larger than %d MiB", file.Name(), largestFile>>20)
	}
	return text, err
}
