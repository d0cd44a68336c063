package main

import (
	"context"
	"fmt"
	"time"
)

type revokeCommand struct {
	operator
	Identity  string    `xor:"what" required:"" placeholder:"ID" help:"The sessions of an identity."`
	AccessKey string    `xor:"what" required:"" placeholder:"ID" help:"The session with this access key, or those made with it."`
	Role      string    `xor:"what" required:"" placeholder:"ARN" help:"The sessions of a role."`
	Pool      string    `xor:"what" required:"" placeholder:"ID" help:"The sessions of all identities of a pool."`
	Provider  string    `xor:"what" required:"" placeholder:"KEY" help:"The sessions that came from a login of a provider: its key in a Logins map, or its ARN."`
	Before    time.Time `placeholder:"TIME" help:"The last second that is revoked, such as 2026-03-01T12:00:00Z; default now."`
}

// Run revokes and says what is in force.
func (c *revokeCommand) Run(ctx context.Context, env *environment) error {
	in := map[string]any{}
	var what string
	for _, m := range []struct{ member, name, value string }{
		{"IdentityId", "identity", c.Identity}, {"AccessKeyId", "access key", c.AccessKey}, {"RoleArn", "role", c.Role},
		{"IdentityPoolId", "pool", c.Pool}, {"ProviderName", "provider", c.Provider},
	} {
		if m.value != "" {
			in[m.member], what = m.value, m.name+" "+m.value
		}
	}
	if !c.Before.IsZero() {
		in["Before"] = c.Before.Unix()
	}
	var out struct {
		Before moment
		Known  bool
	}
	if err := c.call(ctx, env, "RevokeSessions", in, &out); err != nil {
		return err
	}
	if !out.Known {
		_, _ = fmt.Fprintf(env.err, "idpool: there is no %s now; if there was one, its sessions are revoked\n", what)
	}
	_, err := fmt.Fprintf(env.out, "Revoked: %s, sessions and tokens issued until %s. Every node refuses them within 5 seconds.\n", what, out.Before)
	return err
}
