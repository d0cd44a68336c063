package httpd

import (
	"net/http"
	"strings"
)

// What browsers are told (security I6, spec cognito-identity §1.6). Any page may call; none may send cookies, which mean
// nothing here. The Origin is never reflected, so answers do not differ by it.
const (
	exposedHeaders = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
	allowedMethods = "GET, POST, OPTIONS"
	// allowedHeaders is the answer to a preflight that asks for none, or for something that is no list of names.
	allowedHeaders = "content-type, x-amz-target, x-amz-user-agent, amz-sdk-invocation-id, amz-sdk-request, authorization, " +
		"x-amz-date, x-amz-security-token, x-amz-content-sha256, cache-control, x-amz-api-version"
	preflightAge = "172800" // seconds
)

const (
	maxAskedHeaders = 64   // names in Access-Control-Request-Headers
	maxAskedBytes   = 2048 // of all of them
)

// allowOrigin lets any page read an answer.
func allowOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", exposedHeaders)
}

// answerOptions answers OPTIONS for every path, without authentication: a browser asks before it knows who is calling.
func answerOptions(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", allowedMethods)
	if r.Header.Get("Origin") != "" {
		h.Set("Access-Control-Allow-Methods", allowedMethods)
		h.Set("Access-Control-Allow-Headers", grantHeaders(r.Header["Access-Control-Request-Headers"]))
		h.Set("Access-Control-Max-Age", preflightAge)
	}
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// grantHeaders returns the names that were asked for, if they are names and not too many; else the usual ones.
func grantHeaders(asked []string) string {
	all := strings.Join(asked, ",")
	if all == "" || len(all) > maxAskedBytes {
		return allowedHeaders
	}
	names := strings.Split(all, ",")
	if len(names) > maxAskedHeaders {
		return allowedHeaders
	}
	for i, name := range names {
		names[i] = strings.ToLower(strings.Trim(name, " \t"))
		if !isToken(names[i]) {
			return allowedHeaders
		}
	}
	return strings.Join(names, ", ")
}
