package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"idpool/internal/arn"
	"idpool/internal/client"
	"idpool/internal/setup"
	"idpool/internal/sigv4"
)

// walk is the main job on its way, through the server's own public door.
type walk struct {
	dev   *dev
	api   *client.Client
	out   io.Writer
	login map[string]string // alice's
	alice *vended
	bob   *vended
}

// transcript does the main job over HTTP and prints each step with what was checked. It fails with the first step that
// does not hold.
func transcript(ctx context.Context, d *dev, env *environment) error {
	w := &walk{dev: d, out: env.out, api: &client.Client{Endpoint: d.url, Region: devRegion, HTTP: &http.Client{Timeout: 30 * time.Second}, Now: time.Now}}
	steps := []struct {
		title string
		run   func(context.Context) (string, error)
	}{
		{"alice's ID token, from the test identity provider", w.mint},
		{"cognito-identity:GetId: the login is verified and becomes an identity", w.getID},
		{"cognito-identity:GetCredentialsForIdentity: a role is chosen, trusts, and credentials are minted", w.getCredentials},
		{"sts:GetCallerIdentity, signed with alice's credentials", w.callerIdentity},
		{"cognito-identity:DescribeIdentity of her own identity", w.describeOwn},
		{"the same of bob's identity is denied", w.describeOther},
		{"cognito-identity:ListIdentities is denied", w.listDenied},
		{"a guest gets credentials of the guests' role", w.guest},
	}
	_, _ = fmt.Fprintf(w.out, "idpool %s on %s, with a test identity provider, the pool %s and two roles.\nThe main job, through its own front door:\n\n",
		programVersion(), d.url, d.seeded.PoolID)
	for i, step := range steps {
		found, err := step.run(ctx)
		if err != nil {
			_, _ = fmt.Fprintf(w.out, "%d. %s\n   DID NOT HOLD: %v\n", i+1, step.title, err)
			return errFailed
		}
		_, _ = fmt.Fprintf(w.out, "%d. %s\n   %s\n", i+1, step.title, strings.ReplaceAll(found, "\n", "\n   "))
	}
	return nil
}

// token has the test identity provider sign an ID token.
func (w *walk) token(ctx context.Context, sub string) (string, error) {
	body, err := json.Marshal(map[string]string{"sub": sub, "aud": setup.DevAudience})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.dev.issuer+"/token", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := w.api.HTTP.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Token string `json:"id_token"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&out); err != nil {
		return "", fmt.Errorf("test identity provider: %w", err)
	}
	if resp.StatusCode != http.StatusOK || out.Token == "" {
		return "", fmt.Errorf("test identity provider: HTTP %d", resp.StatusCode)
	}
	return out.Token, nil
}

func (w *walk) logins(ctx context.Context, sub string) (map[string]string, error) {
	token, err := w.token(ctx, sub)
	return map[string]string{arn.WithoutScheme(w.dev.issuer): token}, err
}

func (w *walk) mint(ctx context.Context) (found string, err error) {
	w.login, err = w.logins(ctx, "alice")
	return "signed by " + w.dev.issuer, err
}

func (w *walk) getID(ctx context.Context) (string, error) {
	id, err := getID(ctx, w.api, w.dev.seeded.PoolID, w.login)
	if err != nil {
		return "", err
	}
	again, err := getID(ctx, w.api, w.dev.seeded.PoolID, w.login)
	if err != nil {
		return "", err
	}
	if id != again {
		return "", fmt.Errorf("one login led to %s and to %s", id, again)
	}
	w.alice = &vended{IdentityId: id}
	return "form, issuer, key, RS256 signature, times and audience hold: she is identity " + id + ", and the same one when she comes again", nil
}

func (w *walk) getCredentials(ctx context.Context) (found string, err error) {
	if w.alice, err = vend(ctx, w.api, "", w.alice.IdentityId, w.login, ""); err != nil {
		return "", err
	}
	c := w.alice.Credentials
	if !strings.HasPrefix(c.AccessKeyId, arn.PrefixSession) || c.SecretKey == "" || c.SessionToken == "" {
		return "", errors.New("the answer holds no temporary credentials")
	}
	return fmt.Sprintf("the trust policy of %s holds on aud and amr: access key %s until %s",
		w.dev.seeded.AuthenticatedRoleARN, c.AccessKeyId, w.alice.expiration().Format(time.RFC3339)), nil
}

func (v *vended) signer() *sigv4.Credentials {
	return &sigv4.Credentials{AccessKeyID: v.Credentials.AccessKeyId, Secret: v.Credentials.SecretKey, Token: v.Credentials.SessionToken}
}

// whoAmI asks STS.
func (w *walk) whoAmI(ctx context.Context, v *vended) (string, error) {
	var out struct {
		ARN     string `xml:"GetCallerIdentityResult>Arn"`
		Account string `xml:"GetCallerIdentityResult>Account"`
	}
	if err := w.api.Query(ctx, "sts", "2011-06-15", "GetCallerIdentity", url.Values{}, v.signer(), &out); err != nil {
		return "", err
	}
	if out.Account != devAccount {
		return "", fmt.Errorf("the account is %q", out.Account)
	}
	return out.ARN, nil
}

func (w *walk) callerIdentity(ctx context.Context) (string, error) {
	got, err := w.whoAmI(ctx, w.alice)
	if err != nil {
		return "", err
	}
	if want := arn.AssumedRole(devAccount, setup.DevAuthenticatedRole, "CognitoIdentityCredentials"); got != want {
		return "", fmt.Errorf("she is %s, and not %s", got, want)
	}
	return "the signature and the sealed session token hold: she is " + got, nil
}

func (w *walk) describeOwn(ctx context.Context) (string, error) {
	var out struct {
		IdentityId string
		Logins     []string
	}
	in := map[string]string{"IdentityId": w.alice.IdentityId}
	if err := w.api.JSON(ctx, "DescribeIdentity", w.alice.signer(), in, &out); err != nil {
		return "", err
	}
	if out.IdentityId != w.alice.IdentityId || len(out.Logins) != 1 {
		return "", fmt.Errorf("the answer describes %s with %d logins", out.IdentityId, len(out.Logins))
	}
	return fmt.Sprintf("allowed by the role's policy: idpool:IdentityId is ${cognito-identity.amazonaws.com:sub}; her login is of %s", out.Logins[0]), nil
}

func (w *walk) describeOther(ctx context.Context) (string, error) {
	logins, err := w.logins(ctx, "bob")
	if err != nil {
		return "", err
	}
	if w.bob, err = vend(ctx, w.api, w.dev.seeded.PoolID, "", logins, ""); err != nil {
		return "", err
	}
	if w.bob.IdentityId == w.alice.IdentityId {
		return "", errors.New("alice and bob are one identity")
	}
	return denied(w.api.JSON(ctx, "DescribeIdentity", w.alice.signer(), map[string]string{"IdentityId": w.bob.IdentityId}, nil))
}

func (w *walk) listDenied(ctx context.Context) (string, error) {
	in := map[string]any{"IdentityPoolId": w.dev.seeded.PoolID, "MaxResults": 10}
	return denied(w.api.JSON(ctx, "ListIdentities", w.alice.signer(), in, nil))
}

// denied holds when policies, and nothing else, refused the call.
func denied(err error) (string, error) {
	f, ok := errors.AsType[*client.Fault](err)
	switch {
	case err == nil:
		return "", errors.New("it was allowed")
	case !ok || f.Code != "AccessDeniedException":
		return "", err
	}
	return f.Code + ": " + f.Message, nil
}

func (w *walk) guest(ctx context.Context) (string, error) {
	v, err := vend(ctx, w.api, w.dev.seeded.PoolID, "", nil, "")
	if err != nil {
		return "", err
	}
	got, err := w.whoAmI(ctx, v)
	if err != nil {
		return "", err
	}
	if want := arn.AssumedRole(devAccount, setup.DevGuestRole, "CognitoIdentityCredentials"); got != want {
		return "", fmt.Errorf("the guest is %s, and not %s", got, want)
	}
	return "no login, and the guests' scope-down on top of the role: he is " + got, nil
}
