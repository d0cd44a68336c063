package operate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/keyring"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// Key is one key of a ring, without what is secret.
type Key struct {
	Use       *string `shape:"KeyUse"`
	KeyId     *string `shape:"KeyID"`
	Algorithm *string `shape:"KeyAlgorithm"`
	State     *string `shape:"KeyState"`
	Created   *time.Time
	// Since is when it entered its state, and Due when it leaves it by itself: a key that is next becomes active, one that
	// verifies only is retired.
	Since *time.Time
	Due   *time.Time
}

// ListKeysInput has no members.
type ListKeysInput struct{}

// ListKeysOutput has the keys of all rings, each in the order in which they were made.
type ListKeysOutput struct {
	Keys []Key `shape:"Keys"`
}

// RotateKeysInput names a ring. Now activates the new key at once, for when the active one is known to others.
type RotateKeysInput struct {
	Use *string `shape:"KeyUse,required"`
	Now *bool
}

// RetireKeyInput names a key. Force retires it although what it made may still be alive.
type RetireKeyInput struct {
	Use   *string `shape:"KeyUse,required"`
	KeyId *string `shape:"KeyID,required"`
	Force *bool
}

// KeyOutput is a key as it is now.
type KeyOutput struct{ Key *Key }

// listKeysTarget is no ring in particular, as for other lists.
func listKeysTarget(context.Context, *operation.Call, *ListKeysInput) (operation.Target, error) {
	return operation.Target{{Resource: "*"}}, nil
}

// rotateTarget and retireTarget are the ring.
func rotateTarget(_ context.Context, call *operation.Call, in *RotateKeysInput) (operation.Target, error) {
	return operation.Target{{Resource: resource(call, "keys/"+*in.Use)}}, nil
}

func retireTarget(_ context.Context, call *operation.Call, in *RetireKeyInput) (operation.Target, error) {
	return operation.Target{{Resource: resource(call, "keys/"+*in.Use)}}, nil
}

// ListKeys lists ids, states and times of the keys.
func (s *Service) ListKeys(_ context.Context, call *operation.Call, _ *ListKeysInput) (*ListKeysOutput, error) {
	out := &ListKeysOutput{Keys: []Key{}}
	for _, ring := range call.Snapshot.Rings() {
		for i := range ring.Keys {
			out.Keys = append(out.Keys, *onWire(ring.Use, &ring.Keys[i]))
		}
	}
	return out, nil
}

// RotateKeys begins to use another key. Without Now it is published first and becomes active when everybody who needs it
// knows it; the one before goes on opening and verifying what it made. A rotation that is under way is answered as it is:
// of several callers at once one begins it.
func (s *Service) RotateKeys(ctx context.Context, call *operation.Call, in *RotateKeysInput) (*KeyOutput, error) {
	ring, err := ringOf(call.Snapshot, *in.Use)
	if err != nil {
		return nil, err
	}
	r := &rotation{holder: s.Keys, use: *in.Use, at: call.Now, now: in.Now != nil && *in.Now}
	if active := ring.In(keyring.Active); active != nil {
		r.from = active.ID
	}
	var done *keyring.Key
	err = s.attempt(ctx, func(now *snapshot.Snapshot) ([]store.Write, error) {
		current, err := ringOf(now, *in.Use)
		if err != nil {
			return nil, err
		}
		changed, id, err := r.step(current.Ring)
		if err != nil {
			return nil, err
		}
		done = changed.Find(id)
		return unlessSame(current, changed), nil
	})
	if err != nil {
		return nil, err
	}
	noteKey(call, *in.Use, done)
	return &KeyOutput{onWire(*in.Use, done)}, nil
}

// rotation is one call of RotateKeys, whatever the ring looks like when its turn comes.
type rotation struct {
	holder keyring.Holder
	use    string
	at     time.Time
	now    bool
	from   string       // the active key that the caller saw
	fresh  *keyring.Key // made at most once
}

// step returns the ring with the rotation in it, and the key that it is about.
func (r *rotation) step(ring keyring.Ring) (keyring.Ring, string, error) {
	if active := ring.In(keyring.Active); active != nil && active.ID != r.from {
		return ring, active.ID, nil // somebody else has rotated already
	}
	next := ring.In(keyring.Next)
	if next == nil {
		if r.fresh == nil {
			made, err := r.holder.NewRing(r.use, r.at)
			if err != nil {
				return ring, "", err
			}
			r.fresh = &made.Keys[0]
		}
		var err error
		if ring, err = ring.Add(*r.fresh, r.at); err != nil {
			return ring, "", fault.Wrap(fault.LimitExceeded, "There are too many keys that are not retired.", err)
		}
		next = ring.In(keyring.Next)
	}
	if r.now {
		ring = ring.Activate(next.ID, r.at)
	}
	return ring, next.ID, nil
}

// RetireKey has a key open and verify nothing more. Without Force that is refused while something that it made can be
// alive; the active key is never retired.
func (s *Service) RetireKey(ctx context.Context, call *operation.Call, in *RetireKeyInput) (*KeyOutput, error) {
	var done *keyring.Key
	force := in.Force != nil && *in.Force
	err := s.attempt(ctx, func(now *snapshot.Snapshot) ([]store.Write, error) {
		ring, err := ringOf(now, *in.Use)
		if err != nil {
			return nil, err
		}
		key := ring.Find(*in.KeyId)
		if key == nil {
			return nil, fault.New(fault.ResourceNotFound, "Key '%s' not found.", *in.KeyId)
		}
		if err := mayRetire(ring.Use, key, call.Now, force); err != nil {
			return nil, err
		}
		changed := ring.Ring
		if key.State != keyring.Retired {
			changed = changed.Retire(key.ID, call.Now)
		}
		done = changed.Find(key.ID)
		return unlessSame(ring, changed), nil
	})
	if err != nil {
		return nil, err
	}
	noteKey(call, *in.Use, done)
	return &KeyOutput{onWire(*in.Use, done)}, nil
}

// mayRetire refuses the active key, and what may still be needed. A key that is next has made nothing.
func mayRetire(use string, k *keyring.Key, now time.Time, force bool) error {
	switch {
	case k.State == keyring.Active:
		return fault.New(fault.InvalidParameter, "The active key cannot be retired: rotate first.")
	case k.State == keyring.VerifyOnly && !force && now.Before(k.Due(use)):
		return fault.New(fault.InvalidParameter, "What this key made may be in use until %s: %s.", k.Due(use).Format(time.RFC3339), broken(use))
	default:
		return nil
	}
}

// broken says what stops working when a key of the use is retired too early.
func broken(use string) string {
	if use == keyring.Sealing {
		return "retired before, it ends the sessions that it sealed"
	}
	return "retired before, it ends the tokens that it signed"
}

// ringOf is the ring of a use whose keys may change. That of guests never does: their ids are made of its one key.
func ringOf(now *snapshot.Snapshot, use string) (*snapshot.Ring, error) {
	if use == keyring.Guests {
		return nil, fault.New(fault.InvalidParameter, "The key of sealed guests is kept for ever.")
	}
	if r := now.Ring(use); r != nil {
		return r, nil
	}
	return nil, fault.New(fault.ResourceNotFound, "Keys '%s' not found.", use)
}

// unlessSame writes a ring that is another one.
func unlessSame(old *snapshot.Ring, changed keyring.Ring) []store.Write {
	if len(changed.Keys) == len(old.Keys) && (len(old.Keys) == 0 || &changed.Keys[0] == &old.Keys[0]) {
		return nil // changes are made in copies
	}
	return []store.Write{snapshot.PutRing(&changed, old.Version)}
}

func noteKey(call *operation.Call, use string, k *keyring.Key) {
	call.Event.Add(event.Step{Name: "keys", OK: true, Subject: use + " key " + k.ID, Found: "it is " + string(k.State)})
}

func onWire(use string, k *keyring.Key) *Key {
	state, since := string(k.State), k.Entered()
	out := &Key{Use: &use, KeyId: &k.ID, Algorithm: &k.Algorithm, State: &state, Created: &k.Created, Since: &since}
	if due := k.Due(use); !due.IsZero() {
		out.Due = &due
	}
	return out
}

// AdvanceKeys has every key take the step that it is due for. It is called again and again, by every node: a ring changes
// by compare-and-swap, so one of them does it. It returns what has changed, for the log.
func (s *Service) AdvanceKeys(ctx context.Context) ([]string, error) {
	current, err := s.Config.Current()
	if err != nil {
		return nil, err
	}
	var done []string
	for _, ring := range current.Rings() {
		advanced, changed := ring.Advance(s.Config.Now())
		if !changed {
			continue
		}
		err := s.Config.Write(ctx, snapshot.PutRing(&advanced, ring.Version))
		if errors.Is(err, store.ErrConflict) {
			continue // another node has done it
		}
		if err != nil {
			return done, fmt.Errorf("advancing the keys for %s: %w", ring.Use, err)
		}
		done = append(done, ring.Use)
	}
	return done, nil
}
