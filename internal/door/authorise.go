package door

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/session"
)

// barred refuses what a session may not call, whatever its policies say (spec sts-iam §1.4).
func (q *request) barred() error {
	caller := q.call.Caller
	if caller == nil || caller.Session == nil {
		return nil
	}
	var err *fault.Error
	switch kind := caller.Session.Kind; {
	case q.row.OwnKey:
		err = fault.New(fault.AccessDenied, "Cannot call %s with session credentials", q.row.Name)
	case kind != session.OfRole && q.service.Closed && !slices.Contains(q.row.OpenTo, kind):
		err = fault.New(fault.AccessDenied, "Cannot call %s:%s with the credentials of %s", q.service.Name, q.row.Name, kind)
	default:
		return nil
	}
	q.step(event.Step{Name: "authorise", Subject: caller.ARN, Expected: "credentials that may call the operation", Found: err.Message})
	return err
}

// authorise asks the caller's policies every question of the operation's target. There is no other road to a signed
// operation, and no caller who need not take it.
func authorise(ctx context.Context, q *request, in any) error {
	if q.row.Access != operation.Authorised {
		return nil
	}
	target, err := q.row.Target(ctx, q.call, in)
	if err != nil {
		return err
	}
	for i := range target {
		if target[i].Action == "" {
			target[i].Action = q.service.Name + ":" + q.row.Name
		}
		if err := q.allowed(&target[i]); err != nil {
			return err
		}
	}
	return nil
}

// allowed decides one check. Each has a context of its own: a key of one must not leak into another.
func (q *request) allowed(check *operation.Check) error {
	keys := q.call.Context()
	caller := q.call.Caller
	caller.Describe(keys)
	for k, v := range check.Keys {
		keys.Set(k, v)
	}
	for k, v := range check.Lists {
		keys.SetList(k, v...)
	}
	d := decide(caller, check, keys)
	q.step(event.Step{
		Name: "authorise", OK: d.Allowed, Subject: check.Action + " on " + q.named(check.Resource),
		Expected: "the caller's policies allow it", Found: decided(d, check.Action),
	})
	if d.Allowed {
		return nil
	}
	if check.Refusal != nil {
		return check.Refusal
	}
	message, err := operation.NewDenial(caller, check, keys, d).Seal(q.call.Snapshot.Keys, q.call.Now)
	if err != nil {
		return err
	}
	q.denial = message
	if check.Assumes {
		return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s on resource: %s", caller.ARN, check.Action, check.Resource)
	}
	shown := check.Resource
	if check.Shown != "" {
		shown = check.Shown
	}
	return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s on resource: %s %s",
		caller.ARN, check.Action, shown, d.Because(check.Action))
}

// decide asks the caller's policies, and for the assumption of a role its trust policy with them.
func decide(caller *operation.Caller, check *operation.Check, keys *policy.Context) policy.Decision {
	r := &policy.Request{Action: check.Action, Resource: check.Resource, Principal: principal(caller), Context: keys}
	switch {
	case !check.Assumes:
		return caller.Policies.Decide(r)
	case check.Trust == nil:
		return policy.Decision{Kind: policy.KindTrust, Statement: -1}
	default:
		return caller.Policies.AssumeRole(check.Trust, r)
	}
}

// named is a resource as the event shows it: a pool that exists is named whole, anything else like it may be a guest's id in
// the wrong place.
func (q *request) named(resource string) string {
	if id := q.call.Event.Pool; id != "" && strings.HasSuffix(resource, "/"+id) {
		return resource
	}
	return event.CutIDs(resource)
}

func decided(d policy.Decision, action string) string {
	if d.Statement < 0 {
		return d.Because(action)
	}
	return fmt.Sprintf("%s policy %s, statement %d %q", d.Kind, d.Policy, d.Statement, d.Sid)
}

func principal(c *operation.Caller) policy.Principal {
	p := policy.Principal{AWS: []string{c.ARN}, Account: c.Account, UserID: c.UserID}
	if c.Role != nil {
		p.AWS = append(p.AWS, c.Role.ARN)
	}
	return p
}
