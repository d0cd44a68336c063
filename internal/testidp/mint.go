package testidp

import (
	"crypto/rand"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	defaultTTL = 3600             // seconds
	maxTTL     = 10 * 365 * 86400 // seconds, either way
)

// TokenRequest asks for an ID token.
type TokenRequest struct {
	// Sub and Aud are required, also where Claims replaces or removes them.
	Sub, Aud string
	// Alg is "RS256", the default, or "ES256".
	Alg string
	// TTLSeconds is from iat to exp: nil means an hour; negative makes a token that has ended; at most ten years either way.
	TTLSeconds *int64
	// Claims are more claims. One of the name of a standard claim replaces it; nil removes it.
	Claims map[string]any
}

// tokenRequest is a TokenRequest on the wire. Claims are kept as they were written, numbers digit by digit.
type tokenRequest struct {
	Sub        string                    `json:"sub"`
	Aud        string                    `json:"aud"`
	Alg        string                    `json:"alg"`
	TTLSeconds *int64                    `json:"ttl_seconds"`
	Claims     map[string]jsontext.Value `json:"claims"`
}

func (t tokenRequest) request() TokenRequest {
	req := TokenRequest{Sub: t.Sub, Aud: t.Aud, Alg: t.Alg, TTLSeconds: t.TTLSeconds, Claims: map[string]any{}}
	for name, value := range t.Claims {
		req.Claims[name] = value
		if value.Kind() == 'n' {
			req.Claims[name] = nil
		}
	}
	return req
}

// refused is a request that cannot be met; its text is for the caller.
type refused struct{ why string }

func (r *refused) Error() string { return r.why }

// Mint returns a signed ID token: iss, sub, aud, iat, exp and a random jti, changed as the request says. It waits for the
// RSA key where that is needed and not made yet.
func (p *Provider) Mint(req TokenRequest) (string, error) {
	alg, ttl, err := check(req)
	if err != nil {
		return "", err
	}
	payload, err := p.claims(req, ttl)
	if err != nil {
		return "", err
	}
	key, err := p.signingKey(alg)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed.CompactSerialize()
}

func (p *Provider) signingKey(alg jose.SignatureAlgorithm) (jose.JSONWebKey, error) {
	if alg == jose.RS256 {
		if err := p.rsa(); err != nil {
			return jose.JSONWebKey{}, err
		}
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return *p.keys.current(alg), nil
}

// check returns the algorithm and the seconds of the token's life.
func check(req TokenRequest) (jose.SignatureAlgorithm, int64, error) {
	if req.Sub == "" || req.Aud == "" {
		return "", 0, &refused{"sub and aud are required"}
	}
	alg, ttl := jose.RS256, int64(defaultTTL)
	if req.Alg != "" {
		alg = jose.SignatureAlgorithm(req.Alg)
	}
	if !known(string(alg)) {
		return "", 0, &refused{"alg is RS256 or ES256"}
	}
	if req.TTLSeconds != nil {
		ttl = *req.TTLSeconds
	}
	if ttl > maxTTL || ttl < -maxTTL {
		return "", 0, &refused{"ttl_seconds is at most ten years, either way"}
	}
	return alg, ttl, nil
}

// claims returns the payload.
func (p *Provider) claims(req TokenRequest, ttl int64) ([]byte, error) {
	now := p.now().Unix()
	all := map[string]any{
		"iss": p.issuer, "sub": req.Sub, "aud": req.Aud, "iat": now, "exp": now + ttl, "jti": rand.Text(),
	}
	for name, value := range req.Claims {
		if value == nil {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	payload, err := json.Marshal(all, json.Deterministic(true))
	if err != nil {
		return nil, &refused{"the claims cannot be written as JSON: " + err.Error()}
	}
	return payload, nil
}
