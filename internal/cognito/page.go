package cognito

import (
	"encoding/json"
	"time"

	"idpool/internal/fault"
	"idpool/internal/operation"
)

// The purposes of page tokens: a token of one list opens no other (security I12).
const (
	pagePools      = "page:ListIdentityPools"
	pageIdentities = "page:ListIdentities"
	pageDevelopers = "page:LookupDeveloperIdentity"
)

// pageLife is how long a page token is good for.
const pageLife = time.Hour

// page is what a page token holds: where to go on, in which pool, for whom, until when.
type page struct {
	Of      string `json:"of,omitempty"` // the pool or identity of the list
	Caller  string `json:"caller"`
	After   string `json:"after"`
	Expires int64  `json:"expires"`
}

func sealPage(call *operation.Call, purpose, of, after string) (*string, error) {
	payload, err := json.Marshal(page{of, reader(call.Caller), after, call.Now.Add(pageLife).Unix()})
	if err != nil {
		return nil, err
	}
	token, _, err := call.Snapshot.Keys.Seal(purpose, payload)
	return &token, err
}

// openPage returns where a page token goes on; without a token, the start. A token that was changed, is old, or was made
// for another list, pool or caller is refused.
func openPage(call *operation.Call, purpose, of string, token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	payload, _, err := call.Snapshot.Keys.Open(purpose, *token)
	var p page
	if err == nil {
		err = json.Unmarshal(payload, &p)
	}
	if err != nil || p.Of != of || p.Caller != reader(call.Caller) || call.Now.Unix() >= p.Expires {
		return "", badPage(err)
	}
	return p.After, nil
}

// reader is for whom a page token is: the caller, and behind a session the identity, as the sessions of all identities of a
// role have one ARN.
func reader(c *operation.Caller) string {
	if c.Session != nil {
		return c.ARN + " " + c.Session.IdentityID
	}
	return c.ARN
}

func badPage(cause error) *fault.Error {
	return fault.Wrap(fault.InvalidParameter, "Invalid NextToken.", cause)
}
