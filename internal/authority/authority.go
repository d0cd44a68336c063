// Package authority is about roles that are not ours: those of an AWS account, or of a storage cluster with an STS of its
// own. It says whose a role is, what token and which session policy its authority is shown, and what is believed of the
// answer. Spec sts-iam §5.
//
// An authority is an entry of the configuration. The ARNs of its roles are kept as bytes and matched by its patterns
// alone. Each sees an issuer of its own, with keys of its own, so that none can use a token at another or at us. How kinds
// of authorities differ stands in one table (dialect.go). Talking to them is the business of a Client.
package authority

import (
	"context"
	"errors"
	"time"
)

// IssuerPath begins the path of every authority's issuer, below the public URL: its name follows. No OpenID Connect
// provider has an issuer there: nobody but its authority takes such a token.
const IssuerPath = "/authority/"

// Authority is one other authority: an entry of the configuration, ready for use.
type Authority struct {
	Name     string // in the path of its issuer
	Dialect  *Dialect
	Endpoint string // URL of its STS
	Region   string
	Roles    []Pattern
	// Issuer is the `iss` of the tokens for it, and KeyUse names the ring of keys that sign them.
	Issuer string
	KeyUse string
	// Audience is the `aud` of the tokens; empty means the id of the identity pool.
	Audience string
	// Tags is how principal tags are passed.
	Tags TagForm
	// Policy is the session policy of those who logged in, and Guest that of guests, before they are held to the guests'
	// scope-down. Nil means none: then the role's own policies alone decide, and for guests the scope-down.
	Policy, Guest *Template
	// Duration is how long credentials are asked for.
	Duration time.Duration
	// Reuse is the part of their life, in percent, that credentials must still have to be handed out again; 0 means never.
	Reuse int
	// Retries is how often a call that failed is made again.
	Retries int
}

// Field is one parameter of a call.
type Field struct{ Name, Value string }

// Answer is what an STS said: nothing of it has been judged.
type Answer struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
	// RoleARN is AssumedRoleUser's Arn; empty where the answer names none.
	RoleARN string
}

// A Client calls the STS of an authority.
//
// Ask makes one call and waits for ctx, or a time of its own, whichever ends first. Its errors are *Failure. Safe for
// concurrent use.
type Client interface {
	Ask(ctx context.Context, a *Authority, form []Field) (*Answer, error)
}

// Failure is a call that brought no credentials. Code and Message are the authority's own words, and hostile.
type Failure struct {
	Why     Why
	Status  int // of HTTP; 0 where there was no answer
	Code    string
	Message string
	Cause   error
}

// Why says what kind of failure it is.
type Why string

// The kinds of failures.
const (
	Unreachable Why = "unreachable" // no answer in time, or one that says that the other side is broken
	Throttled   Why = "throttled"   // asked to come later
	Refused     Why = "refused"     // understood, and refused
	Garbled     Why = "garbled"     // an answer that is none, or that cannot be believed
)

// Error is for operators; it repeats nothing of what the authority said.
func (f *Failure) Error() string {
	if f.Cause != nil {
		return string(f.Why) + ": " + f.Cause.Error()
	}
	return string(f.Why)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// garbled is the failure of an answer that cannot be believed.
func garbled(reason string) *Failure { return &Failure{Why: Garbled, Cause: errors.New(reason)} }

// Set are all authorities.
type Set struct{ all []*Authority }

// NewSet returns a set. No role may belong to two of them: see Pattern.Overlaps.
func NewSet(all ...*Authority) *Set { return &Set{all} }

// All returns the authorities in the order of the configuration.
func (s *Set) All() []*Authority { return s.all }

// Of returns the authority of a role, or nil: then the role is ours or nobody's.
func (s *Set) Of(roleARN string) *Authority {
	for _, a := range s.all {
		for _, p := range a.Roles {
			if p.Match(roleARN) {
				return a
			}
		}
	}
	return nil
}
