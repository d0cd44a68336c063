// Package issuer is our OpenID Connect face: what our tokens say, the discovery document and the key set.
//
// Everything that names the issuer comes from the configuration; nothing of a request does (security H7). Who may have a
// token is decided elsewhere, and keys are those of the snapshot.
package issuer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"idpool/internal/keyring"
)

// The paths of the documents below the issuer (spec cognito-identity §10.3: the second really is called jwks_uri).
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	KeysPath      = "/.well-known/jwks_uri"
)

// Lifetimes of our tokens (spec §10.1): of GetOpenIdToken, and of developer identities unless they ask for another.
const (
	Lifetime          = 10 * time.Minute
	DeveloperLifetime = 15 * time.Minute
	// MaxLifetime is the longest that a developer may ask for (spec §7.10).
	MaxLifetime = 24 * time.Hour
)

// Claims are what a token of ours says of an identity, before it is signed. A role's trust policy is decided on them.
type Claims struct {
	Issuer     string
	IdentityID string // sub
	PoolID     string // aud
	PoolARN    string
	// AMR is unauthenticated, or authenticated and two entries for each login of the call (spec §10.2).
	AMR []string
	// Tags are the principal tags; none leaves the claim out.
	Tags   map[string]string
	Issued time.Time
	Expiry time.Time
}

// payload has the members in the order that AWS writes them.
type payload struct {
	Sub     string   `json:"sub"`
	Aud     string   `json:"aud"`
	AMR     []string `json:"amr"`
	Tags    *tags    `json:"https://aws.amazon.com/tags,omitempty"`
	Iss     string   `json:"iss"`
	PoolARN string   `json:"https://cognito-identity.amazonaws.com/identity-pool-arn"`
	Exp     int64    `json:"exp"`
	Iat     int64    `json:"iat"`
}

// tags is the claim of principal tags: each value is an array of one (spec §10.1).
type tags struct {
	Principal map[string][]string `json:"principal_tags"`
}

func tagsClaim(in map[string]string) *tags {
	if len(in) == 0 {
		return nil
	}
	out := &tags{Principal: make(map[string][]string, len(in))}
	for k, v := range in {
		out.Principal[k] = []string{v}
	}
	return out
}

// Sign returns the token with the claims.
func Sign(keys keyring.Keys, c *Claims) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(payload{
		Sub: c.IdentityID, Aud: c.PoolID, AMR: c.AMR, Tags: tagsClaim(c.Tags), Iss: c.Issuer, PoolARN: c.PoolARN, Exp: c.Expiry.Unix(), Iat: c.Issued.Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("writing the claims of a token: %w", err)
	}
	return keys.Sign(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// Read returns the claims of a token of ours. The error says only that it is not one, or names no reason at all; times
// are not judged.
func Read(keys keyring.Keys, token string) (*Claims, error) {
	text, err := keys.Verify(token)
	if err != nil {
		return nil, err
	}
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("reading the claims of a token: %w", err)
	}
	out := &Claims{
		Issuer: p.Iss, IdentityID: p.Sub, PoolID: p.Aud, PoolARN: p.PoolARN, AMR: p.AMR,
		Issued: time.Unix(p.Iat, 0).UTC(), Expiry: time.Unix(p.Exp, 0).UTC(),
	}
	if p.Tags != nil {
		out.Tags = map[string]string{}
		for k, v := range p.Tags.Principal {
			if len(v) == 1 {
				out.Tags[k] = v[0]
			}
		}
	}
	return out, nil
}

// Algorithm is that of our own tokens (spec cognito-identity §10.1).
const Algorithm = "RS512"

// Discovery returns the discovery document of an issuer that signs with an algorithm.
func Discovery(issuer, algorithm string) []byte {
	text, err := json.Marshal(struct {
		Issuer        string   `json:"issuer"`
		JWKS          string   `json:"jwks_uri"`
		Authorization string   `json:"authorization_endpoint"`
		ResponseTypes []string `json:"response_types_supported"`
		SubjectTypes  []string `json:"subject_types_supported"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
		Claims        []string `json:"claims_supported"`
	}{
		Issuer: issuer, JWKS: issuer + KeysPath,
		// There is no page to log in at; the member is required by OpenID Connect Discovery §3.
		Authorization: issuer + "/authorize",
		ResponseTypes: []string{"id_token"}, SubjectTypes: []string{"public"}, Algorithms: []string{algorithm},
		Claims: []string{"sub", "aud", "amr", "iss", "exp", "iat"},
	})
	if err != nil {
		panic(err) // strings always encode
	}
	return text
}
