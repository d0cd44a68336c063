package door

import (
	"fmt"
	"strings"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/session"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
)

// authenticate finds out who signed. Anonymous operations do not look at a signature: SDKs with credentials at hand sign
// everything (spec cognito-identity §1.2).
func (d *Door) authenticate(q *request) error {
	if q.row.Access == operation.Anonymous {
		return nil
	}
	signed := &sigv4.Request{
		Method: q.http.Method, Path: "/", Query: q.http.URL.RawQuery, Host: q.http.Host,
		Header: q.http.Header, ContentLength: q.http.ContentLength, Body: q.body,
	}
	sig, err := sigv4.Parse(signed)
	if err != nil {
		return err
	}
	if sig.Query {
		return fault.New(fault.IncompleteSignature, "Signatures in the query are not accepted.")
	}
	q.call.Event.AccessKeyID = keyName(sig.AccessKeyID)
	caller, secret, err := identify(q.call, sig)
	if err != nil {
		// An unknown key costs what a known one costs (security G9); the answer is that of identify.
		_ = q.service.verifier.VerifyUnknown(signed, sig, q.call.Now)
		q.step(event.Step{Name: "authenticate", Expected: "an access key of ours, with its own session token if it is temporary", Found: refused(err)})
		return err
	}
	if err := q.service.verifier.Verify(signed, sig, secret, q.call.Now); err != nil {
		q.step(event.Step{Name: "authenticate", Subject: caller.ARN, Expected: "a signature with this key's secret", Found: refused(err)})
		return err
	}
	q.call.Caller, q.call.Event.Caller = caller, caller.ARN
	q.step(event.Step{Name: "authenticate", OK: true, Subject: caller.ARN, Found: "the signature verifies"})
	return nil
}

func (q *request) step(s event.Step) { q.call.Event.Add(s) }

func refused(err error) string { return string(fault.From(err).Code) }

// keyName is an access key id as an event shows it: only what has the form of one, as it may be anything, also a secret
// in the wrong place.
func keyName(id string) string {
	if len(id) != 20 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return "malformed"
	}
	return id
}

// identify returns who an access key id stands for, and its secret. Temporary ones need their own session token, others
// must not have one (security G10).
func identify(call *operation.Call, sig *sigv4.Signature) (*operation.Caller, string, error) {
	if sig.Token != "" {
		return fromSession(call, sig)
	}
	key := call.Snapshot.AccessKey(sig.AccessKeyID)
	if key == nil || !key.Active {
		return nil, "", session.Invalid(nil)
	}
	secret, err := call.Snapshot.Keys.UserSecret(key.ID, key.SealedSecret)
	if err != nil {
		return nil, "", err
	}
	return &operation.Caller{
		ARN: key.User.ARN, Account: call.Snapshot.Account, UserID: key.User.ID, AccessKeyID: key.ID,
		User: key.User, Policies: key.User.Policies,
	}, secret, nil
}

func fromSession(call *operation.Call, sig *sigv4.Signature) (*operation.Caller, string, error) {
	s, secret, err := session.Open(call.Snapshot.Keys, sig.Token, sig.AccessKeyID, call.Now)
	if err != nil {
		return nil, "", err
	}
	role := call.Snapshot.Role(s.RoleARN())
	if role == nil || role.ID != s.RoleID {
		return nil, "", session.Invalid(fmt.Errorf("role %s is gone", s.RoleARN()))
	}
	policies, err := sessionPolicies(s, role)
	if err != nil {
		return nil, "", session.Invalid(err)
	}
	return &operation.Caller{
		ARN: s.ARN(), Account: s.Account, UserID: s.UserID(), AccessKeyID: s.AccessKeyID,
		Session: s, Role: role, Policies: policies,
	}, secret, nil
}

// sessionPolicies are what bears on a session now: what the role has today, cut by what the session was made with.
func sessionPolicies(s *session.Session, role *snapshot.Role) (policy.Policies, error) {
	out := role.Policies
	if s.Guest {
		out.ScopeDown = policy.GuestScopeDown()
	}
	if !s.HasPolicies {
		return out, nil
	}
	out.Session = []policy.Named{}
	for i, text := range s.Policies {
		document, err := policy.Parse(policy.KindSession, []byte(text))
		if err != nil {
			return out, fmt.Errorf("session policy %d: %w", i, err)
		}
		out.Session = append(out.Session, policy.Named{Name: fmt.Sprintf("session policy %d", i), Document: document})
	}
	return out, nil
}
