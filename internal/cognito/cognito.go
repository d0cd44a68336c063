// Package cognito is the Cognito Identity API, version 2014-06-30: its operations as typed functions over wire types
// (spec cognito-identity). It has not seen HTTP; the door checks constraints, callers and policies before it calls.
//
// The file table.go names every operation; each group of operations has a file. The main job reads top to bottom in
// credentials.go: pool, verify (logins.go), link (link.go), choose (package rolemap), assume (package sts, or authority for
// a role that is not ours).
package cognito

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"idpool/internal/admission"
	"idpool/internal/arn"
	"idpool/internal/authority"
	"idpool/internal/fault"
	"idpool/internal/identity"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
	"idpool/internal/sts"
)

// Service answers the API. All exported fields are needed.
type Service struct {
	Config     *snapshot.Source
	Identities store.Identities
	// Recent reads an identity as Identities.Get does, or as it was a few seconds ago unless this node has changed it since;
	// nil asks the store. Who an identity's credentials go to is decided on it; what changes anything is not.
	Recent func(ctx context.Context, id string) (identity.Identity, error)
	// SealedGuest returns the id of a new guest that no row says, or ok false where the pool's guests have rows; nil is for
	// none.
	SealedGuest func(poolID, region string, now time.Time, random io.Reader) (id string, ok bool, err error)
	// Verifiers has the verifier of each kind of provider.
	Verifiers map[login.Kind]login.Verifier
	STS       *sts.Service
	// Secrets seals the secrets of apps for the store.
	Secrets Sealer
	// Questions limits how often one client has a login provider asked; nil limits nothing.
	Questions *admission.Rates
	// Authorities have the roles that are not ours.
	Authorities *authority.Service
	// AuthorityCalls limits how often one client has an authority asked; nil limits nothing.
	AuthorityCalls *admission.Rates
	// Issuer is the `iss` of our tokens.
	Issuer string
	// ClassicWhenUnset is whether a pool that never set AllowClassicFlow has the classic flow (classic_flow_when_unset).
	ClassicWhenUnset bool
	// Random is the source of ids: 122 bits each.
	Random io.Reader
	// Guests limits how many guests are made.
	Guests GuestRates
	// Signatures bounds how many tokens are signed at once.
	Signatures *admission.Pool
	// RequestTimeout is the longest that a request may take, on this node and on its neighbours.
	RequestTimeout time.Duration
	// Purge is called after a pool was deleted; its identities are deleted in the background.
	Purge func()

	// purging is when this process first saw the notes of deleted pools; it belongs to PurgeDeleted.
	purging map[string]time.Time
}

// A Sealer seals the secrets that apps have at login providers.
type Sealer interface {
	SealAppSecret(poolID, provider, secret string) ([]byte, error)
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

// write stores changes of a pool. Where somebody else changed it since this request's snapshot, nothing is stored and the
// answer is busy: to go on with what he left would skip the policies that the request was asked about. This node looks at
// the store again first, so that the caller's next try sees it.
func (s *Service) write(ctx context.Context, busy *fault.Error, changes ...store.Write) error {
	err := s.Config.Write(ctx, changes...)
	if !errors.Is(err, store.ErrConflict) {
		return err
	}
	if err := s.Config.Refresh(ctx); err != nil {
		return err
	}
	return busy
}

// concurrently is the answer to a change that came second, where the model declares it (spec §4.4, inferred).
func concurrently(poolID string) *fault.Error {
	return fault.New(fault.ConcurrentModification, "Identity pool %s is being modified concurrently.", poolID)
}

// rateExceeded is the answer to one where the model does not: the one declared code upon which every SDK tries again.
func rateExceeded() *fault.Error { return fault.New(fault.TooManyRequests, "Rate exceeded") }

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
