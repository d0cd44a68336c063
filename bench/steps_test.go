package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idpool/internal/heap"
	"idpool/internal/keyring"
	"idpool/internal/keyring/filekeys"
	"idpool/internal/policy"
	"idpool/internal/session"
	"idpool/internal/sigv4"
)

// against runs a step and reports what it costs in SHA-256s of 1 KiB, which were measured right before and after it: so the
// figure holds on another machine, and on a busy one.
func against(b *testing.B, step func()) {
	b.Helper()
	before := sha()
	b.ReportAllocs()
	began := ownCPU() // others may use the machine meanwhile
	for b.Loop() {
		step()
	}
	cost := float64((ownCPU() - began).Nanoseconds()) / float64(b.N)
	b.ReportMetric(cost, "cpu-ns/op")
	b.ReportMetric(cost/((before+sha())/2), "sha256/op")
}

// sha is the CPU time of one SHA-256 of 1 KiB in nanoseconds: the median of a few rounds.
func sha() float64 {
	const times = 2000
	var all []float64
	block := make([]byte, 1024)
	for range 21 {
		began := ownCPU()
		for range times {
			sum := sha256.Sum256(block)
			block[0] = sum[0]
		}
		all = append(all, float64((ownCPU()-began).Nanoseconds())/times)
	}
	return median(all)
}

// TestMain has the steps run with the heap that the server has.
func TestMain(m *testing.M) {
	heap.Keep()
	os.Exit(m.Run())
}

// BenchmarkDecision is a decision of ten statements with two variables.
func BenchmarkDecision(b *testing.B) {
	var statements []string
	for n := range 9 {
		statements = append(statements, fmt.Sprintf(`{"Effect":"Allow","Action":["s3:GetObject","svc%d:*"],"Resource":"arn:aws:s3:::b/%d/*"}`, n, n))
	}
	statements = append(statements, `{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/${aws:userid}/*",`+
		`"Condition":{"StringLike":{"aws:PrincipalTag/team":"${aws:PrincipalTag/unit}*"}}}`)
	document, err := policy.Parse(policy.KindIdentity, []byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`))
	if err != nil {
		b.Fatal(err)
	}
	keys := &policy.Context{}
	for key, value := range map[string]string{"aws:userid": "AROAX:s", "aws:PrincipalTag/team": "red-1", "aws:PrincipalTag/unit": "red", "aws:SourceIp": "192.0.2.7"} {
		keys.Set(key, value)
	}
	policies := policy.Policies{Identity: []policy.Named{{Name: "p", Document: document}}}
	request := &policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/AROAX:s/a.jpg", Principal: policy.Principal{Account: accountID}, Context: keys}
	against(b, func() {
		if !policies.Decide(request).Allowed {
			b.Fatal("refused")
		}
	})
}

func mustKeys(b *testing.B) keyring.Keys {
	b.Helper()
	file := filepath.Join(b.TempDir(), "key")
	if err := filekeys.Create(file); err != nil {
		b.Fatal(err)
	}
	holder, err := filekeys.Open(file, "https://id.example.com")
	if err != nil {
		b.Fatal(err)
	}
	var rings []keyring.Ring
	for _, use := range []string{keyring.Sealing, keyring.Signing} {
		ring, err := holder.NewRing(use, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		rings = append(rings, ring)
	}
	keys, err := holder.Open(rings)
	if err != nil {
		b.Fatal(err)
	}
	return keys
}

func vendedSession() *session.Session {
	now := time.Now().Truncate(time.Second)
	return &session.Session{
		AccessKeyID: "ASIARTX3GSDS6KRBBCA2", Account: accountID, RoleName: "dev-authenticated", RolePath: "/", RoleID: "AROAAAAAAAAAAAAAAAAAA",
		Name: "CognitoIdentityCredentials", Issued: now, Expires: now.Add(time.Hour), Federated: "cognito-identity.amazonaws.com",
		PoolID: identityID(1), IdentityID: identityID(2),
		AMR: []string{"authenticated", "login.example.com", "arn:aws:iam::111122223333:oidc-provider/login.example.com:OIDC:110169484474386276334"},
	}
}

func BenchmarkSealSession(b *testing.B) {
	keys, s := mustKeys(b), vendedSession()
	against(b, func() {
		if _, err := session.Mint(keys, s); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkOpenSession(b *testing.B) {
	keys, s := mustKeys(b), vendedSession()
	c, err := session.Mint(keys, s)
	if err != nil {
		b.Fatal(err)
	}
	against(b, func() {
		if _, _, err := session.Open(keys, c.SessionToken, c.AccessKeyID, s.Issued); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkVerifySigned verifies a request of 700 bytes, signed by a session.
func BenchmarkVerifySigned(b *testing.B) {
	body := []byte(strings.Repeat("x", 700))
	r := &sigv4.Request{
		Method: "POST", Path: "/", Host: "id.example.com", Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSCognitoIdentityService.ListIdentities"}},
		ContentLength: int64(len(body)), Body: body,
	}
	c := sigv4.Credentials{AccessKeyID: "ASIARTX3GSDS6KRBBCA2", Secret: strings.Repeat("s", 40), Token: strings.Repeat("t", 600)}
	now := time.Now()
	if err := sigv4.Sign(r, c, region, "cognito-identity", now); err != nil {
		b.Fatal(err)
	}
	v := &sigv4.Verifier{Region: region, Services: []string{"cognito-identity"}}
	against(b, func() {
		s, err := sigv4.Parse(r)
		if err == nil {
			err = v.Verify(r, s, c.Secret, now)
		}
		if err != nil {
			b.Fatal(err)
		}
	})
}
