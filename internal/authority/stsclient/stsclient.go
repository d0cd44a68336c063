// Package stsclient calls the STS of other authorities: AssumeRoleWithWebIdentity over HTTP, in the Query protocol.
//
// What may be reached and for how long is the business of package fetch, with a client for each authority; what is
// believed of an answer is that of package authority.
package stsclient

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"idpool/internal/authority"
	"idpool/internal/fetch"
)

// Client implements authority.Client. It has a fetch.Client for each authority, by name.
type Client map[string]*fetch.Client

// Ask implements authority.Client.
func (c Client) Ask(ctx context.Context, a *authority.Authority, form []authority.Field) (*authority.Answer, error) {
	values := url.Values{}
	for _, f := range form {
		values.Set(f.Name, f.Value)
	}
	// Without the header some answer in JSON, and an answer that can be read in two ways is read in the wrong one.
	got, err := c[a.Name].Ask(ctx, fetch.Request{URL: address(a.Endpoint), Form: values, Accept: "application/xml, text/xml"})
	if err != nil {
		return nil, &authority.Failure{Why: authority.Unreachable, Cause: err}
	}
	if got.Status != 200 {
		return nil, refusal(got)
	}
	answer, err := read(got.Body)
	if err != nil {
		return nil, &authority.Failure{Why: authority.Garbled, Status: got.Status, Cause: err}
	}
	return answer, nil
}

// address is an endpoint with the slash that is its path.
func address(endpoint string) string { return strings.TrimSuffix(endpoint, "/") + "/" }

// The codes that say to come again later, and those that say that the authority could not reach our issuer.
var (
	throttled   = []string{"Throttling", "ThrottlingException", "TooManyRequests", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
	unreachable = []string{"IDPCommunicationError", "InternalFailure", "InternalError", "ServiceUnavailable"}
)

// refusal is the failure of an answer with a status from 400 to 499. Its form may be any: gateways in between answer too.
func refusal(got *fetch.Answer) *authority.Failure {
	f := &authority.Failure{Why: authority.Refused, Status: got.Status}
	var err error
	if f.Code, f.Message, err = readError(got.Body); err != nil {
		f.Cause = errors.New("its reason cannot be read")
	}
	switch {
	case got.Status == 429 || contains(throttled, f.Code):
		f.Why = authority.Throttled
	case got.Status == 408 || contains(unreachable, f.Code):
		f.Why = authority.Unreachable
	case f.Cause != nil && got.Status != 400 && got.Status != 401 && got.Status != 403:
		f.Why = authority.Garbled // such as a 404 of a web server that is no STS
	}
	return f
}

func contains(list []string, code string) bool {
	for _, one := range list {
		if one == code {
			return true
		}
	}
	return false
}
