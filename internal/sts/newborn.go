package sts

import (
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/revocation"
	"idpool/internal/session"
)

// inherit has a session remember what led to it: whoever revokes that, means the session too.
func inherit(caller *operation.Caller, made *session.Session) {
	if made.Origin.IsZero() {
		made.Origin = made.Issued
	}
	if caller == nil {
		return
	}
	made.Lineage = revocation.Lineage(caller.AccessKeyID, caller.Session)
	if caller.Session != nil {
		made.Origin = caller.Session.Origin
	}
}

// newborn refuses to hand out a session that would be refused with its first use: times are whole seconds, so what is
// minted in the second of a revocation is revoked by it. Client libraries try again upon this code, and the second passes.
func newborn(call *operation.Call, made *session.Session) error {
	err := call.Snapshot.Revoked(made.Origin, revocation.Session(made))
	if err == nil {
		return nil
	}
	call.Event.Add(event.Step{Name: "mint", Expected: "a session that is not revoked at once", Found: event.CutIDs(err.Error())})
	return fault.Wrap(fault.TooManyRequests, "Rate exceeded", err)
}
