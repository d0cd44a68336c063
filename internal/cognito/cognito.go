// Package cognito is the Cognito Identity API, version 2014-06-30: its operations as typed functions over wire types
// (spec cognito-identity). It has not seen HTTP; the door checks constraints, callers and policies before it calls.
//
// The file table.go names every operation; each group of operations has a file. The main job reads top to bottom in
// credentials.go: pool, verify (logins.go), link (link.go), choose (package rolemap), assume (package sts).
package cognito

import (
	"errors"
	"fmt"
	"io"
	"time"

	"idpool/internal/admission"
	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
	"idpool/internal/sts"
)

// Service answers the API. All fields are needed.
type Service struct {
	Config     *snapshot.Source
	Identities store.Identities
	// Verifiers has the verifier of each kind of provider.
	Verifiers map[login.Kind]login.Verifier
	STS       *sts.Service
	// Issuer is the `iss` of our tokens.
	Issuer string
	// ClassicWhenUnset is whether a pool that never set AllowClassicFlow has the classic flow (classic_flow_when_unset).
	ClassicWhenUnset bool
	// Random is the source of ids: 122 bits each.
	Random io.Reader
	// Guests limits how many guests one client makes in one pool; nil limits nothing.
	Guests *admission.Rates
	// Signatures bounds how many tokens are signed at once.
	Signatures *admission.Pool
	// Purge is called after a pool was deleted; its identities are deleted in the background.
	Purge func()
}

// newID returns the id of a pool or an identity.
func (s *Service) newID(region string) (string, error) {
	var random [16]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return arn.ID(region, random), nil
}

// poolFor returns the pool of a request.
func poolFor(call *operation.Call, id string) (*snapshot.Pool, error) {
	p := call.Snapshot.Pool(id)
	if p == nil {
		return nil, fault.New(fault.ResourceNotFound, "IdentityPool '%s' not found.", id)
	}
	call.Event.SetPool(id)
	return p, nil
}

// poolARN is the resource of the operations on a pool, whether it exists or not.
func poolARN(call *operation.Call, id string) string {
	return arn.Pool(call.Snapshot.Region, call.Snapshot.Account, id)
}

// conflict turns a store's conflict over a pool into the API's error (spec §4.4, the sentence is inferred).
func conflict(err error, poolID string) error {
	if errors.Is(err, store.ErrConflict) {
		return fault.Wrap(fault.ConcurrentModification, fmt.Sprintf("Identity pool %s is being modified concurrently.", poolID), err)
	}
	return err
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func stamp(t time.Time) *time.Time { return &t }
