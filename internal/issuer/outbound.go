package issuer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"idpool/internal/fault"
	"idpool/internal/keyring"
)

// OutboundPath is where our other issuer lies below the issuer: that of the tokens of sts:GetWebIdentityToken, which say who a
// caller of the account is, to services that are not AWS. It has keys of its own, so that none of its tokens is ever taken
// for one of an identity, nor the other way round.
const (
	OutboundPath     = "/outbound"
	OutboundKeysPath = "/.well-known/jwks.json"
)

// OutboundAlgorithms are those that a caller may ask for.
var OutboundAlgorithms = [...]string{"RS256", "ES384"}

// maxOutbound is the largest payload in bytes: the token has to fit into a header.
const maxOutbound = 8 << 10

// Outbound are the claims of a token about a caller.
type Outbound struct {
	Issuer   string // ours; OutboundPath is added
	Subject  string // the ARN of the role or user
	Audience []string
	ID       string // jti
	Account  string
	Region   string
	// PrincipalTags are the caller's, RequestTags those that he passed.
	PrincipalTags, RequestTags map[string]string
	Issued, Expiry             time.Time
}

type outbound struct {
	Iss string  `json:"iss"`
	Aud any     `json:"aud"`
	Sub string  `json:"sub"`
	Iat int64   `json:"iat"`
	Exp int64   `json:"exp"`
	JTI string  `json:"jti"`
	AWS nesting `json:"https://sts.amazonaws.com/"`
}

type nesting struct {
	Account       string            `json:"aws_account"`
	Region        string            `json:"source_region"`
	PrincipalTags map[string]string `json:"principal_tags,omitempty"`
	RequestTags   map[string]string `json:"request_tags,omitempty"`
}

// SignOutbound returns the token, signed with the algorithm. JWTPayloadSizeExceeded when it says too much.
func SignOutbound(keys keyring.Keys, algorithm string, c *Outbound) (string, error) {
	p := outbound{
		Iss: c.Issuer + OutboundPath, Aud: c.Audience, Sub: c.Subject, Iat: c.Issued.Unix(), Exp: c.Expiry.Unix(), JTI: c.ID,
		AWS: nesting{c.Account, c.Region, c.PrincipalTags, c.RequestTags},
	}
	if len(c.Audience) == 1 {
		p.Aud = c.Audience[0]
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return "", fmt.Errorf("writing the claims of a token: %w", err)
	}
	if b.Len() > maxOutbound {
		return "", fault.New(fault.JWTPayloadSizeExceeded, "The requested token payload size exceeds the maximum allowed size.")
	}
	ring := keys.Issuer(keyring.AuthorityUse(keyring.Outbound, algorithm))
	if ring == nil {
		return "", fmt.Errorf("the store has no keys for outbound tokens of %s", algorithm)
	}
	return ring.Sign(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// OutboundKeys returns the public keys of outbound tokens as a JSON Web Key Set; an empty one where there are none yet.
func OutboundKeys(keys keyring.Keys) ([]byte, error) {
	all := struct {
		Keys []json.RawMessage `json:"keys"`
	}{[]json.RawMessage{}}
	for _, algorithm := range OutboundAlgorithms {
		ring := keys.Issuer(keyring.AuthorityUse(keyring.Outbound, algorithm))
		if ring == nil {
			continue
		}
		var set struct {
			Keys []json.RawMessage `json:"keys"`
		}
		if err := json.Unmarshal(ring.JWKS(), &set); err != nil {
			return nil, fmt.Errorf("reading a key set of ours: %w", err)
		}
		all.Keys = append(all.Keys, set.Keys...)
	}
	return json.Marshal(all)
}

// OutboundDiscovery returns the discovery document of the outbound issuer below ours.
func OutboundDiscovery(issuer string) []byte {
	outward := issuer + OutboundPath
	text, err := json.Marshal(struct {
		Issuer        string   `json:"issuer"`
		JWKS          string   `json:"jwks_uri"`
		ResponseTypes []string `json:"response_types_supported"`
		SubjectTypes  []string `json:"subject_types_supported"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
		Claims        []string `json:"claims_supported"`
	}{
		Issuer: outward, JWKS: outward + OutboundKeysPath, ResponseTypes: []string{"id_token"}, SubjectTypes: []string{"public"},
		Algorithms: OutboundAlgorithms[:], Claims: []string{"sub", "aud", "iss", "exp", "iat", "jti", "https://sts.amazonaws.com/"},
	})
	if err != nil {
		panic(err) // strings always encode
	}
	return text
}
