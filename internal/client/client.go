// Package client speaks to an idpool server as any SDK would: AWS JSON 1.1 and Query, signed or not. The subcommands and
// the transcript of `idpool dev` use it; it knows nothing that is not on the wire.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"idpool/internal/sigv4"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// Client speaks to one server.
type Client struct {
	// Endpoint is the server's URL, without a path.
	Endpoint string
	Region   string
	HTTP     *http.Client
	Now      func() time.Time
}

// Fault is an error that the server answered.
type Fault struct {
	Status    int
	Code      string
	Message   string
	RequestID string
}

// Error returns code, sentence and request id.
func (f *Fault) Error() string {
	return fmt.Sprintf("%s: %s (HTTP %d, request %s)", f.Code, f.Message, f.Status, f.RequestID)
}

// JSON calls an operation of Cognito Identity; unsigned where signer is nil. out may be nil.
func (c *Client) JSON(ctx context.Context, operation string, signer *sigv4.Credentials, in, out any) error {
	return c.json(ctx, "cognito-identity", "AWSCognitoIdentityService."+operation, signer, in, out)
}

// Operate calls one of idpool's own operations, for those who run it. out may be nil.
func (c *Client) Operate(ctx context.Context, operation string, signer *sigv4.Credentials, in, out any) error {
	return c.json(ctx, "idpool", "Idpool."+operation, signer, in, out)
}

func (c *Client) json(ctx context.Context, service, target string, signer *sigv4.Credentials, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	header := http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {target},
	}
	answer, status, requestID, err := c.post(ctx, service, header, body, signer)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		f := &Fault{Status: status, RequestID: requestID}
		// Member names are matched without case: AccessDeniedException writes Message (spec §1.5).
		_ = json.Unmarshal(answer, &struct {
			Code    *string `json:"__type"`
			Message *string `json:"message"`
		}{&f.Code, &f.Message})
		return f
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// Query calls an operation of STS and decodes the answer's XML into out.
func (c *Client) Query(ctx context.Context, service, version, action string, form url.Values, signer *sigv4.Credentials, out any) error {
	values := url.Values{"Action": {action}, "Version": {version}}
	for k, v := range form {
		values[k] = v
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	answer, status, requestID, err := c.post(ctx, service, header, []byte(values.Encode()), signer)
	if err != nil {
		return err
	}
	if status == http.StatusOK {
		return xml.Unmarshal(answer, out)
	}
	var e struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	_ = xml.Unmarshal(answer, &e)
	return &Fault{Status: status, Code: e.Code, Message: e.Message, RequestID: requestID}
}

func (c *Client) post(ctx context.Context, service string, header http.Header, body []byte, signer *sigv4.Credentials) (answer []byte, status int, requestID string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.Endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return nil, 0, "", err
	}
	r.Header = header
	if signer != nil {
		signed := &sigv4.Request{Method: r.Method, Path: "/", Host: r.URL.Host, Header: header, ContentLength: int64(len(body)), Body: body}
		if err := sigv4.Sign(signed, *signer, c.Region, service, c.Now()); err != nil {
			return nil, 0, "", err
		}
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return nil, 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return answer, resp.StatusCode, resp.Header.Get("X-Amzn-Requestid"), err
}
