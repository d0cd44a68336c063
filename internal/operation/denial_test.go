package operation_test

import (
	"strings"
	"testing"

	"idpool/internal/operation"
	"idpool/internal/policy"
)

// TestDenialShowsWhatTheSentenceShows: what the sentence keeps from who may not ask, the message keeps as well.
func TestDenialShowsWhatTheSentenceShows(t *testing.T) {
	caller := &operation.Caller{ARN: "arn:aws:iam::111122223333:user/ann", UserID: "AIDA1"}
	check := &operation.Check{
		Action: "idpool:RevokeSessions", Resource: "arn:aws:idpool:r:111122223333:pool/hidden/identity/i", Shown: "arn:aws:idpool:r:111122223333:pool/-/identity/i",
	}
	keys := new(policy.Context)
	keys.Set("aws:ResourceTag/team", "hidden")
	keys.Set("aws:username", "ann")
	got := operation.NewDenial(caller, check, keys, policy.Decision{Statement: -1})
	if got.Context.Resource != check.Shown || len(got.Context.Conditions.Items) != 1 || got.Context.Conditions.Items[0].Key != "aws:username" {
		t.Errorf("got %+v, want the resource that is shown and nothing of its tags", got.Context)
	}
	check.Shown = ""
	got = operation.NewDenial(caller, check, keys, policy.Decision{Statement: -1})
	if !strings.Contains(got.Context.Resource, "hidden") || len(got.Context.Conditions.Items) != 2 {
		t.Errorf("got %+v, want all of a resource that is not hidden", got.Context)
	}
}
