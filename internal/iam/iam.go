// Package iam is the part of the IAM API, version 2010-05-08, that an account of idpool has: roles, managed policies,
// OpenID Connect and SAML providers, users with their access keys, and the simulator (spec sts-iam §3). It has not seen HTTP; the
// door checks constraints, callers and policies before it calls.
//
// table.go names every operation and target.go says what each concerns; each group of operations has a file. What roles,
// users, policies and providers have alike is an entity (entity.go): tags.go and grants.go work on these. Reads answer
// from the snapshot of the call. Writes decide on it and expect the versions that they saw; when another writer was
// faster they read and decide again (attempt).
//
// What makes a document valid is left to account, what policies mean to policy, and who is asked for leave to the door.
package iam

import (
	"context"
	"errors"
	"io"
	"maps"

	"idpool/internal/account"
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// Service answers the API. All fields but LoopbackHTTP and Reserved are needed.
type Service struct {
	Config *snapshot.Source
	// Secrets seals the secrets of access keys.
	Secrets account.Sealer
	// Random is the source of ids and secrets.
	Random io.Reader
	// Metadata reads the metadata of SAML providers.
	Metadata account.MetadataReader
	// Rings makes the keys of outbound tokens, and Issuer is our own.
	Rings  Rings
	Issuer string
	// TrustAnyPool takes roles that trust our own issuer without naming pools (trust_any_pool).
	TrustAnyPool bool
	// LoopbackHTTP takes http:// issuers on loopback addresses: for development.
	LoopbackHTTP bool
	// Reserved begins the issuers whose tokens are for other authorities; empty reserves none.
	Reserved string
}

// tries is how often a write is decided before the caller is told that others are faster.
const tries = 5

// maxBody is what a store takes of one document, in bytes. Quotas count no white space, so that a document can outgrow
// the store while it keeps them.
const maxBody = 1 << 20

// attempt decides on the call's snapshot what to write, and writes it. After a conflict it decides again on the newest
// one; after five it is ConcurrentModification. No writes is no error. decide must not keep what it changed in vain.
func (s *Service) attempt(ctx context.Context, call *operation.Call, decide func(*snapshot.Snapshot) ([]store.Write, error)) error {
	now := call.Snapshot
	for range tries {
		writes, err := decide(now)
		if err != nil || len(writes) == 0 {
			return err
		}
		if err = s.write(ctx, writes); !errors.Is(err, store.ErrConflict) {
			return err
		}
		if err = s.Config.Refresh(ctx); err != nil {
			return err
		}
		if now, err = s.Config.Current(); err != nil {
			return err
		}
	}
	return concurrent()
}

func (s *Service) write(ctx context.Context, writes []store.Write) error {
	for _, w := range writes {
		if len(w.Body) > maxBody {
			return fault.New(fault.LimitExceeded, "Cannot exceed quota for the size of a %s, its white space included: %d bytes", w.Kind, maxBody)
		}
	}
	return s.Config.Write(ctx, writes...)
}

// change is attempt on one entity. The caller's policies allowed the change of the entity as the call's snapshot has it:
// when a later one has another entity in its place, or one that policies could see otherwise, they would have to be asked
// again, and the caller is told to.
func (s *Service) change(ctx context.Context, call *operation.Call, find finder, decide func(*snapshot.Snapshot, *entity) ([]store.Write, error)) error {
	allowed, err := find(call.Snapshot)
	if err != nil {
		return err
	}
	return s.attempt(ctx, call, func(now *snapshot.Snapshot) ([]store.Write, error) {
		e, err := find(now)
		switch {
		case err != nil:
			return nil, err
		case e.arn != allowed.arn || e.id != allowed.id || e.boundary != allowed.boundary || !maps.Equal(e.tags, allowed.tags):
			return nil, concurrent()
		}
		return decide(now, e)
	})
}

func concurrent() *fault.Error {
	return fault.New(fault.ConcurrentModification, "The request was rejected because multiple requests to change this object were submitted simultaneously. "+
		"Wait a few minutes and submit your request again.")
}

func noEntity(format string, args ...any) *fault.Error {
	return fault.New(fault.ResourceNotFound, format, args...)
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

// or is the value of a member, or what holds without it.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
