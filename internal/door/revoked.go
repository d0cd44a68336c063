package door

import (
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/revocation"
)

// unrevoked refuses a session that an operator took back, as one that has ended: upon this code client libraries look for
// new credentials, which is what is to be done.
func unrevoked(call *operation.Call, caller *operation.Caller) error {
	s := caller.Session
	if s == nil {
		return nil
	}
	if err := call.Snapshot.Revoked(s.Origin, revocation.Session(s)); err != nil {
		return fault.Wrap(fault.ExpiredToken, "The security token included in the request is expired", err)
	}
	return nil
}
