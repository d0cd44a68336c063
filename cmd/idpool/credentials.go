package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"idpool/internal/arn"
	"idpool/internal/client"
)

type credentialsCommand struct {
	Endpoint      string            `required:"" placeholder:"URL" help:"The server, such as https://id.example.com."`
	Pool          string            `xor:"who" required:"" placeholder:"ID" help:"The identity pool; its GetId finds or makes the identity."`
	Identity      string            `xor:"who" required:"" placeholder:"ID" help:"The identity, where its id is known."`
	Login         map[string]string `mapsep:"none" placeholder:"KEY=TOKEN" help:"A login: the provider's key and a token, or @FILE with one. May be repeated; none is a guest."`
	CustomRoleArn string            `name:"custom-role-arn" placeholder:"ARN" help:"The role to take, where a token or rule offers several."`
	Format        string            `enum:"json,env,process" default:"json" help:"json, env (lines for a shell), or process (for credential_process in an AWS profile)."`
}

// vended is an answer of GetCredentialsForIdentity.
type vended struct {
	IdentityId  string
	Credentials struct {
		AccessKeyId  string
		SecretKey    string
		SessionToken string
		Expiration   float64 // epoch seconds
	}
}

func (v *vended) expiration() time.Time {
	return time.UnixMilli(int64(v.Credentials.Expiration * 1000)).UTC()
}

// Run gets credentials and prints them.
func (c *credentialsCommand) Run(ctx context.Context, env *environment) error {
	logins, err := readLogins(c.Login)
	if err != nil {
		return err
	}
	api := &client.Client{Endpoint: c.Endpoint, Region: arn.Region(c.Pool + c.Identity), HTTP: &http.Client{Timeout: 30 * time.Second}, Now: time.Now}
	v, err := vend(ctx, api, c.Pool, c.Identity, logins, c.CustomRoleArn)
	if err != nil {
		return err
	}
	return v.print(env, c.Format)
}

// vend does the main job as an SDK does it: GetId where only the pool is known, then GetCredentialsForIdentity.
func vend(ctx context.Context, api *client.Client, poolID, identityID string, logins map[string]string, customRole string) (*vended, error) {
	if identityID == "" {
		var err error
		if identityID, err = getID(ctx, api, poolID, logins); err != nil {
			return nil, err
		}
	}
	in := map[string]any{"IdentityId": identityID, "Logins": logins}
	if customRole != "" {
		in["CustomRoleArn"] = customRole
	}
	out := &vended{}
	if err := api.JSON(ctx, "GetCredentialsForIdentity", nil, in, out); err != nil {
		return nil, fmt.Errorf("GetCredentialsForIdentity: %w", err)
	}
	return out, nil
}

func getID(ctx context.Context, api *client.Client, poolID string, logins map[string]string) (string, error) {
	var out struct{ IdentityId string }
	in := map[string]any{"IdentityPoolId": poolID, "Logins": logins}
	if err := api.JSON(ctx, "GetId", nil, in, &out); err != nil {
		return "", fmt.Errorf("GetId: %w", err)
	}
	return out.IdentityId, nil
}

// readLogins replaces @FILE by what the file holds, without the line end that editors add.
func readLogins(given map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for key, value := range given {
		path, isFile := strings.CutPrefix(value, "@")
		if isFile {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("login %s: %w", key, err)
			}
			value = strings.TrimRight(string(text), "\r\n")
		}
		out[key] = value
	}
	return out, nil
}

func (v *vended) print(env *environment, format string) error {
	c := &v.Credentials
	switch format {
	case "env":
		_, err := fmt.Fprintf(env.out, "AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\nAWS_SESSION_TOKEN=%s\n", c.AccessKeyId, c.SecretKey, c.SessionToken)
		return err
	case "process": // spec sts-iam §7.3
		return writeJSON(env, struct {
			Version                                                int
			AccessKeyId, SecretAccessKey, SessionToken, Expiration string
		}{1, c.AccessKeyId, c.SecretKey, c.SessionToken, v.expiration().Format(time.RFC3339)})
	default:
		return writeJSON(env, struct {
			IdentityId                                             string
			AccessKeyId, SecretAccessKey, SessionToken, Expiration string
		}{v.IdentityId, c.AccessKeyId, c.SecretKey, c.SessionToken, v.expiration().Format(time.RFC3339)})
	}
}

func writeJSON(env *environment, v any) error {
	e := json.NewEncoder(env.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
