package operate

import (
	"context"
	"time"

	"idpool/internal/keyring"
	"idpool/internal/operation"
)

// Key is one key of a ring, without what is secret.
type Key struct {
	Use       *string `shape:"KeyUse"`
	KeyId     *string `shape:"KeyID"`
	Algorithm *string `shape:"KeyAlgorithm"`
	State     *string `shape:"KeyState"`
	Created   *time.Time
}

// ListKeysInput has no members.
type ListKeysInput struct{}

// ListKeysOutput has the keys of both rings, each in the order in which they were made.
type ListKeysOutput struct {
	Keys []Key `shape:"Keys"`
}

// listKeysTarget is no ring in particular, as for other lists.
func listKeysTarget(context.Context, *operation.Call, *ListKeysInput) (operation.Target, error) {
	return operation.Target{{Resource: "*"}}, nil
}

// ListKeys lists ids, states and times of the keys.
func (s *Service) ListKeys(_ context.Context, call *operation.Call, _ *ListKeysInput) (*ListKeysOutput, error) {
	out := &ListKeysOutput{Keys: []Key{}}
	for _, use := range []string{keyring.Sealing, keyring.Signing} {
		ring := call.Snapshot.Ring(use)
		for i := range ring.Keys {
			out.Keys = append(out.Keys, onWire(use, &ring.Keys[i]))
		}
	}
	return out, nil
}

func onWire(use string, k *keyring.Key) Key {
	state := string(k.State)
	return Key{Use: &use, KeyId: &k.ID, Algorithm: &k.Algorithm, State: &state, Created: &k.Created}
}
