package compat

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// redirectURI is where the application would be. Nothing listens there: the last redirect is not followed.
const redirectURI = "http://127.0.0.1:1/callback"

// idp is an OpenID provider that is not ours, as a process.
type idp struct {
	t              *testing.T
	issuer         string
	user, password string
	in             io.Writer
	out            *bufio.Scanner
}

// mustStartIdP starts a provider, which prints its issuer first.
func mustStartIdP(t *testing.T, dir, name string, args ...string) *idp {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		stop := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		_ = cmd.Wait() // or the end of the test's context did
	})
	p := &idp{t: t, user: "alice", password: "password", in: in, out: bufio.NewScanner(out)}
	p.issuer = p.line()
	return p
}

func (p *idp) line() string {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatalf("the provider ended: %v", p.out.Err())
	}
	return p.out.Text()
}

// rotate gives the provider new keys and withdraws the old ones.
func (p *idp) rotate() {
	p.t.Helper()
	if _, err := io.WriteString(p.in, "rotate\n"); err != nil {
		p.t.Fatal(err)
	}
	if got := p.line(); got != "rotated" {
		p.t.Fatalf("got %q, want rotated", got)
	}
}

// mustLogIn goes through the authorization code flow as a browser does, forms included, and returns the ID token.
func (p *idp) mustLogIn(client string) string {
	p.t.Helper()
	var doc struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
	}
	p.mustGetJSON(p.issuer+"/.well-known/openid-configuration", &doc)
	code := p.mustCode(doc.Authorization + "?" + url.Values{
		"client_id": {client}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "nonce": {"n"},
	}.Encode())
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, doc.Token, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client, "secret")
	var out struct {
		Token string `json:"id_token"`
	}
	p.mustDoJSON(r, &out)
	if strings.Count(out.Token, ".") != 2 {
		p.t.Fatal("the token endpoint gave no ID token")
	}
	return out.Token
}

func (p *idp) mustGetJSON(address string, out any) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mustDoJSON(r, out)
}

func (p *idp) mustDoJSON(r *http.Request, out any) {
	p.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: got %d, %v", r.URL.Path, resp.StatusCode, err)
	}
}

var (
	formTag  = regexp.MustCompile(`(?is)<form[^>]*>`)
	inputTag = regexp.MustCompile(`(?is)<input[^>]*>`)
	attr     = regexp.MustCompile(`(?is)([a-z-]+)="([^"]*)"`)
)

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attr.FindAllStringSubmatch(tag, -1) {
		out[strings.ToLower(m[1])] = html.UnescapeString(m[2])
	}
	return out
}

var errArrived = errors.New("arrived")

// mustCode follows the provider's pages, fills in and sends its forms, until it comes back to the application with a code.
func (p *idp) mustCode(start string) string {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	code := ""
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirectURI) {
			code = r.URL.Query().Get("code")
			return errArrived
		}
		return nil
	}}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, start, nil)
	for range 10 {
		if err != nil {
			p.t.Fatal(err)
		}
		resp, err2 := browser.Do(r)
		if errors.Is(err2, errArrived) && code != "" {
			return code
		}
		if err2 != nil {
			p.t.Fatal(err2)
		}
		page, err2 := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err2 != nil || resp.StatusCode != http.StatusOK {
			p.t.Fatalf("%s: got %d %s", resp.Request.URL, resp.StatusCode, page)
		}
		r, err = p.fill(resp.Request.URL, string(page))
	}
	p.t.Fatal("the provider's pages do not come to an end")
	return ""
}

// fill is the request of a page's form with the user's name and password.
func (p *idp) fill(at *url.URL, page string) (*http.Request, error) {
	form := formTag.FindString(page)
	if form == "" {
		return nil, fmt.Errorf("no form on %s: %s", at, page)
	}
	action, err := at.Parse(attributes(form)["action"])
	if err != nil {
		return nil, err
	}
	values := url.Values{}
	for _, tag := range inputTag.FindAllString(page, -1) {
		switch a := attributes(tag); {
		case a["type"] == "password":
			values.Set(a["name"], p.password)
		case a["name"] == "login" || a["name"] == "username":
			values.Set(a["name"], p.user)
		case a["name"] != "":
			values.Set(a["name"], a["value"])
		}
	}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, action.String(), strings.NewReader(values.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r, err
}

// algorithmOf is what the token's header says.
func algorithmOf(t *testing.T, token string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(token[:strings.IndexByte(token, '.')])
	var header struct{ Alg string }
	if err != nil || json.Unmarshal(text, &header) != nil {
		t.Fatalf("the header cannot be read: %v", err)
	}
	return header.Alg
}

// account is a running idpool, as its administrator sees it through the aws CLI.
type account struct {
	t    *testing.T
	vars []string
	env  map[string]string
}

func mustAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, vars: mustStart(t), env: map[string]string{}}
	for _, line := range a.vars {
		name, value, _ := strings.Cut(line, "=")
		a.env[name] = value
	}
	return a
}

// aws runs the aws CLI, signed with what more says or as the administrator, and returns what it wrote and whether it failed.
func (a *account) aws(more []string, args ...string) (string, error) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/aws", append([]string{"--endpoint-url", a.env["AWS_ENDPOINT_URL"], "--region", a.env["AWS_REGION"], "--output", "json"}, args...)...)
	cmd.Env = append(append([]string{"PATH=/usr/bin:/bin", "HOME=" + a.t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "LC_ALL=C.UTF-8"}, a.vars...), more...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (a *account) mustAWS(out any, args ...string) {
	a.t.Helper()
	text, err := a.aws(nil, args...)
	if err != nil {
		a.t.Fatalf("aws %s: %v\n%s", strings.Join(args[:2], " "), err, text)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(text), out); err != nil {
			a.t.Fatalf("aws %s: %v\n%s", strings.Join(args[:2], " "), err, text)
		}
	}
}

// mustPool registers the provider for client ids, and makes a pool of it with a role.
func (a *account) mustPool(p *idp, clients ...string) (poolID string) {
	a.t.Helper()
	var provider struct{ OpenIDConnectProviderArn string }
	a.mustAWS(&provider, append([]string{"iam", "create-open-id-connect-provider", "--url", p.issuer, "--thumbprint-list", strings.Repeat("0", 40), "--client-id-list"}, clients...)...)
	var pool struct{ IdentityPoolId string }
	a.mustAWS(&pool, "cognito-identity", "create-identity-pool", "--identity-pool-name", "app", "--no-allow-unauthenticated-identities",
		"--open-id-connect-provider-arns", provider.OpenIDConnectProviderArn)
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},`+
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":%q},`+
		`"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}}]}`, pool.IdentityPoolId)
	var role struct{ Role struct{ Arn string } }
	a.mustAWS(&role, "iam", "create-role", "--role-name", "member", "--assume-role-policy-document", trust)
	a.mustAWS(nil, "cognito-identity", "set-identity-pool-roles", "--identity-pool-id", pool.IdentityPoolId, "--roles", "authenticated="+role.Role.Arn)
	return pool.IdentityPoolId
}

// logins is the value of --logins, in a file so that no token is an argument.
func (a *account) logins(p *idp, token string) string {
	a.t.Helper()
	text, err := json.Marshal(map[string]string{strings.TrimPrefix(p.issuer, "http://"): token})
	if err != nil {
		a.t.Fatal(err)
	}
	file := filepath.Join(a.t.TempDir(), "logins.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return "file://" + file
}

// mustVend does the main job with the token and returns the identity and who STS says that the credentials are.
func (a *account) mustVend(poolID string, p *idp, token string) (identity, who string) {
	a.t.Helper()
	logins := a.logins(p, token)
	var id struct{ IdentityId string }
	a.mustAWS(&id, "cognito-identity", "get-id", "--identity-pool-id", poolID, "--logins", logins)
	var vended struct {
		Credentials struct{ AccessKeyId, SecretKey, SessionToken string }
	}
	a.mustAWS(&vended, "cognito-identity", "get-credentials-for-identity", "--identity-id", id.IdentityId, "--logins", logins)
	c := vended.Credentials
	text, err := a.aws([]string{"AWS_ACCESS_KEY_ID=" + c.AccessKeyId, "AWS_SECRET_ACCESS_KEY=" + c.SecretKey, "AWS_SESSION_TOKEN=" + c.SessionToken}, "sts", "get-caller-identity")
	var me struct{ Arn string }
	if err != nil || json.Unmarshal([]byte(text), &me) != nil {
		a.t.Fatalf("get-caller-identity: %v\n%s", err, text)
	}
	return id.IdentityId, me.Arn
}

// refused checks that GetId refuses the token because no key of the provider has signed it.
func (a *account) refused(poolID string, p *idp, token string) {
	a.t.Helper()
	text, err := a.aws(nil, "cognito-identity", "get-id", "--identity-pool-id", poolID, "--logins", a.logins(p, token))
	if err == nil || !strings.Contains(text, "(NotAuthorizedException)") || !strings.Contains(text, "Couldn't verify signed token.") {
		a.t.Errorf("a withdrawn key: got %v\n%s\nwant it refused", err, text)
	}
}

// checkIdP is what holds for every provider: its tokens, by each of its clients, lead one user to one identity and to
// credentials; a token of a new key works on its first use, and one of the withdrawn key no longer. clients are the client ids
// with the algorithms of their tokens, before and after the keys are rotated.
func checkIdP(t *testing.T, p *idp, clients map[string][2]string) {
	t.Helper()
	a := mustAccount(t)
	var ids []string
	for id := range clients {
		ids = append(ids, id)
	}
	pool := a.mustPool(p, ids...)
	identities, old := map[string]bool{}, ""
	for client, alg := range clients {
		token := p.mustLogIn(client)
		if got := algorithmOf(t, token); got != alg[0] {
			t.Errorf("%s: got a token signed with %s, want %s", client, got, alg[0])
		}
		id, who := a.mustVend(pool, p, token)
		identities[id], old = true, token
		if !strings.HasSuffix(who, ":assumed-role/member/CognitoIdentityCredentials") {
			t.Errorf("%s: got credentials of %s", client, who)
		}
	}
	p.rotate()
	fresh := p.mustLogIn(ids[0])
	if got, want := algorithmOf(t, fresh), clients[ids[0]][1]; got != want {
		t.Errorf("%s, rotated: got a token signed with %s, want %s", ids[0], got, want)
	}
	id, _ := a.mustVend(pool, p, fresh)
	if identities[id] = true; len(identities) != 1 {
		t.Errorf("got %d identities of one user, want one", len(identities))
	}
	a.refused(pool, p, old)
}

// needAWS skips without the aws CLI.
func needAWS(t *testing.T) {
	t.Helper()
	_, err := os.Stat("/usr/bin/aws")
	need(t, err == nil, "the aws CLI (Debian: awscli)")
}

// needProvider skips without Node and the packages of idp/oidc-provider/package-lock.json.
func needProvider(t *testing.T) (node string) {
	t.Helper()
	node, err := exec.LookPath("node")
	need(t, err == nil, "Node")
	_, err = os.Stat("idp/oidc-provider/node_modules")
	need(t, err == nil, "idp/oidc-provider/node_modules (npm ci in compat/idp/oidc-provider)")
	return node
}

// TestOIDCProviderOfNode: the certified provider of the npm package oidc-provider, with every algorithm that it offers.
func TestOIDCProviderOfNode(t *testing.T) {
	needAWS(t)
	checkIdP(t, mustStartIdP(t, "idp/oidc-provider", needProvider(t), "provider.mjs", redirectURI),
		map[string][2]string{
			"app-RS256": {"RS256", "RS256"}, "app-PS256": {"PS256", "PS256"}, "app-ES256": {"ES256", "ES256"}, "app-EdDSA": {"EdDSA", "EdDSA"},
		})
}

// TestZitadelOIDC: the provider library of zitadel, which is written in Go by others, in a module of its own.
func TestZitadelOIDC(t *testing.T) {
	needAWS(t)
	binary := filepath.Join(t.TempDir(), "zitadel")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir, build.Env = "idp/zitadel", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		need(t, false, "the module of compat/idp/zitadel: "+string(out))
	}
	p := mustStartIdP(t, "", binary, redirectURI)
	p.user, p.password = "test-user@127.0.0.1", "verysecure"
	checkIdP(t, p, map[string][2]string{"app": {"RS256", "ES256"}})
}
