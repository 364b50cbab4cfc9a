package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
)

// sha256Hasher replaces bcrypt, which would be all that a load figure is about. Our client secrets are random,
// so a slow hash protects nothing.
type sha256Hasher struct{}

var errSecret = errors.New("the secret is another one")

func (sha256Hasher) Hash(_ context.Context, data []byte) ([]byte, error) {
	sum := sha256.Sum256(data)
	return sum[:], nil
}

func (h sha256Hasher) Compare(ctx context.Context, hash, data []byte) error {
	sum, err := h.Hash(ctx, data)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(sum, hash) != 1 {
		return errSecret
	}
	return nil
}
