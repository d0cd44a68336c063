package testidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
)

// keyFile holds a JWK set with the private keys, the newest first.
const keyFile = "testidp-keys.json"

const rsaBits = 2048

// keys are private keys, the newest first. The first of an algorithm signs; all are published. A slice is never changed
// once it is the provider's.
type keys []jose.JSONWebKey

// newKey makes a key; its kid is its thumbprint (RFC 7638).
func newKey(alg jose.SignatureAlgorithm) (jose.JSONWebKey, error) {
	key := jose.JSONWebKey{Algorithm: string(alg), Use: "sig"}
	var err error
	if alg == jose.RS256 {
		key.Key, err = rsa.GenerateKey(rand.Reader, rsaBits)
	} else {
		key.Key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return key, fmt.Errorf("making the %s key: %w", alg, err)
	}
	print, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return key, fmt.Errorf("naming the %s key: %w", alg, err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(print)
	return key, nil
}

// current is the key that signs, or nil.
func (k keys) current(alg jose.SignatureAlgorithm) *jose.JSONWebKey {
	for i := range k {
		if k[i].Algorithm == string(alg) {
			return &k[i]
		}
	}
	return nil
}

// public is what is published.
func (k keys) public() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(k))}
	for i := range k {
		set.Keys = append(set.Keys, k[i].Public())
	}
	return set
}

// readKeys returns the keys of a directory; none where there are none yet, or no directory.
func readKeys(dir string) (keys, error) {
	if dir == "" {
		return nil, nil
	}
	name := filepath.Join(dir, keyFile)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the test identity provider's keys: %w", err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("reading the test identity provider's keys from %s (delete it to get new ones): %w", name, err)
	}
	for i := range set.Keys {
		if k := &set.Keys[i]; !k.Valid() || k.IsPublic() || k.KeyID == "" || !known(k.Algorithm) {
			return nil, fmt.Errorf("%s: key %d is not a private signing key; delete the file to get new ones", name, i+1)
		}
	}
	return set.Keys, nil
}

// write replaces the file in one step, readable for its owner only.
func (k keys) write(dir string) error {
	if dir == "" {
		return nil
	}
	data, err := json.Marshal(jose.JSONWebKeySet{Keys: k})
	if err != nil {
		return fmt.Errorf("writing the test identity provider's keys: %w", err)
	}
	if err := replaceFile(dir, keyFile, data); err != nil {
		return fmt.Errorf("writing the test identity provider's keys: %w", err)
	}
	return nil
}

// replaceFile writes a file of mode 0600 under another name first.
func replaceFile(dir, name string, data []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+name+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

func known(alg string) bool { return alg == string(jose.RS256) || alg == string(jose.ES256) }
