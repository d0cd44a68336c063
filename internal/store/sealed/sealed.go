// Package sealed makes guests that cost nothing until they log in: the id of one is the proof that there is such a guest,
// so no row says it, and an anonymous flood fills no disk.
//
// The GUID of a sealed guest is one AES-256 block: 24 bits that stand for the pool, 32 bits of seconds since 1970, 40
// random bits and 32 zero bits, which are the check. The key is made once and kept for ever: without it such guests are
// gone. An id that nobody made here opens with a chance of 1 in 2^56.
//
// A row wins over the check. One is written when a login is linked to the guest, when it is merged, and when it is deleted:
// then it stays as a mark, disabled and merged into nothing, which is an identity to nobody. The marks go with their pool.
package sealed

import (
	"context"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"idpool/internal/identity"
	"idpool/internal/store"
)

const (
	blockBytes  = 16
	poolBytes   = 3
	secondsAt   = poolBytes
	randomAt    = secondsAt + 4
	randomBytes = 5
	checkAt     = randomAt + randomBytes
)

// Identities is a store.Identities with sealed guests. It is safe for concurrent use.
type Identities struct {
	store.Identities
	block cipher.Block
	pools map[[poolBytes]byte]string // ids by number
}

// New returns the identities of a store with the guests of some pools sealed under a block cipher of 16 bytes. It fails
// where two pools have one number: only one of them can be sealed.
func New(of store.Identities, block cipher.Block, pools []string) (*Identities, error) {
	if block.BlockSize() != blockBytes {
		return nil, errors.New("sealed guests want a block of 16 bytes")
	}
	s := &Identities{Identities: of, block: block, pools: map[[poolBytes]byte]string{}}
	for _, id := range pools {
		if other, taken := s.pools[number(id)]; taken && other != id {
			return nil, fmt.Errorf("the guests of the pools %s and %s cannot both be sealed: their ids would look alike", other, id)
		}
		s.pools[number(id)] = id
	}
	return s, nil
}

// number stands for a pool in 24 bits.
func number(poolID string) (n [poolBytes]byte) {
	sum := sha256.Sum256([]byte(poolID))
	copy(n[:], sum[:])
	return n
}

// NewGuest returns the id of a new guest, or ok false where guests of the pool are not sealed.
func (s *Identities) NewGuest(poolID, region string, now time.Time, random io.Reader) (id string, ok bool, err error) {
	n := number(poolID)
	if s.pools[n] != poolID {
		return "", false, nil
	}
	var b [blockBytes]byte
	copy(b[:], n[:])
	binary.BigEndian.PutUint32(b[secondsAt:], uint32(now.Unix()))
	if _, err := io.ReadFull(random, b[randomAt:checkAt]); err != nil {
		return "", false, fmt.Errorf("reading randomness: %w", err)
	}
	s.block.Encrypt(b[:], b[:])
	h := hex.EncodeToString(b[:])
	return region + ":" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], true, nil
}

// open returns the block of an id that was made here, for whatever pool.
func (s *Identities) open(id string) (b [blockBytes]byte, ok bool) {
	_, guid, found := strings.Cut(id, ":")
	if !found || len(guid) != 36 || guid[8] != '-' || guid[13] != '-' || guid[18] != '-' || guid[23] != '-' {
		return b, false
	}
	digits := guid[:8] + guid[9:13] + guid[14:18] + guid[19:23] + guid[24:]
	if strings.ToLower(digits) != digits {
		return b, false // one spelling for each id
	}
	if n, err := hex.Decode(b[:], []byte(digits)); err != nil || n != blockBytes {
		return b, false
	}
	s.block.Decrypt(b[:], b[:])
	return b, binary.BigEndian.Uint32(b[checkAt:]) == 0
}

// guest returns the guest of an id that was made here for a pool whose guests are sealed. Its version is 0: no row has it.
func (s *Identities) guest(id string) (identity.Identity, bool) {
	b, ok := s.open(id)
	if !ok {
		return identity.Identity{}, false
	}
	poolID, ok := s.pools[[poolBytes]byte(b[:poolBytes])]
	if !ok || region(id) != region(poolID) {
		return identity.Identity{}, false
	}
	made := time.Unix(int64(binary.BigEndian.Uint32(b[secondsAt:])), 0)
	return identity.NewGuest(poolID, id, made), true
}

func region(id string) string {
	r, _, _ := strings.Cut(id, ":")
	return r
}

// Get implements store.Identities.
func (s *Identities) Get(ctx context.Context, id string) (identity.Identity, error) {
	i, err := s.Identities.Get(ctx, id)
	switch {
	case err == nil && s.isMark(&i):
		return identity.Identity{}, store.ErrNotFound
	case errors.Is(err, store.ErrNotFound):
		if guest, ok := s.guest(id); ok {
			return guest, nil
		}
	}
	return i, err
}

// isMark reports whether a row only says that its identity was deleted.
func (s *Identities) isMark(i *identity.Identity) bool {
	return i.Disabled && i.MergedInto == "" && s.born(i)
}

// List implements store.Identities. Sealed guests without a row are not in it: nobody has a list of them.
func (s *Identities) List(ctx context.Context, poolID, after string, n int, hideDisabled bool) ([]identity.Identity, error) {
	var out []identity.Identity
	for {
		want := n - len(out)
		found, err := s.Identities.List(ctx, poolID, after, want, hideDisabled)
		if err != nil {
			return nil, err
		}
		full := len(found) == want && want > 0
		if full {
			after = found[len(found)-1].ID
		}
		out = append(out, slices.DeleteFunc(found, func(i identity.Identity) bool { return s.isMark(&i) })...)
		if !full || len(out) >= n {
			return out, nil
		}
	}
}

// Apply implements store.Identities. Changes of guests without a row write one; and one that was sealed leaves its mark
// when it is deleted, or its id would be a guest again.
func (s *Identities) Apply(ctx context.Context, change identity.Change) error {
	return s.Identities.Apply(ctx, s.written(change))
}

// written is the change as a store takes it.
func (s *Identities) written(change identity.Change) identity.Change {
	updates, deletes := change.Update, change.Delete
	change.Create, change.Unlink = slices.Clone(change.Create), slices.Clone(change.Unlink)
	change.Update, change.Delete = nil, nil
	for _, i := range updates {
		put(&change, i)
	}
	for _, i := range deletes {
		if !s.born(&i) {
			change.Delete = append(change.Delete, i)
			continue
		}
		for _, k := range i.Logins {
			change.Unlink = append(change.Unlink, identity.Link{LoginKey: k, IdentityID: i.ID})
		}
		i.Disabled, i.MergedInto, i.Logins = true, "", nil
		put(&change, i)
	}
	return change
}

// put updates a row, or writes the first one of a guest. Its logins are in the change's links.
func put(c *identity.Change, i identity.Identity) {
	if i.Version > 0 {
		c.Update = append(c.Update, i)
		return
	}
	i.Logins = nil
	c.Create = append(c.Create, i)
}

// born reports whether the identity was a sealed guest, also where guests of its pool are sealed no more: they may be again.
func (s *Identities) born(i *identity.Identity) bool {
	b, ok := s.open(i.ID)
	return ok && [poolBytes]byte(b[:poolBytes]) == number(i.PoolID)
}
