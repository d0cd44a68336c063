package authority

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"idpool/internal/issuer"
	"idpool/internal/keyring"
)

// tokenLife is how long a token for an authority can be used. It is used at once.
const tokenLife = 10 * time.Minute

// payload is what a token says (spec §5.0). Some stores keep all claims in their session tokens: none of them is secret.
type payload struct {
	Iss  string   `json:"iss"`
	Sub  string   `json:"sub"`
	Aud  string   `json:"aud"`
	AMR  []string `json:"amr"`
	Iat  int64    `json:"iat"`
	Exp  int64    `json:"exp"`
	JTI  string   `json:"jti"`
	Tags *struct {
		Principal tagMap `json:"principal_tags"`
	} `json:"https://aws.amazon.com/tags,omitempty"`
	FlatTags tagMap `json:"https://aws.amazon.com/tags/principal_tags,omitempty"`
}

type tagMap map[string][]string

// token signs the token that the authority is shown, for an identity with its claims.
func (a *Authority) token(keys keyring.Keys, random io.Reader, c *issuer.Claims, now time.Time) (string, error) {
	signer := keys.Issuer(a.KeyUse)
	if signer == nil {
		return "", fmt.Errorf("there are no keys for the authority %s", a.Name)
	}
	var id [16]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	p := payload{
		Iss: a.Issuer, Sub: c.IdentityID, Aud: a.Audience, AMR: c.AMR,
		Iat: now.Unix(), Exp: now.Add(tokenLife).Unix(), JTI: hex.EncodeToString(id[:]),
	}
	if p.Aud == "" {
		p.Aud = c.PoolID
	}
	a.addTags(&p, c.Tags)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return "", fmt.Errorf("writing the claims of a token: %w", err)
	}
	return signer.Sign(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func (a *Authority) addTags(p *payload, tags map[string]string) {
	if len(tags) == 0 || a.Tags == NoTags {
		return
	}
	lists := tagMap{}
	for k, v := range tags {
		lists[k] = []string{v}
	}
	if a.Tags == Flat {
		p.FlatTags = lists
		return
	}
	p.Tags = &struct {
		Principal tagMap `json:"principal_tags"`
	}{lists}
}
