package account

import (
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"idpool/internal/arn"
)

// A Sealer seals the secrets of access keys for the store.
type Sealer interface {
	SealUserSecret(accessKeyID, secret string) ([]byte, error)
}

// NewID returns the unique id of a role, user or policy, of which random gives 85 bits.
func NewID(prefix string, random io.Reader) (string, error) {
	var b [11]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return arn.UniqueID(prefix, b), nil
}

// NewAccessKey returns an active access key of the account, and its secret of 240 random bits, which is nowhere else in
// the clear. The id has 39 random bits: whoever stores the key makes sure that no other has it.
func NewAccessKey(account string, random io.Reader, sealer Sealer, now time.Time) (AccessKey, string, error) {
	var b [35]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return AccessKey{}, "", fmt.Errorf("reading randomness: %w", err)
	}
	id, err := arn.AccessKeyID(arn.PrefixAccessKey, account, [5]byte(b[:5]))
	if err != nil {
		return AccessKey{}, "", err
	}
	secret := base64.StdEncoding.EncodeToString(b[5:])
	sealed, err := sealer.SealUserSecret(id, secret)
	if err != nil {
		return AccessKey{}, "", err
	}
	return AccessKey{ID: id, Active: true, Created: now.UTC(), SealedSecret: sealed}, secret, nil
}
