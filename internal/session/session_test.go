package session

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/fault"
)

// plain is a Sealer that seals nothing, so that these tests see the payload; the real one is tested in filekeys.
type plain struct{}

func (plain) Seal(purpose string, payload []byte) (string, [SecretBytes]byte, error) {
	return purpose + ":" + string(payload), [SecretBytes]byte{1}, nil
}

func (plain) Open(purpose, token string) ([]byte, [SecretBytes]byte, error) {
	payload, ok := strings.CutPrefix(token, purpose+":")
	if !ok {
		return nil, [SecretBytes]byte{}, errors.New("not ours")
	}
	return []byte(payload), [SecretBytes]byte{1}, nil
}

var now = time.Unix(1_800_000_000, 0).UTC()

func full() *Session {
	return &Session{
		AccessKeyID: "ASIAY34FZKBOKMUTVV7A", Account: "609629065308", RoleName: "R", RolePath: "/p/", RoleID: "AROA1", Name: "CognitoIdentityCredentials",
		Issued: now, Expires: now.Add(time.Hour), Guest: true, Policies: []string{"{}", ""}, HasPolicies: true,
		Tags: []Tag{{"k", "v"}, {"", ""}}, Transitive: []string{"k"}, SourceIdentity: "s", Federated: "cognito-identity.amazonaws.com",
		PoolID: "us-east-1:p", IdentityID: "us-east-1:i", AMR: []string{"authenticated", "é\x00"},
		SAML: SAML{Subject: "alice@example.com", SubjectType: "persistent", NameQualifier: "q="},
	}
}

func TestMintAndOpen(t *testing.T) {
	c, err := Mint(plain{}, full())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.SecretAccessKey) != 40 || !c.Expiration.Equal(now.Add(time.Hour)) {
		t.Errorf("credentials: secret of %d characters, expiration %v", len(c.SecretAccessKey), c.Expiration)
	}
	got, secret, err := Open(plain{}, c.SessionToken, c.AccessKeyID, now)
	if err != nil || secret != c.SecretAccessKey {
		t.Fatalf("Open: %v, same secret %v", err, secret == c.SecretAccessKey)
	}
	if d := cmp.Diff(got, full()); d != "" {
		t.Error(d)
	}
	if got.ARN() != "arn:aws:sts::609629065308:assumed-role/R/CognitoIdentityCredentials" || got.RoleARN() != "arn:aws:iam::609629065308:role/p/R" {
		t.Errorf("ARNs: %s, %s", got.ARN(), got.RoleARN())
	}
}

func TestOpenRefuses(t *testing.T) {
	c, err := Mint(plain{}, full())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		token, key string
		at         time.Time
		want       fault.Code
	}{
		"another key":      {c.SessionToken, "ASIAQNZGKIQY56JQ7WML", now, fault.UnrecognizedClient},
		"another purpose":  {"page" + c.SessionToken[len(Purpose):], c.AccessKeyID, now, fault.UnrecognizedClient},
		"no token":         {"", c.AccessKeyID, now, fault.UnrecognizedClient},
		"too long":         {c.SessionToken + strings.Repeat("x", MaxToken), c.AccessKeyID, now, fault.UnrecognizedClient},
		"at its end":       {c.SessionToken, c.AccessKeyID, now.Add(time.Hour), fault.ExpiredToken},
		"after its end":    {c.SessionToken, c.AccessKeyID, now.Add(2 * time.Hour), fault.ExpiredToken},
		"trailing payload": {c.SessionToken + "x", c.AccessKeyID, now, fault.UnrecognizedClient},
	} {
		if s, _, err := Open(plain{}, tc.token, tc.key, tc.at); !fault.Is(err, tc.want) || s != nil {
			t.Errorf("%s: got %v, %v; want %s", name, s, err, tc.want)
		}
	}
	if _, _, err := Open(plain{}, c.SessionToken, c.AccessKeyID, now.Add(time.Hour-time.Second)); err != nil {
		t.Errorf("one second before its end: %v", err)
	}
}

func TestMintRefusesWhatIsTooLong(t *testing.T) {
	s := full()
	s.Policies = []string{strings.Repeat("x", MaxToken)}
	if _, err := Mint(plain{}, s); !fault.Is(err, fault.PackedPolicyTooLarge) {
		t.Errorf("got %v", err)
	}
}

// A session of the version before opens, without what it could not have.
func TestOpensTheVersionBefore(t *testing.T) {
	const before = "\x01\x03\x80\xc8\xce\xb4\x0d\xa0\x80\xcf\xb4\x0d" +
		"\x14ASIAY34FZKBOKMUTVV7A\x0c609629065308\x01R\x03/p/\x05AROA1\x1aCognitoIdentityCredentials" +
		"\x01s\x1ecognito-identity.amazonaws.com\x0bus-east-1:p\x0bus-east-1:i" +
		"\x02\x02{}\x00\x01\x01k\x02\x0dauthenticated\x03é\x00\x02\x01k\x01v\x00\x00"
	want := full()
	want.SAML = SAML{}
	got, _, err := Open(plain{}, Purpose+":"+before, want.AccessKeyID, now)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
	for _, version := range []string{"\x00", "\x03"} {
		if _, _, err := Open(plain{}, Purpose+":"+version+before[1:], want.AccessKeyID, now); !fault.Is(err, fault.UnrecognizedClient) {
			t.Errorf("version %q: got %v", version, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(full()))
	f.Add([]byte{formatVersion, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(encode(s))
		if err != nil || !cmp.Equal(s, again) {
			t.Errorf("decode(encode(x)) differs: %v", err)
		}
	})
}
