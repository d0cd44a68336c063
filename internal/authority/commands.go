package authority

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"idpool/internal/issuer"
	"idpool/internal/keyring"
	"idpool/internal/sts"
)

// nobody is the identity of a trial: no pool has it.
const nobody = ":00000000-0000-0000-0000-000000000000"

// Try asks for credentials of a role for an identity that nobody has, and throws them away. Nil means that the authority
// knows our issuer, takes the audience and trusts; else the error says what it said.
func (s *Service) Try(ctx context.Context, keys keyring.Keys, a *Authority, roleARN, poolID string) error {
	r := &Request{RoleARN: roleARN, Claims: &issuer.Claims{
		IdentityID: poolID[:max(0, strings.IndexByte(poolID, ':'))] + nobody, PoolID: poolID, AMR: []string{"authenticated"},
	}}
	now := s.now()
	token, err := a.token(keys, s.random, r.Claims, now)
	if err != nil {
		return err
	}
	policy, err := a.sessionPolicy(r)
	if err != nil {
		return fmt.Errorf("the session policy, for an identity without tags: %w", err)
	}
	answer, err := s.client.Ask(ctx, a, a.form(r, token, policy))
	if err != nil {
		err = a.quoted(err, token, r)
	} else {
		err = a.judge(answer, roleARN, sts.SessionName, s.now())
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return errors.New(f.words())
	}
	return err
}

// audience is the audience of its tokens for a pool.
func (a *Authority) audience(poolID string) string {
	if a.Audience != "" {
		return a.Audience
	}
	return poolID
}

// WriteCommands writes what makes our issuer and a role known to the authority, for those who administer it.
func (a *Authority) WriteCommands(w io.Writer, roleARN, poolID string) error {
	var text string
	switch a.Dialect.Kind {
	case "seaweedfs":
		text = a.seaweedfs(roleARN, poolID)
	case "minio":
		text = a.minio(poolID)
	default:
		text = a.iam(roleARN, poolID)
	}
	_, err := io.WriteString(w, text)
	return err
}

// iam are the commands for an authority that has IAM's operations. Documents hold no spaces: Ceph 16.2 takes no other.
func (a *Authority) iam(roleARN, poolID string) string {
	where, thumbprint := "", ""
	if a.Dialect.Kind != "aws" {
		where = " --endpoint-url " + quote(a.Endpoint)
		thumbprint = " --thumbprint-list " + strings.Repeat("0", 40) // which has to be there, and is not looked at
	}
	name, path := roleName(roleARN), "/"
	if full := pathName(roleARN); full != name {
		path = "/" + strings.TrimSuffix(full, name)
	}
	return fmt.Sprintf("aws iam create-open-id-connect-provider --region %s%s --url %s --client-id-list %s%s\n"+
		"aws iam create-role --region %s%s --role-name %s --path %s --max-session-duration %d --assume-role-policy-document %s\n",
		a.Region, where, quote(a.Issuer), quote(a.audience(poolID)), thumbprint,
		a.Region, where, quote(name), quote(path), int(max(a.Duration, time.Hour)/time.Second), quote(a.trust(roleARN, poolID)))
}

// trust is a trust policy for everybody who logged in to a pool.
func (a *Authority) trust(roleARN, poolID string) string {
	account, _, _ := strings.Cut(roleARN, roleMark)
	name := strings.TrimPrefix(strings.TrimPrefix(a.Issuer, "https://"), "http://")
	return mustJSON(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Federated": []string{account + ":oidc-provider/" + name}},
		"Action": []string{"sts:AssumeRoleWithWebIdentity", "sts:TagSession"},
		"Condition": map[string]any{
			"StringEquals":           map[string]string{name + ":aud": a.audience(poolID)},
			"ForAnyValue:StringLike": map[string]string{name + ":amr": "authenticated"},
		},
	}}})
}

// seaweedfs are the entries of its file of providers and roles. Its conditions have a prefix of their own.
func (a *Authority) seaweedfs(roleARN, poolID string) string {
	provider := map[string]any{"name": "idpool", "type": "oidc", "enabled": true, "config": map[string]any{
		"issuer": a.Issuer, "clientIds": []string{a.audience(poolID)},
	}}
	role := map[string]any{"roleName": roleName(roleARN), "roleArn": roleARN, "attachedPolicies": []string{"POLICY"}, "trustPolicy": map[string]any{
		"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]string{"Federated": "idpool"}, "Action": []string{"sts:AssumeRoleWithWebIdentity"},
			"Condition": map[string]any{"StringEquals": map[string]string{"oidc:aud": a.audience(poolID)}},
		}},
	}}
	return "In the file of weed s3 -iam.config, with a policy named POLICY:\n  providers: " + mustJSON(provider) + "\n  roles: " + mustJSON(role) + "\n"
}

// minio is the command that makes our issuer known; the role's ARN is what the server prints at its next start.
func (a *Authority) minio(poolID string) string {
	return fmt.Sprintf("mc admin config set ALIAS identity_openid:idpool config_url=%s client_id=%s client_secret=unused role_policy=POLICY\n"+
		"mc admin service restart ALIAS\n", quote(a.Issuer+issuer.DiscoveryPath), quote(a.audience(poolID)))
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings always encode
	}
	return string(text)
}

// quote writes a text for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
