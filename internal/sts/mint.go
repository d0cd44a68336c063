package sts

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"idpool/internal/arn"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/session"
	"idpool/internal/snapshot"
)

// PolicyDescriptorType names a managed policy; the member's name is in lower case on the wire.
type PolicyDescriptorType struct {
	Arn *string `shape:"arnType,required" wire:"arn"`
}

// Passed are the session policies that the caller of an operation passes: an inline one, and managed ones by ARN.
type Passed struct {
	Policy     *string
	PolicyArns []PolicyDescriptorType
}

// hold puts the policies into the session. MalformedPolicyDocument for an inline one that is none, Validation for the ARN
// of a managed policy that is not there.
func (p Passed) hold(now *snapshot.Snapshot, made *session.Session) error {
	if p.Policy != nil {
		if _, err := policy.Parse(policy.KindSession, []byte(*p.Policy)); err != nil {
			return err
		}
		made.Policies = []string{*p.Policy}
	}
	for _, d := range p.PolicyArns {
		if now.ManagedPolicy(*d.Arn) == nil {
			return fault.New(fault.Validation, "Policy %s does not exist or is not attachable.", cut(*d.Arn))
		}
		made.PolicyARNs = append(made.PolicyARNs, *d.Arn)
	}
	made.HasPolicies = len(made.Policies)+len(made.PolicyARNs) > 0
	return nil
}

// Minted is a session that was made, and its credentials.
type Minted struct {
	session.Credentials
	Session *session.Session
}

// wire is the member Credentials of an answer.
func (m *Minted) wire() *Credentials {
	c := m.Credentials
	return &Credentials{AccessKeyId: &c.AccessKeyID, SecretAccessKey: &c.SecretAccessKey, SessionToken: &c.SessionToken, Expiration: &c.Expiration}
}

// packed is the member PackedPolicySize of an answer: absent where nothing was passed (spec §1.7).
func (m *Minted) packed() *int64 {
	size, err := m.Session.PackedPolicySize()
	if err != nil || size == 0 { // what could not be packed was not minted
		return nil
	}
	return &size
}

// seal completes the session and makes its credentials. subject is whom the record names: the role, or the user.
func (s *Service) seal(call *operation.Call, made *session.Session, subject string, d time.Duration) (*Minted, error) {
	var random [5]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return nil, fmt.Errorf("reading randomness: %w", err)
	}
	id, err := arn.AccessKeyID(arn.PrefixSession, call.Snapshot.Account, random)
	if err != nil {
		return nil, err
	}
	made.AccessKeyID, made.Account = id, call.Snapshot.Account
	made.Issued = call.Now.UTC().Truncate(time.Second)
	made.Expires = made.Issued.Add(d)
	inherit(call.Caller, made)
	if err := newborn(call, made); err != nil {
		return nil, err
	}
	c, err := session.Mint(call.Snapshot.Keys, made)
	if err != nil {
		return nil, err
	}
	if err := call.Fresh(); err != nil {
		return nil, err
	}
	call.Event.SetMinted(subject, id)
	call.Event.Add(event.Step{Name: "mint", OK: true, Subject: subject, Found: "a session of " + d.String() + ", guest scope-down " + strconv.FormatBool(made.Guest)})
	return &Minted{c, made}, nil
}
