package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Document is an answer: at most MaxBody bytes.
type Document struct {
	Body []byte
	// MaxAge is for how long the answer may be kept: `max-age` of Cache-Control less Age (RFC 9111 §4.2); 0 where
	// nothing is said, or where keeping it is forbidden.
	MaxAge time.Duration
	// ContentType is the header as sent. It is not checked.
	ContentType string
}

// maxMaxAge bounds what a server can claim, so that arithmetic with it stays safe.
const maxMaxAge = 365 * 24 * time.Hour

// read checks the answer and reads its body.
func read(resp *http.Response) (*Document, error) {
	if err := checkStatus(resp.StatusCode); err != nil {
		return nil, err
	}
	body, err := readBody(resp)
	if err != nil {
		return nil, err
	}
	return &Document{Body: body, MaxAge: maxAge(resp.Header), ContentType: resp.Header.Get("Content-Type")}, nil
}

func checkStatus(status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case 300 <= status && status <= 399:
		return fmt.Errorf("it answered %d: redirects are not followed", status)
	}
	return fmt.Errorf("it answered %d", status)
}

// readBody reads a body within the limits.
func readBody(resp *http.Response) ([]byte, error) {
	for _, enc := range resp.Header.Values("Content-Encoding") {
		if !strings.EqualFold(enc, "identity") {
			return nil, errors.New("it answered with a Content-Encoding that was not asked for")
		}
	}
	if resp.ContentLength > MaxBody {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", plain(err))
	}
	if len(body) > MaxBody {
		return nil, errTooLarge
	}
	return body, nil
}

var (
	errTooLarge = fmt.Errorf("the answer is larger than %d bytes", MaxBody)
	errTimeout  = errors.New("no complete answer in time")
	errCanceled = errors.New("the fetch was called off")
	errNotHTTP  = errors.New("the answer breaks HTTP, ends early or breaks the limit of its headers")
)

// plain returns an error that tells the same without quoting the peer. net/http repeats what it could not read, and
// that may be the first line of any service that we were made to talk to. So only errors of known types pass.
func plain(err error) error {
	if errors.Is(err, context.Canceled) {
		return errCanceled
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return errTimeout
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errTimeout
	}
	if e, ok := errors.AsType[*RefusedAddress](err); ok {
		return e
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("TLS: %w", e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return e
	}
	return errNotHTTP
}

// maxAge reads Cache-Control and Age. What cannot be read counts as nothing said.
func maxAge(h http.Header) time.Duration {
	age := time.Duration(0)
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return 0
			case "max-age":
				age = seconds(value)
			}
		}
	}
	return max(0, age-seconds(h.Get("Age")))
}

// seconds reads a delta-seconds of RFC 9111 §1.2.2.
func seconds(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return maxMaxAge
	case err != nil:
		return 0
	}
	return time.Duration(min(n, uint64(maxMaxAge/time.Second))) * time.Second
}
