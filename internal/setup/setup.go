// Package setup writes the first documents of a store: the rings of keys, an administrator, and what `idpool dev` starts
// with. It writes them as the operations do, through the same validation and the same store call, and does nothing a
// second time: what is there stays.
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/keyring"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// Setup writes documents. All fields are needed.
type Setup struct {
	Documents store.Documents
	Holder    keyring.Holder
	Account   string
	Random    io.Reader
	Now       func() time.Time
}

// Rings makes the rings of keys that the store lacks. Of two that make them at once one wins, and both go on with its
// keys.
func (s *Setup) Rings(ctx context.Context) error {
	for _, use := range []string{keyring.Sealing, keyring.Signing} {
		if err := s.Ring(ctx, use); err != nil {
			return err
		}
	}
	return nil
}

// Ring makes the ring of one use unless the store has it, as Rings does.
func (s *Setup) Ring(ctx context.Context, use string) error {
	_, err := s.Documents.Get(ctx, snapshot.KindKeyring, use)
	if err == nil {
		return nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("looking for keys: %w", err)
	}
	ring, err := s.Holder.NewRing(use, s.Now())
	if err != nil {
		return err
	}
	if _, err := s.Documents.Write(ctx, snapshot.PutRing(&ring, 0)); err != nil && !errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("storing keys: %w", err)
	}
	return nil
}

// Credentials are a user's access key. The secret is shown to the operator once.
type Credentials struct {
	UserARN         string
	AccessKeyID     string
	SecretAccessKey string
}

// Administrator makes a user who may do everything, with one access key. His policy is one like any other: there is no
// other mark of an administrator. store.ErrConflict when the name is taken.
func (s *Setup) Administrator(ctx context.Context, name string) (Credentials, error) {
	user := &account.User{Name: name, Path: "/", Created: s.Now().UTC(), Inline: map[string]string{"administrator": account.AdministratorAccess}}
	var err error
	if user.ID, err = account.NewID(arn.PrefixUser, s.Random); err != nil {
		return Credentials{}, err
	}
	key, secret, err := account.NewAccessKey(s.Account, s.Random, s.Holder, s.Now())
	if err != nil {
		return Credentials{}, err
	}
	user.Keys = []account.AccessKey{key}
	if err := user.Validate(); err != nil {
		return Credentials{}, err
	}
	_, err = s.Documents.Write(ctx, snapshot.PutUser(user, 0))
	return Credentials{UserARN: user.ARN(s.Account), AccessKeyID: key.ID, SecretAccessKey: secret}, err
}
