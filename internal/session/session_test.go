package session

import (
	"crypto/sha256"
	"encoding/base64"
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
		Issued: now, Expires: now.Add(time.Hour), Guest: true, Policies: []string{"{}", ""}, PolicyARNs: []string{"arn:aws:iam::aws:policy/P"}, HasPolicies: true,
		Tags: []Tag{{"k", "v"}, {"", ""}}, Transitive: []string{"k"}, SourceIdentity: "s", Federated: "cognito-identity.amazonaws.com",
		PoolID: "us-east-1:p", IdentityID: "us-east-1:i", AMR: []string{"authenticated", "é\x00"},
		Origin: now.Add(-time.Minute), Lineage: []string{"access-key ASIA1", "pool p"},
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
	for name, change := range map[string]func(*Session){
		"policies": func(s *Session) { s.Policies = []string{noise(3000)} },
		"the rest": func(s *Session) { s.AMR = []string{strings.Repeat("x", MaxToken)} },
	} {
		s := full()
		change(s)
		if c, err := Mint(plain{}, s); !fault.Is(err, fault.PackedPolicyTooLarge) || c != (Credentials{}) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A session of the version before opens, without what it could not have.
func TestOpensTheVersionBefore(t *testing.T) {
	const before = "\x01\x03\x80\xc8\xce\xb4\x0d\xa0\x80\xcf\xb4\x0d" +
		"\x14ASIAY34FZKBOKMUTVV7A\x0c609629065308\x01R\x03/p/\x05AROA1\x1aCognitoIdentityCredentials" +
		"\x01s\x1ecognito-identity.amazonaws.com\x0bus-east-1:p\x0bus-east-1:i" +
		"\x02\x02{}\x00\x01\x01k\x02\x0dauthenticated\x03é\x00\x02\x01k\x01v\x00\x00"
	want := full()
	want.SAML, want.PolicyARNs, want.Origin, want.Lineage = SAML{}, nil, want.Issued, nil
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

// noise is a text that hardly deflates.
func noise(n int) string {
	var b strings.Builder
	for sum := sha256.Sum256(nil); b.Len() < n; sum = sha256.Sum256(sum[:]) {
		b.WriteString(base64.StdEncoding.EncodeToString(sum[:]))
	}
	return b.String()[:n]
}

func mustEncode(t testing.TB, s *Session) []byte {
	t.Helper()
	b, err := encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Each kind of session has its own names (spec sts-iam §1.5).
func TestKinds(t *testing.T) {
	for _, tc := range []struct {
		session *Session
		userID  string
		arn     string
	}{
		{&Session{Kind: OfUser, Account: "609629065308", User: User{"ann", "AIDA1", "AKIA1"}}, "AIDA1", ""},
		{&Session{Kind: FederatedUser, Account: "609629065308", Name: "bob", User: User{"ann", "AIDA1", "AKIA1"}}, "609629065308:bob", "arn:aws:sts::609629065308:federated-user/bob"},
		{&Session{Account: "609629065308", Name: "s", RoleName: "R", RoleID: "AROA1"}, "AROA1:s", "arn:aws:sts::609629065308:assumed-role/R/s"},
	} {
		s := tc.session
		s.Issued, s.Expires = now, now.Add(time.Hour)
		got, err := decode(mustEncode(t, s))
		if d := cmp.Diff(got, s); d != "" || err != nil {
			t.Errorf("read back: %v %s", err, d)
		}
		if s.UserID() != tc.userID || tc.arn != "" && s.ARN() != tc.arn {
			t.Errorf("got %s, %s; want %s, %s", s.UserID(), s.ARN(), tc.userID, tc.arn)
		}
	}
}

// PackedPolicySize is the share of a bounded space; beyond it nothing is minted (spec sts-iam §1.7).
func TestPackedPolicySize(t *testing.T) {
	const policies, tags, both = "session policies", "session tags", "session policies and tags"
	for name, tc := range map[string]struct {
		session  Session
		at, most int64
		what     string // of what there is too much
	}{
		"nothing":           {Session{}, 0, 0, ""},
		"an empty set":      {Session{HasPolicies: true}, 1, 1, ""},
		"a tag":             {Session{Tags: []Tag{{"k", "v"}}}, 1, 1, ""},
		"the longest plain": {Session{HasPolicies: true, Policies: []string{noise(500)}}, 20, 30, ""},
		"2048 letters":      {Session{HasPolicies: true, Policies: []string{strings.Repeat("ab", 1024)}}, 1, 5, ""},
		"much policy":       {Session{HasPolicies: true, Policies: []string{strings.Repeat("x", 20_000)}}, 0, 0, policies},
		"many tags":         {Session{Tags: []Tag{{"k", strings.Repeat("x", 20_000)}}}, 0, 0, tags},
		"both":              {Session{HasPolicies: true, Tags: []Tag{{"k", strings.Repeat("x", 20_000)}}}, 0, 0, both},
	} {
		got, err := tc.session.PackedPolicySize()
		if tc.what == "" && (err != nil || got < tc.at || got > tc.most) {
			t.Errorf("%s: got %d, %v; want from %d to %d", name, got, err, tc.at, tc.most)
		}
		if tc.what == "" {
			continue
		}
		want := "Packed size of " + tc.what + " consumes 123% of allotted space."
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.PackedPolicyTooLarge || f.Message != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		if c, err := Mint(plain{}, &tc.session); !fault.Is(err, fault.PackedPolicyTooLarge) || c != (Credentials{}) {
			t.Errorf("%s: minted %v, %v", name, c.AccessKeyID, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(mustEncode(f, full()))
	long := full()
	long.Policies = []string{strings.Repeat("ab", 1000)}
	f.Add(mustEncode(f, long))
	f.Add([]byte{formatVersion, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decode(b)
		if err != nil {
			return
		}
		written, err := encode(s)
		if fault.Is(err, fault.PackedPolicyTooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(written)
		if err != nil || !cmp.Equal(s, again) {
			t.Errorf("decode(encode(x)) differs: %v", err)
		}
	})
}
