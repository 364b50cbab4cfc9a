package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// keys are the one key that ID tokens, and access tokens where they are JWTs, are signed with.
type keys struct {
	private *rsa.PrivateKey
}

func newKeys() (keys, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return keys{}, fmt.Errorf("zitadel: making a signing key: %w", err)
	}
	return keys{private}, nil
}

// SigningKey is what the library signs with.
func (k keys) SigningKey(context.Context) (op.SigningKey, error) { return privateKey(k), nil }

// SignatureAlgorithms are announced in the metadata.
func (keys) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet is what others verify with.
func (k keys) KeySet(context.Context) ([]op.Key, error) { return []op.Key{publicKey(k)}, nil }

const keyID = "peer-1"

type privateKey keys

func (privateKey) ID() string                                  { return keyID }
func (privateKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k privateKey) Key() any                                  { return k.private }

type publicKey keys

func (publicKey) ID() string                         { return keyID }
func (publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                         { return &k.private.PublicKey }
