package testidp

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

const maxRequest = 64 << 10 // bytes of a token request

// Handler serves the provider below the path of its issuer. Everything else is 404.
func (p *Provider) Handler() http.Handler { return http.HandlerFunc(p.serve) }

func (p *Provider) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*") // pages of developers call it
	route, below := strings.CutPrefix(r.URL.Path, p.prefix)
	method, serve := http.MethodGet, p.serveDiscovery
	switch {
	case below && route == "/.well-known/openid-configuration":
	case below && route == "/jwks":
		serve = p.serveKeys
	case below && route == "/token":
		method, serve = http.MethodPost, p.serveToken
	default:
		refuse(w, http.StatusNotFound, "there is nothing at this path")
		return
	}
	switch {
	case r.Method == http.MethodOptions:
		allow(w, method)
	case r.Method == method || r.Method == http.MethodHead && method == http.MethodGet:
		serve(w, r)
	default:
		w.Header().Set("Allow", method)
		refuse(w, http.StatusMethodNotAllowed, "the method is "+method)
	}
}

// allow answers a browser's preflight.
func allow(w http.ResponseWriter, method string) {
	h := w.Header()
	h.Set("Allow", method)
	h.Set("Access-Control-Allow-Methods", method)
	h.Set("Access-Control-Allow-Headers", "content-type")
	w.WriteHeader(http.StatusNoContent)
}

// serveDiscovery answers with the members of OpenID Connect Discovery 1.0 §3 that mean something here.
func (p *Provider) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{
		"issuer":                                p.issuer,
		"jwks_uri":                              p.issuer + "/jwks",
		"token_endpoint":                        p.issuer + "/token",
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256"},
		"claims_supported":                      []string{"iss", "sub", "aud", "iat", "exp", "jti"},
	})
}

func (p *Provider) serveKeys(w http.ResponseWriter, _ *http.Request) {
	if err := p.rsa(); err != nil {
		fail(w, err)
		return
	}
	p.mu.RLock()
	set := p.keys.public()
	p.mu.RUnlock()
	write(w, http.StatusOK, set)
}

func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request) {
	req, err := readRequest(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		fail(w, err)
		return
	}
	token, err := p.Mint(req)
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, map[string]string{"id_token": token})
}

// readRequest reads one object: names once and known, UTF-8, nothing after it.
func readRequest(r io.Reader) (TokenRequest, error) {
	var req tokenRequest
	data, err := io.ReadAll(r)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TokenRequest{}, &refused{"the request is larger than 64 KiB"}
	}
	if err != nil {
		return TokenRequest{}, &refused{"the request ended early"}
	}
	if err := json.Unmarshal(data, &req, json.RejectUnknownMembers(true)); err != nil {
		return TokenRequest{}, &refused{"the request is not an object of sub, aud, alg, ttl_seconds and claims: " + err.Error()}
	}
	return req.request(), nil
}

// fail answers with what the caller did wrong, or that we did.
func fail(w http.ResponseWriter, err error) {
	if r, ok := errors.AsType[*refused](err); ok {
		refuse(w, http.StatusBadRequest, r.why)
		return
	}
	write(w, http.StatusInternalServerError, map[string]string{"error": "server_error", "error_description": err.Error()})
}

// refuse answers as OAuth does (RFC 6749 §5.2).
func refuse(w http.ResponseWriter, status int, why string) {
	write(w, status, map[string]string{"error": "invalid_request", "error_description": why})
}

func write(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		http.Error(w, "the answer cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone, or not
}
