// Package operate is idpool's own API for those who run it: what Amazon Cognito and IAM have no operation for. It speaks
// AWS JSON 1.1 with the targets Idpool.*; requests are signed for the service idpool, and policies allow idpool:* actions
// on arn:aws:idpool:REGION:ACCOUNT:… resources like any others. The subcommands of the program are its clients.
//
// table.go names every operation; each group of operations has a file. It has not seen HTTP; the door checks constraints,
// callers and policies before it calls.
package operate

import (
	"context"
	"errors"

	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/keyring"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// Service answers the API. All fields are needed.
type Service struct {
	Config *snapshot.Source
	// Identities tells which pool an identity is of.
	Identities store.Identities
	// Verify believes a login of a provider or refuses it, as those of clients are. IssuerOf reads the issuer of an ID token
	// that nobody has verified.
	Verify   func(context.Context, *operation.Call, *login.Provider, string) (*login.Login, error)
	IssuerOf func(token string) (string, error)
	// Keys makes keys.
	Keys keyring.Holder
}

// tries is how often a change is decided again when others were faster.
const tries = 8

// attempt writes what decide makes of the newest documents, and decides again when others were faster. No write is no
// error.
func (s *Service) attempt(ctx context.Context, decide func(*snapshot.Snapshot) ([]store.Write, error)) error {
	for range tries {
		if err := s.Config.Refresh(ctx); err != nil {
			return err
		}
		now, err := s.Config.Current()
		if err != nil {
			return err
		}
		writes, err := decide(now)
		if err != nil || len(writes) == 0 {
			return err
		}
		if err := s.Config.Write(ctx, writes...); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return fault.New(fault.TooManyRequests, "Rate exceeded")
}

// resource is the ARN of something of ours.
func resource(call *operation.Call, path string) string {
	return arn.Own(call.Snapshot.Region, call.Snapshot.Account, path)
}
