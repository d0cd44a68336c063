package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

type providerCommand struct {
	Test providerTestCommand `cmd:"" help:"Say whether a login's token would be accepted, by which provider and pools, or which check refuses it."`
}

type providerTestCommand struct {
	operator
	Pool     string `placeholder:"ID" help:"The pool that the login is for; default all."`
	Provider string `placeholder:"KEY" help:"The provider: its key in a Logins map, or its ARN. Default: by the issuer that an ID token names; others need it."`
	File     string `arg:"" optional:"" help:"A file with the token; without, or as -, standard input. A token itself is not taken as an argument: others would see it."`
}

// maxTokenFile is more than the longest token that a server looks at, in bytes.
const maxTokenFile = 64 << 10

// tested is an answer of TestProvider.
type tested struct {
	Accepted                                    bool
	ProviderName, ProviderArn, Issuer, Audience string
	ClientIds                                   []string
	Pools                                       []struct{ IdentityPoolId, IdentityPoolName string }
	Refusal                                     struct{ Reason, Claim, Expected, Found, Message string }
}

// Run asks the server, and fails where the token is refused.
func (c *providerTestCommand) Run(ctx context.Context, env *environment) error {
	token, err := c.token(env)
	if err != nil {
		return err
	}
	in := map[string]any{"Token": token}
	if c.Pool != "" {
		in["IdentityPoolId"] = c.Pool
	}
	if c.Provider != "" {
		in["ProviderName"] = c.Provider
	}
	var out tested
	if err := c.call(ctx, env, "TestProvider", in, &out); err != nil {
		return err
	}
	if _, err := io.WriteString(env.out, out.text()); err != nil {
		return err
	}
	if !out.Accepted {
		return errFailed
	}
	return nil
}

// token reads the token, without the line end that editors add. Errors do not repeat the argument: it may be a token.
func (c *providerTestCommand) token(env *environment) (string, error) {
	from := env.in
	if c.File != "" && c.File != "-" {
		f, err := os.Open(c.File)
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			return "", fmt.Errorf("the file with the token cannot be opened: %w", e.Err)
		}
		if err != nil {
			return "", errors.New("the file with the token cannot be opened")
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxTokenFile+1))
	switch token := strings.TrimRight(string(text), "\r\n"); {
	case err != nil:
		return "", errors.New("the token cannot be read")
	case token == "":
		return "", errors.New("there is no token: give a file, or the token on standard input")
	case len(text) > maxTokenFile:
		return "", fmt.Errorf("the token is longer than %d bytes", maxTokenFile)
	default:
		return token, nil
	}
}

// text is the answer for a person, one thing a line.
func (t *tested) text() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	if t.Accepted {
		b.WriteString("Accepted: every check passed.\n")
	} else {
		r := &t.Refusal
		reason := cmp.Or(r.Reason, "before any check")
		if r.Claim != "" {
			reason += " (" + r.Claim + ")"
		}
		line("Refused", reason)
		line("Expected", r.Expected)
		line("Found", r.Found)
		line("Clients are told", r.Message)
	}
	line("Provider", t.ProviderName)
	line("Provider ARN", t.ProviderArn)
	line("Issuer", t.Issuer)
	line("Client ids", strings.Join(t.ClientIds, ", "))
	line("Client id of the token", t.Audience)
	for _, p := range t.Pools {
		line("Pool", p.IdentityPoolId+" "+p.IdentityPoolName)
	}
	return b.String()
}
