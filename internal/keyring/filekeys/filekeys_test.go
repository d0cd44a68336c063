package filekeys

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpool/internal/keyring"
)

var now = time.Unix(1_800_000_000, 0).UTC()

// mustRings makes a key file and both rings in it.
func mustRings(t *testing.T) (*Holder, []keyring.Ring) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	h, err := Open(path, "https://idpool.example")
	if err != nil {
		t.Fatal(err)
	}
	var rings []keyring.Ring
	for _, use := range []string{keyring.Sealing, keyring.Signing} {
		r, err := h.NewRing(use, now)
		if err != nil {
			t.Fatal(err)
		}
		rings = append(rings, r)
	}
	return h, rings
}

func mustKeys(t *testing.T) keyring.Keys {
	t.Helper()
	h, rings := mustRings(t)
	k, err := h.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := Open(path, "i"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	if err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a key file: %v", err)
	}
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o604, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, "i"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	for _, text := range []string{"", "short", base64.StdEncoding.EncodeToString(make([]byte, 31)), strings.Repeat("A", 44)} {
		other := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(other, "i"); err == nil {
			t.Errorf("key file %q is accepted", text)
		}
	}
}

func TestSealAndOpen(t *testing.T) {
	k := mustKeys(t)
	token, secret, err := k.Seal("session", []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	got, again, err := k.Open("session", token)
	if err != nil || string(got) != "payload" || again != secret || secret == [30]byte{} {
		t.Fatalf("Open = %q, same secret %v, %v", got, again == secret, err)
	}
	other, otherSecret, _ := k.Seal("session", []byte("payload"))
	if other == token || otherSecret == secret {
		t.Error("two seals of one payload are alike")
	}
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	if strings.Contains(string(raw), string(secret[:])) {
		t.Error("the token reveals its secret")
	}
}

// No two seals of one text have a token, a secret or the random beginning in common (security H3).
func TestSealsAreDistinct(t *testing.T) {
	keys := mustKeys(t)
	seen := map[string]bool{}
	for range 20_000 {
		token, secret, err := keys.Seal("session", []byte("the same"))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{token, token[:64], string(secret[:])} {
			if seen[part] {
				t.Fatalf("a part came twice")
			}
			seen[part] = true
		}
	}
}

// Every changed bit and every other length is refused, with the same error (security H1).
func TestOpenRefusesMutants(t *testing.T) {
	k := mustKeys(t)
	token, _, err := k.Seal("session", []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	mutants := []string{"", token + "A", token + "\n", "\r\n" + token, " " + token, token + "=", token + token}
	for i := range len(token) {
		mutants = append(mutants, token[:i], token[i+1:])
		if i > 0 {
			mutants = append(mutants, token[:i]+"\n"+token[i:])
		}
	}
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	for i := range len(raw) * 8 {
		raw[i/8] ^= 1 << (i % 8)
		mutants = append(mutants, base64.RawURLEncoding.EncodeToString(raw))
		raw[i/8] ^= 1 << (i % 8)
	}
	last := token[len(token)-1]
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/" {
		if byte(c) != last {
			mutants = append(mutants, token[:len(token)-1]+string(c))
		}
	}
	for _, m := range mutants {
		if _, _, err := k.Open("session", m); !errors.Is(err, errSealed) {
			t.Errorf("mutant of %d characters: %v", len(m), err)
		}
	}
	for _, purpose := range []string{"", "page", "sessio", "session "} {
		if _, _, err := k.Open(purpose, token); !errors.Is(err, errSealed) {
			t.Errorf("purpose %q: %v", purpose, err)
		}
	}
}

func TestForeignTokensAreRefused(t *testing.T) {
	h, rings := mustRings(t)
	k, err := h.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	token, _, _ := k.Seal("session", []byte("payload"))
	if _, _, err := mustKeys(t).Open("session", token); !errors.Is(err, errSealed) {
		t.Errorf("another system: %v", err)
	}
	renamed := &Holder{kek: h.kek, issuer: "https://other.example"}
	other, err := renamed.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.Open("session", token); !errors.Is(err, errSealed) {
		t.Errorf("same keys, another issuer: %v", err)
	}
}

func TestRotation(t *testing.T) {
	h, rings := mustRings(t)
	old, err := h.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	token, _, _ := old.Seal("session", []byte("payload"))
	fresh, err := h.NewRing(keyring.Sealing, now)
	if err != nil {
		t.Fatal(err)
	}
	rings[0].Keys[0].State = keyring.VerifyOnly
	rings[0].Keys = append(rings[0].Keys, fresh.Keys...)
	rotated, err := h.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := rotated.Open("session", token); err != nil {
		t.Errorf("verify-only: %v", err)
	}
	rings[0].Keys[0].State = keyring.Retired
	retired, err := h.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := retired.Open("session", token); !errors.Is(err, errSealed) {
		t.Errorf("retired: %v", err)
	}
}

func TestSign(t *testing.T) {
	k := mustKeys(t)
	token, err := k.Sign([]byte(`{"sub":"s"}`))
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(k.JWKS(), &set); err != nil || len(set.Keys) != 1 || !set.Keys[0].IsPublic() {
		t.Fatalf("JWKS %s: %v", k.JWKS(), err)
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS512})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := parsed.Verify(set.Keys[0])
	if err != nil || string(payload) != `{"sub":"s"}` {
		t.Errorf("Verify = %s, %v", payload, err)
	}
	header, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	var got map[string]string
	if err := json.Unmarshal(header, &got); err != nil || got["typ"] != "JWS" || got["alg"] != "RS512" || got["kid"] != set.Keys[0].KeyID {
		t.Errorf("header %s", header)
	}
}

func TestUserSecrets(t *testing.T) {
	h, rings := mustRings(t)
	k, err := h.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := h.SealUserSecret("AKIA1", "secret")
	if err != nil || strings.Contains(string(sealed), "secret") {
		t.Fatalf("sealed %q, %v", sealed, err)
	}
	if got, err := k.UserSecret("AKIA1", sealed); err != nil || got != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := k.UserSecret("AKIA2", sealed); err == nil {
		t.Errorf("under another key id: %q", got)
	}
}

func TestAppSecrets(t *testing.T) {
	h, rings := mustRings(t)
	k, err := h.Open(rings)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := h.SealAppSecret("us-east-1:1", "api.twitter.com", "hunter2")
	if err != nil || strings.Contains(string(sealed), "hunter2") {
		t.Fatalf("sealed %q, %v", sealed, err)
	}
	if got, err := k.AppSecret("us-east-1:1", "api.twitter.com", sealed); err != nil || got != "hunter2" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, other := range [][2]string{{"us-east-1:2", "api.twitter.com"}, {"us-east-1:1", "other"}, {"us-east-1:1 api.twitter.com", ""}} {
		if got, err := k.AppSecret(other[0], other[1], sealed); err == nil {
			t.Errorf("for %v: %q", other, got)
		}
	}
	if got, err := k.UserSecret("us-east-1:1 api.twitter.com", sealed); err == nil {
		t.Errorf("as the secret of a user: %q", got)
	}
}

func TestOpenRefusesTheWrongKeyFile(t *testing.T) {
	_, rings := mustRings(t)
	h, _ := mustRings(t)
	if _, err := h.Open(rings); err == nil {
		t.Error("rings of another key file open")
	}
	if _, err := h.Open(nil); err == nil {
		t.Error("no rings open")
	}
}

func BenchmarkSeal(b *testing.B) {
	h, err := newHolder(make([]byte, kekBytes), "i")
	if err != nil {
		b.Fatal(err)
	}
	sealing, _ := h.NewRing(keyring.Sealing, now)
	signing, _ := h.NewRing(keyring.Signing, now)
	k, err := h.Open([]keyring.Ring{sealing, signing})
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, 400)
	for b.Loop() {
		token, _, err := k.Seal("session", payload)
		if err != nil || token == "" {
			b.Fatal(err)
		}
	}
}
