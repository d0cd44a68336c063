package filekeys

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"idpool/internal/keyring"
)

// mustIssuers opens the two usual rings and one for each use.
func mustIssuers(t *testing.T, uses ...string) (*Holder, []keyring.Ring, keyring.Keys) {
	t.Helper()
	h, rings := mustRings(t)
	for _, use := range uses {
		r, err := h.NewRing(use, now)
		if err != nil {
			t.Fatal(err)
		}
		rings = append(rings, r)
	}
	k, err := h.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	return h, rings, k
}

func mustSet(t *testing.T, text []byte) (set jose.JSONWebKeySet) {
	t.Helper()
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

func TestIssuersHaveKeysOfTheirOwn(t *testing.T) {
	rsaUse, ecUse := keyring.AuthorityUse("ceph", "RS256"), keyring.AuthorityUse("aws", "ES256")
	outUse := keyring.AuthorityUse(keyring.Outbound, "ES384")
	_, _, k := mustIssuers(t, rsaUse, ecUse, outUse)
	own := mustSet(t, k.JWKS())
	if len(own.Keys) != 1 || len(own.Keys[0].Certificates) != 0 {
		t.Errorf("got %d keys of our own, want one, without a certificate", len(own.Keys))
	}
	for use, algorithm := range map[string]jose.SignatureAlgorithm{rsaUse: jose.RS256, ecUse: jose.ES256, outUse: jose.ES384} {
		issuer := k.Issuer(use)
		token, err := issuer.Sign([]byte(`{"sub":"s"}`))
		if err != nil {
			t.Fatal(err)
		}
		set := mustSet(t, issuer.JWKS())
		if len(set.Keys) != 1 || !set.Keys[0].IsPublic() || len(set.Keys[0].Certificates) != 1 || set.Keys[0].Algorithm != string(algorithm) {
			t.Fatalf("%s: key set %s", use, issuer.JWKS())
		}
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{algorithm})
		if err != nil {
			t.Fatal(err)
		}
		if payload, err := parsed.Verify(set.Keys[0].Certificates[0].PublicKey); err != nil || string(payload) != `{"sub":"s"}` {
			t.Errorf("%s: got %q, %v with the key of the certificate", use, payload, err)
		}
		header, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
		if !strings.Contains(string(header), `"typ":"JWT"`) || !strings.Contains(string(header), set.Keys[0].KeyID) {
			t.Errorf("%s: header %s", use, header)
		}
		if _, err := k.Verify(token); err == nil {
			t.Errorf("%s: the token verifies as one of ours", use)
		}
	}
	if k.Issuer(keyring.AuthorityUse("ceph", "ES256")) != nil || k.Issuer(keyring.Signing) != nil {
		t.Error("got keys for a use that has no ring")
	}
}

// The key that signs is the first of the set, and stays so while keys come and go.
func TestIssuersRotate(t *testing.T) {
	use := keyring.AuthorityUse("ceph", "RS256")
	h, rings, before := mustIssuers(t, use)
	old := mustSet(t, before.Issuer(use).JWKS()).Keys[0].KeyID
	fresh, err := h.NewRing(use, now)
	if err != nil {
		t.Fatal(err)
	}
	ring := &rings[2]
	ring.Keys = append(ring.Keys, fresh.Keys...)
	for _, step := range []struct {
		old, fresh keyring.State
		want       []string
	}{
		{keyring.Active, keyring.Next, []string{old, fresh.Keys[0].ID}},
		{keyring.VerifyOnly, keyring.Active, []string{fresh.Keys[0].ID, old}},
		{keyring.Retired, keyring.Active, []string{fresh.Keys[0].ID}},
	} {
		ring.Keys[0].State, ring.Keys[1].State = step.old, step.fresh
		k, err := h.Open(rings)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, key := range mustSet(t, k.Issuer(use).JWKS()).Keys {
			got = append(got, key.KeyID)
		}
		if strings.Join(got, " ") != strings.Join(step.want, " ") {
			t.Errorf("%s and %s: got the keys %v, want %v", step.old, step.fresh, got, step.want)
		}
	}
	ring.Keys[1].State = keyring.Retired
	if _, err := h.Open(rings); err != nil {
		t.Errorf("a ring of retired keys alone: %v", err)
	}
	ring.Keys[1].State = keyring.Next
	if _, err := h.Open(rings); err == nil {
		t.Error("a ring without an active key opens")
	}
}

func TestIssuerKeysAreBoundToTheirUse(t *testing.T) {
	h, rings, _ := mustIssuers(t, keyring.AuthorityUse("a", "RS256"))
	for _, use := range []string{keyring.AuthorityUse("b", "RS256"), keyring.AuthorityUse("a", "ES256"), keyring.Signing, "authority/a", "other"} {
		moved := append([]keyring.Ring{}, rings[:2]...)
		moved = append(moved, keyring.Ring{Use: use, Keys: rings[2].Keys})
		if _, err := h.Open(moved); err == nil {
			t.Errorf("a ring opens as %s", use)
		}
	}
	for _, use := range []string{"", "other", "authority/a", "authority/a/HS256", "authority/a/RS256/x"} {
		if _, err := h.NewRing(use, now); err == nil {
			t.Errorf("a ring is made for %q", use)
		}
	}
	other, err := h.NewRing(keyring.AuthorityUse("a", "RS256"), now)
	if err != nil {
		t.Fatal(err)
	}
	rings[2].Keys[0].Public = other.Keys[0].Public
	if _, err := h.Open(rings); err == nil {
		t.Error("a ring opens whose public key is another one")
	}
}
