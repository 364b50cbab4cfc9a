package target

import (
	"errors"
	"fmt"
	"path/filepath"

	"flowproof/drivers/strict"
)

// A Lookup is where the file's references lead: os.LookupEnv and os.ReadFile, or stand-ins.
type Lookup struct {
	Env  func(name string) (string, bool)
	File func(path string) ([]byte, error) // paths of the target file are taken from its folder first
}

// Load reads and checks a target file. Its error is strict.Mistakes when the file can be read but is wrong.
func Load(path string, l Lookup) (Target, error) {
	if l.File == nil {
		return Target{}, errors.New("target: read the file: no way to read files was given")
	}
	raw, err := l.File(path)
	if err != nil {
		return Target{}, fmt.Errorf("target: read the file: %w", err)
	}
	return Parse(path, raw, l)
}

// Parse is Load of bytes; name stands in the mistakes, and its folder is where relative paths start.
func Parse(name string, raw []byte, l Lookup) (Target, error) {
	var f file
	read := strict.Read(name, strict.Form{Called: "the target file", Least: "write at least name, url, profile and clients"}, raw, &f)
	r := reader{File: read, folder: filepath.Dir(name), lookup: l}
	t := r.target(f)
	if err := read.Mistakes.Err(); err != nil {
		return Target{}, err
	}
	return t, nil
}
