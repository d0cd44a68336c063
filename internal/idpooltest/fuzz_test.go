package idpooltest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"idpool/internal/event"
	"idpool/internal/pool"
)

// target is the server that FuzzRequest speaks to: one for each process, with a pool that takes guests and one that does
// not. Its records are counted and forgotten.
type target struct {
	*Server
	address      string
	open, closed string
	alice        string // an identity with a login
}

// vending counts the requests that were handed something, by what they had for it.
type vending struct {
	mu     sync.Mutex
	guests int
	wrong  []string
}

// Write implements event.Sink: credentials or a token may go to guests of the open pool alone, as a fuzzer has no logins,
// and no secret to sign with.
func (v *vending) Write(r *event.Record, _ bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case r.Outcome == "ok" && r.Caller != "":
		v.wrong = append(v.wrong, "a signed operation went through: "+r.Operation)
	case r.Minted != "" && !strings.HasSuffix(r.Role, "/dev-guest"):
		v.wrong = append(v.wrong, "credentials of "+r.Role)
	case r.Outcome == "ok":
		v.guests++
	}
	return nil
}

func (v *vending) complaint() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return strings.Join(v.wrong, "; ")
}

func startTarget(t testing.TB) (*target, *vending) {
	t.Helper()
	v := &vending{}
	s := Start(t, Options{})
	out := &target{Server: s, open: s.Dev.PoolID, closed: s.mustPool(nil), alice: s.MustGetID("alice")}
	s.mustChangePool(out.closed, func(p *pool.Pool) {
		p.Roles = map[string]string{pool.Unauthenticated: s.Dev.AuthenticatedRoleARN}
	})
	dir := s.Dir
	s.Stop()
	out.Server = Start(t, Options{Dir: dir, IdP: s.IdP, Events: v})
	out.address = out.URL[len("http://"):]
	return out, v
}

// What stands for the names of the target in the fuzzer's inputs, so that these are good from run to run; each has the
// length of what it stands for.
const (
	openPool   = "us-east-1:00000000-0000-4000-8000-00000000000a"
	closedPool = "us-east-1:00000000-0000-4000-8000-00000000000b"
	somebody   = "us-east-1:00000000-0000-4000-8000-00000000000c"
	provider   = "127.0.0.1:00000"
)

func (s *target) fill(request []byte) []byte {
	return []byte(strings.NewReplacer(openPool, s.open, closedPool, s.closed, somebody, s.alice, provider, s.IdP.Key).Replace(string(request)))
}

// fuzzSeeds are whole requests as bytes.
func fuzzSeeds() []string {
	request := func(head, body string) string {
		return head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
	}
	call := func(operation, body string) string {
		return request("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AWSCognitoIdentityService."+operation+"\r\n", body)
	}
	query := func(more, body string) string {
		return request("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"+more, body)
	}
	const auth = "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260301/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\nX-Amz-Date: 20260301T120000Z\r\n"
	return []string{
		call("GetId", `{"IdentityPoolId":"`+openPool+`"}`), call("GetId", `{"IdentityPoolId":"`+closedPool+`"}`), call("GetId", `{"IdentityPoolId":"`+openPool+`","Logins":{"`+provider+`":"a.b.c"}}`),
		call("GetCredentialsForIdentity", `{"IdentityId":"`+somebody+`"}`), call("GetCredentialsForIdentity", `{"IdentityId":"`+somebody+`","Logins":{"cognito-identity.amazonaws.com":"a.b.c"}}`),
		call("GetCredentialsForIdentity", `{"IdentityId":"`+somebody+`","Logins":{"`+provider+`":"`+b64(`{"alg":"none"}`)+"."+b64(`{"iss":"http://`+provider+`"}`)+`.x"},"CustomRoleArn":"arn:aws:iam::111122223333:role/dev-guest"}`),
		call("GetOpenIdToken", `{"IdentityId":"`+somebody+`","Logins":{}}`), call("UnlinkIdentity", `{"IdentityId":"`+somebody+`","Logins":{"`+provider+`":"x"},"LoginsToRemove":["`+provider+`"]}`),
		call("ListIdentityPools", `{"MaxResults":60}`), call("CreateIdentityPool", `{"IdentityPoolName":"p","AllowUnauthenticatedIdentities":true}`),
		call("SetIdentityPoolRoles", `{"IdentityPoolId":"`+openPool+`","Roles":{"authenticated":"x"},"RoleMappings":{"a":{"Type":"Rules"}}}`), call("DeleteIdentities", `{"IdentityIdsToDelete":["`+somebody+`"]}`),
		query("", "Action=GetCallerIdentity&Version=2011-06-15"), query(auth, "Action=GetCallerIdentity&Version=2011-06-15"), query(auth+"X-Amz-Security-Token: AQ\r\n", "Action=ListUsers&Version=2010-05-08"),
		query("", "Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/dev-guest&PrincipalArn=arn:aws:iam::111122223333:saml-provider/corp&SAMLAssertion=PGE%2BPC9hPg%3D%3D"),
		query("", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/dev-guest&RoleSessionName=ab&WebIdentityToken="+b64(`{"alg":"none"}`)+"."+b64(`{"iss":"https://idpool.test"}`)+".x"),
		"GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /.well-known/jwks_uri HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\nRange: bytes=0-0\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: null\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET http://evil.example/ HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", "\x16\x03\x01", "\r\n\r\n",
		call("GetId", `{"IdentityPoolId":"`+openPool+`"}`) + call("GetCredentialsForIdentity", `{"IdentityId":"`+somebody+`"}`),
	}
}

// FuzzRequest sends bytes over a connection: no answer is a fault of ours, whatever comes, and nobody gets in
// (requirement 47).
func FuzzRequest(f *testing.F) {
	for _, seed := range fuzzSeeds() {
		f.Add([]byte(seed))
	}
	target, vended := startTarget(f)
	f.Fuzz(func(t *testing.T, request []byte) {
		request = target.fill(request)
		for i, a := range target.exchange(t, request) {
			if a.status >= 500 && a.status != http.StatusHTTPVersionNotSupported {
				t.Errorf("answer %d is %d %s", i, a.status, a.body)
			}
			if strings.Contains(a.body, "SessionToken") && strings.Contains(a.body, target.alice) {
				t.Errorf("answer %d is credentials for alice: %s", i, a.body)
			}
		}
		if complaint := vended.complaint(); complaint != "" {
			t.Fatal(complaint)
		}
	})
}

// exchange writes bytes on a connection of their own and reads an answer for each whole request, and what else comes.
func (s *target) exchange(t *testing.T, sent []byte) []*answer {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(context.Background(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write(sent) // the server may have ended the connection, which is an answer too
	requests := wholeRequests(sent)
	var out []*answer
	for r := bufio.NewReader(conn); ; {
		var of *http.Request
		if len(out) < len(requests) {
			of = requests[len(out)]
		} else {
			_ = conn.(*net.TCPConn).CloseWrite() // not before: to the server, it would be a client that has gone
		}
		resp, err := http.ReadResponse(r, of)
		if err != nil {
			if os.IsTimeout(err) {
				t.Errorf("no answer and no end in 10 s")
			}
			return out
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return out
		}
		if resp.StatusCode != http.StatusContinue {
			out = append(out, &answer{resp.StatusCode, resp.Header, string(body)})
		}
	}
}

// wholeRequests are the requests that the bytes begin with, as a lenient reader finds them.
func wholeRequests(sent []byte) []*http.Request {
	var out []*http.Request
	for r := bufio.NewReader(bytes.NewReader(sent)); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return out
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return out
		}
		out = append(out, request)
	}
}

// TestFuzzTarget: the seeds reach what they are for, and the fuzzer would see what must not be.
func TestFuzzTarget(t *testing.T) {
	t.Parallel()
	target, vended := startTarget(t)
	got := map[int]int{}
	for _, seed := range fuzzSeeds() {
		for _, a := range target.exchange(t, target.fill([]byte(seed))) {
			got[a.status]++
			if a.status < 200 || a.status >= 500 && a.status != 505 {
				t.Errorf("%q: got %d %s", seed, a.status, a.body)
			}
		}
	}
	if got[200] < 5 || got[400] < 10 || got[403] < 2 || got[411] < 1 || vended.guests < 1 || vended.complaint() != "" {
		t.Errorf("got the statuses %v, %d guests, %q: the seeds do not reach far", got, vended.guests, vended.complaint())
	}
	var out struct{ IdentityId string }
	if err := json.Unmarshal([]byte(target.call("ListIdentityPools", target.Admin(), object{"MaxResults": 1}).body), &out); err != nil || vended.complaint() == "" {
		t.Errorf("a signed operation went through unseen: %v", err)
	}
	clearVending := &vending{}
	_ = clearVending.Write(&event.Record{Outcome: "ok", Minted: "ASIA", Role: "arn:aws:iam::111122223333:role/dev-authenticated"}, false)
	if clearVending.complaint() == "" {
		t.Error("credentials of a role for authenticated identities went through unseen")
	}
}
