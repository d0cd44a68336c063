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
	if err == nil {
		err = unrevoked(q.call, caller)
	}
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
	caller := &operation.Caller{ARN: s.ARN(), Account: s.Account, UserID: s.UserID(), AccessKeyID: s.AccessKeyID, Session: s}
	behind := onRole
	if s.Kind != session.OfRole {
		behind = onUser
	}
	if err := behind(call.Snapshot, caller); err != nil {
		return nil, "", session.Invalid(err)
	}
	if err := hold(call.Snapshot, caller); err != nil {
		return nil, "", session.Invalid(err)
	}
	return caller, secret, nil
}

// onRole puts the role behind its session. One that is gone, or was made again, takes its sessions with it.
func onRole(now *snapshot.Snapshot, c *operation.Caller) error {
	role := now.Role(c.Session.RoleARN())
	if role == nil || role.ID != c.Session.RoleID {
		return fmt.Errorf("role %s is gone", c.Session.RoleARN())
	}
	c.Role, c.Policies = role, role.Policies
	return nil
}

// onUser puts the user behind a session that he made with a key of his own. It ends with the user and with that key: who
// deactivates a key that leaked means what was made with it too.
func onUser(now *snapshot.Snapshot, c *operation.Caller) error {
	made := c.Session.User
	user, key := now.UserNamed(made.Name), now.AccessKey(made.KeyID)
	if user == nil || user.ID != made.ID {
		return fmt.Errorf("user %s is gone", made.Name)
	}
	if key == nil || !key.Active || key.User.ID != made.ID {
		return fmt.Errorf("access key %s of user %s is gone or not active", made.KeyID, made.Name)
	}
	c.User, c.Policies = user, user.Policies
	if c.Session.Kind == session.OfUser {
		c.ARN = user.ARN
	}
	return nil
}

// hold cuts what bears on the caller by what his session was made with (spec sts-iam §2.6). A federated user without
// session policies may do nothing. A managed one counts as it is now; one that is gone denies everything, since what it
// would have denied is unknown.
func hold(now *snapshot.Snapshot, c *operation.Caller) error {
	s, out := c.Session, &c.Policies
	if s.Guest {
		out.ScopeDown = policy.GuestScopeDown()
	}
	if !s.HasPolicies && s.Kind != session.FederatedUser {
		return nil
	}
	out.Session = []policy.Named{}
	for i, text := range s.Policies {
		document, err := policy.Parse(policy.KindSession, []byte(text))
		if err != nil {
			return fmt.Errorf("session policy %d: %w", i, err)
		}
		out.Session = append(out.Session, policy.Named{Name: fmt.Sprintf("session policy %d", i), Document: document})
	}
	for _, name := range s.PolicyARNs {
		held := policy.Named{Name: name}
		if p := now.ManagedPolicy(name); p != nil {
			held.Document = p.Document
		}
		out.Session = append(out.Session, held)
	}
	return nil
}
