// Package operate is idpool's own API for those who run it: what Amazon Cognito and IAM have no operation for. It speaks
// AWS JSON 1.1 with the targets Idpool.*; requests are signed for the service idpool, and policies allow idpool:* actions
// on arn:aws:idpool:REGION:ACCOUNT:… resources like any others. The subcommands of the program are its clients.
//
// table.go names every operation; each group of operations has a file. It has not seen HTTP; the door checks constraints,
// callers and policies before it calls.
package operate

import (
	"idpool/internal/arn"
	"idpool/internal/operation"
	"idpool/internal/snapshot"
)

// Service answers the API. All fields are needed.
type Service struct {
	Config *snapshot.Source
}

// resource is the ARN of something of ours.
func resource(call *operation.Call, path string) string {
	return arn.Own(call.Snapshot.Region, call.Snapshot.Account, path)
}
