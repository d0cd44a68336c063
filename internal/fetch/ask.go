package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxQuestion is the size of the query and the form of a Request together, in bytes: an ID token has up to 20,000
// characters, and a session policy 2,048, each of which may be written as three.
const maxQuestion = 32 << 10

// Request is a question that needs more than an address: such as whether an access token is genuine. What it holds
// besides the host of its URL is in no error.
type Request struct {
	// URL is the address, without a query.
	URL string
	// Query is the query of the URL.
	Query url.Values
	// Form, where set, makes the request a POST that carries it.
	Form url.Values
	// Authorization is the header; empty means none.
	Authorization string
	// Accept is the header; empty means application/json.
	Accept string
}

// Answer is a definite answer: one with status 200, or a refusal, which is any status from 400 to 499.
type Answer struct {
	Status int
	Body   []byte // at most MaxBody bytes
}

// Ask sends a request, by the rules of Get. Everything but a definite answer is an error.
func (c *Client) Ask(ctx context.Context, r Request) (*Answer, error) {
	u, transport, err := c.accept(r.URL)
	if err != nil {
		return nil, err
	}
	req, err := r.build(u)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	resp, err := transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", u.Host, plain(err))
	}
	defer resp.Body.Close()
	answer, err := readAnswer(resp)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", u.Host, err)
	}
	return answer, nil
}

// build makes the HTTP request. Its errors quote nothing.
func (r *Request) build(u *url.URL) (*http.Request, error) {
	// A space is + or %20 in a form, and some servers know the latter alone.
	query, form := r.Query.Encode(), strings.ReplaceAll(r.Form.Encode(), "+", "%20")
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the URL has a query or a fragment")
	}
	if len(query)+len(form) > maxQuestion {
		return nil, fmt.Errorf("the query or the form is longer than %d bytes", maxQuestion)
	}
	u.RawQuery = query
	method := http.MethodGet
	if r.Form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, u.String(), strings.NewReader(form))
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	setHeader(req)
	if r.Form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.Accept != "" {
		req.Header.Set("Accept", r.Accept)
	}
	if r.Authorization != "" {
		req.Header.Set("Authorization", r.Authorization)
	}
	return req, nil
}

func readAnswer(resp *http.Response) (*Answer, error) {
	if refused := 400 <= resp.StatusCode && resp.StatusCode <= 499; !refused {
		if err := checkStatus(resp.StatusCode); err != nil {
			return nil, err
		}
	}
	body, err := readBody(resp)
	if err != nil {
		return nil, err
	}
	return &Answer{Status: resp.StatusCode, Body: body}, nil
}
