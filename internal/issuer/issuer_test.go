package issuer

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/keyring"
)

// recorder is a ring that notes what it signs, believes every token to hold that, and fails when told to. The rest of keyring.Keys it does not have.
type recorder struct {
	keyring.Keys
	payload string
	err     error
}

func (r *recorder) Verify(string) ([]byte, error) { return []byte(r.payload), r.err }

func (r *recorder) Sign(payload []byte) (string, error) {
	r.payload = string(payload)
	return "signed", r.err
}

func claims(amr ...string) *Claims {
	now := time.Date(2026, 1, 2, 3, 4, 5, 999_999_999, time.FixedZone("east", 3600))
	return &Claims{
		Issuer:     "https://id.example.com",
		IdentityID: "us-west-2:87654321-4321-4321-4321-1234567890ab", PoolID: "us-west-2:12345678-1234-1234-1234-1234567890ab",
		PoolARN: "arn:aws:cognito-identity:us-west-2:123456789012:identitypool/us-west-2:12345678-1234-1234-1234-1234567890ab",
		AMR:     amr, Issued: now, Expiry: now.Add(Lifetime),
	}
}

// TestSign is what is signed, byte for byte: the members in the order of AWS's tokens (spec cognito-identity §10.1), whole
// seconds, nothing escaped that JSON does not ask for.
func TestSign(t *testing.T) {
	const (
		before = `{"sub":"us-west-2:87654321-4321-4321-4321-1234567890ab","aud":"us-west-2:12345678-1234-1234-1234-1234567890ab","amr":`
		after  = `,"iss":"https://id.example.com",` +
			`"https://cognito-identity.amazonaws.com/identity-pool-arn":"arn:aws:cognito-identity:us-west-2:123456789012:identitypool/us-west-2:12345678-1234-1234-1234-1234567890ab",` +
			`"exp":1767320045,"iat":1767319445}`
	)
	for name, c := range map[string]struct {
		amr  []string
		want string
	}{
		"guest": {[]string{"unauthenticated"}, `["unauthenticated"]`},
		"OIDC": {
			[]string{"authenticated", "token.example.com/org", "arn:aws:iam::123456789012:oidc-provider/token.example.com/org:OIDC:repo:org/repo"},
			`["authenticated","token.example.com/org","arn:aws:iam::123456789012:oidc-provider/token.example.com/org:OIDC:repo:org/repo"]`,
		},
		"a hostile subject": {[]string{"authenticated", `a","aud":"x<&>` + "\u00e9\n"}, `["authenticated","a\",\"aud\":\"x<&>é\n"]`},
	} {
		var r recorder
		token, err := Sign(&r, claims(c.amr...))
		if token != "signed" || err != nil {
			t.Errorf("%s: got %q, %v, want what the ring returns", name, token, err)
		}
		if d := gocmp.Diff(r.payload, before+c.want+after); d != "" {
			t.Errorf("%s: payload (-got +want):\n%s", name, d)
		}
	}
}

// TestSignTags: principal tags stand between amr and iss, each value in an array of one (spec §10.1).
func TestSignTags(t *testing.T) {
	c := claims("authenticated")
	c.Tags = map[string]string{"repository": "org/repo", "actor": "<name>"}
	var r recorder
	if _, err := Sign(&r, c); err != nil {
		t.Fatal(err)
	}
	want := `"amr":["authenticated"],"https://aws.amazon.com/tags":{"principal_tags":{"actor":["<name>"],"repository":["org/repo"]}},"iss":`
	if !strings.Contains(r.payload, want) {
		t.Errorf("got %s, want in it %s", r.payload, want)
	}
}

func TestRead(t *testing.T) {
	tagged := claims("authenticated", "login.example.com", "x")
	tagged.Tags = map[string]string{"actor": "name", "empty": ""}
	for name, c := range map[string]*Claims{"guest": claims("unauthenticated"), "with tags": tagged} {
		var r recorder
		if _, err := Sign(&r, c); err != nil {
			t.Fatal(err)
		}
		want := *c
		want.Issued, want.Expiry = c.Issued.UTC().Truncate(time.Second), c.Expiry.UTC().Truncate(time.Second)
		got, err := Read(&r, "signed")
		if d := gocmp.Diff(got, &want); err != nil || d != "" {
			t.Errorf("%s: %v (-got +want):\n%s", name, err, d)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	broken := errors.New("no key of ours")
	if got, err := Read(&recorder{err: broken, payload: `{}`}, "token"); !errors.Is(err, broken) || got != nil {
		t.Errorf("got %v, %v, want %v", got, err, broken)
	}
	for _, payload := range []string{"", "x", "[]", `{"aud":["a"]}`, `{"exp":"1"}`, `{"exp":1.5}`, `{"amr":"authenticated"}`, `{}{}`} {
		if got, err := Read(&recorder{payload: payload}, "token"); err == nil {
			t.Errorf("%s: got %+v, want an error", payload, got)
		}
	}
}

// TestSignedClaimsReadBack: what is read from a payload is what was said, and nothing more.
func TestSignedClaimsReadBack(t *testing.T) {
	var r recorder
	c := claims("authenticated", `"}`, "\u2028</script>")
	if _, err := Sign(&r, c); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(r.payload), &got); err != nil {
		t.Fatalf("%s: %v", r.payload, err)
	}
	want := map[string]any{
		"sub": c.IdentityID, "aud": c.PoolID, "iss": c.Issuer, "amr": []any{"authenticated", `"}`, "\u2028</script>"},
		"https://cognito-identity.amazonaws.com/identity-pool-arn": c.PoolARN,
		"exp": float64(c.Issued.Unix() + 600), "iat": float64(c.Issued.Unix()),
	}
	if d := gocmp.Diff(got, want); d != "" {
		t.Errorf("claims (-got +want):\n%s", d)
	}
}

func TestSignFails(t *testing.T) {
	broken := errors.New("no active key")
	if _, err := Sign(&recorder{err: broken}, claims("unauthenticated")); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// TestDiscovery is the whole document (spec §10.3).
func TestDiscovery(t *testing.T) {
	want := strings.Join([]string{
		`{"issuer":"https://id.example.com/x","jwks_uri":"https://id.example.com/x/.well-known/jwks_uri",`,
		`"authorization_endpoint":"https://id.example.com/x/authorize",`,
		`"response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS512"],`,
		`"claims_supported":["sub","aud","amr","iss","exp","iat"]}`,
	}, "")
	if d := gocmp.Diff(string(Discovery("https://id.example.com/x", Algorithm)), want); d != "" {
		t.Errorf("document (-got +want):\n%s", d)
	}
}

func TestPaths(t *testing.T) {
	if DiscoveryPath != "/.well-known/openid-configuration" || KeysPath != "/.well-known/jwks_uri" || Lifetime != 600*time.Second || DeveloperLifetime != 900*time.Second {
		t.Errorf("got %s, %s, %v, %v", DiscoveryPath, KeysPath, Lifetime, DeveloperLifetime)
	}
}
