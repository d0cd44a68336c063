package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"idpool/internal/authority"
)

// Authority is another authority: an entry of `authorities`.
type Authority struct {
	// Name is that of the entry: a letter, then a-z, 0-9 and -, 32 characters at most.
	Name string
	// Kind is one of authority.Kinds. Required.
	Kind string
	// Endpoint is the URL of its STS, without a last slash; http:// for loopback hosts only. Required.
	Endpoint string
	// Region is its region, for the commands that `idpool authority check` prints. Default: us-east-1.
	Region string
	// Roles are patterns of the ARNs of its roles. Required. No ARN matches two, of this authority or of others, nor is it
	// one of AccountID.
	Roles []authority.Pattern
	// Audience is the `aud` of the tokens that it gets. Default: empty, which means the id of the pool.
	Audience string
	// Algorithm is that of their signatures, RS256 or ES256. Default: RS256.
	Algorithm string
	// Tags says how principal tags are passed. Default: empty, which means as the kind has it.
	Tags authority.TagForm
	// SessionPolicy and GuestSessionPolicy are paths of session policies with variables. Default: none; guests without one
	// of their own have the other, and all are held to the guests' scope-down.
	SessionPolicy      string
	GuestSessionPolicy string
	// Duration is how long credentials are asked for. Default: 1h; 15m to 12h.
	Duration time.Duration
	// Reuse is the part of their life in percent that credentials must still have to be handed out again; 0 is off.
	// Default: off; 10 to 95.
	Reuse int
	// Allow and CAFiles are as those of Fetch, for this authority alone.
	Allow   []netip.Prefix
	CAFiles []string
	// Timeout is how long one call may take. Default: 5s; 100ms to 1m.
	Timeout time.Duration
	// Retries is how often a call that failed is made again. Default: 2; up to 5.
	Retries int
}

// last is the authority whose entry is being read.
func last[T any](at func(*Authority) *T) func(*Config) *T {
	return func(c *Config) *T {
		if len(c.Authorities) == 0 {
			c.Authorities = append(c.Authorities, Authority{})
		}
		return at(&c.Authorities[len(c.Authorities)-1])
	}
}

// authorityKeys are the keys of an entry of authorities.
var authorityKeys = []row{
	{
		key: "kind", example: "ceph", required: true,
		doc:  `What it is: aws, ceph, seaweedfs, minio or generic. Required.`,
		read: one(last(func(a *Authority) *string { return &a.Kind }), parseKind),
	},
	{
		key: "endpoint", example: "https://s3.example.com", required: true,
		doc:  `The URL of its STS. http:// is for loopback hosts only. Required.`,
		read: one(last(func(a *Authority) *string { return &a.Endpoint }), parsePublicURL),
	},
	{
		key: "region", value: "us-east-1",
		doc:  `Its region, for the commands that idpool authority check prints.`,
		read: one(last(func(a *Authority) *string { return &a.Region }), parseRegion),
	},
	{
		key: "roles", example: `["arn:aws:iam:::role/*"]`, required: true,
		doc: `The ARNs of its roles, each whole or with one * at its end: arn:aws:iam::ACCOUNT:role/* (AWS), arn:aws:iam:::role/*
(Ceph), arn:aws:iam::role/* (SeaweedFS), arn:minio:iam:::role/* (MinIO). Required.`,
		read: many(last(func(a *Authority) *[]authority.Pattern { return &a.Roles }), parsePattern),
	},
	{
		key: "audience", example: "idpool",
		doc:  `The audience of the tokens that it gets. Default: the id of the identity pool.`,
		read: one(last(func(a *Authority) *string { return &a.Audience }), parseAudience),
	},
	{
		key: "algorithm", value: "RS256",
		doc:  `How they are signed: RS256 or ES256. Another algorithm means other keys.`,
		read: one(last(func(a *Authority) *string { return &a.Algorithm }), parseSigning),
	},
	{
		key: "tags", example: "nested",
		doc:  `How they carry principal tags: nested (as AWS and Ceph read them), flat (SeaweedFS) or none (MinIO). Default: by kind.`,
		read: one(last(func(a *Authority) *authority.TagForm { return &a.Tags }), parseTags),
	},
	{
		key: "session_policy", example: "storage-policy.json",
		doc: `A file with the session policy that every session is held to. It may hold ${cognito-identity.amazonaws.com:sub},
${cognito-identity.amazonaws.com:aud}, ${idpool:guid} and ${aws:PrincipalTag/KEY}, and is sent with their values. By
default none is sent, and the role alone decides.`,
		read: one(last(func(a *Authority) *string { return &a.SessionPolicy }), parsePath),
	},
	{
		key: "guest_session_policy", example: "storage-guest-policy.json",
		doc:  `The same for guests. Default: session_policy. Whatever stands here, guests are held to what AWS lets guests do.`,
		read: one(last(func(a *Authority) *string { return &a.GuestSessionPolicy }), parsePath),
	},
	{
		key: "duration", value: "1h",
		doc:  `How long credentials are asked for, 15m to 12h.`,
		read: oneOr(durationHint, last(func(a *Authority) *time.Duration { return &a.Duration }), parseSessionLength),
	},
	{
		key: "reuse", value: `"off"`, example: "50%",
		doc: `Whether credentials are handed out again to the same identity while so much of their life is left: a share from 10% to
95%, or "off". Some stores write each session to their disks.`,
		read: one(last(func(a *Authority) *int { return &a.Reuse }), parseShare),
	},
	{
		key: "allow", value: "[]", example: "[10.20.0.0/16]",
		doc:  `Ranges in which it may be reached although they are not public.`,
		read: many(last(func(a *Authority) *[]netip.Prefix { return &a.Allow }), parsePrefix),
	},
	{
		key: "ca_files", value: "[]", example: "[/etc/idpool/storage-ca.pem]",
		doc:  `PEM files with certificate authorities to trust beside the system's.`,
		read: many(last(func(a *Authority) *[]string { return &a.CAFiles }), parsePath),
	},
	{
		key: "timeout", value: "5s",
		doc:  `How long one call may take, 100ms to 1m.`,
		read: duration(last(func(a *Authority) *time.Duration { return &a.Timeout }), time.Minute),
	},
	{
		key: "retries", value: "2",
		doc:  `How often a call that failed is made again, up to 5.`,
		read: whole(last(func(a *Authority) *int { return &a.Retries }), 0, 5),
	},
}

func parseKind(s string) (string, *complaint) {
	if authority.DialectOf(s) == nil {
		return "", &complaint{"not a kind of authority", "write one of " + strings.Join(authority.Kinds(), ", ")}
	}
	return s, nil
}

func parsePattern(s string) (authority.Pattern, *complaint) {
	p, err := authority.ParsePattern(s)
	if err != nil {
		return p, &complaint{err.Error(), "write one such as arn:aws:iam:::role/*"}
	}
	return p, nil
}

// parseAudience reads what all take for an audience.
func parseAudience(s string) (string, *complaint) {
	const most = 255
	if len(s) > most || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return "", &complaint{"not an audience", "write up to 255 printable ASCII characters without spaces, quotes and backslashes"}
	}
	return s, nil
}

func parseSigning(s string) (string, *complaint) {
	if s != "RS256" && s != "ES256" {
		return "", &complaint{"neither RS256 nor ES256", "write one of them"}
	}
	return s, nil
}

func parseTags(s string) (authority.TagForm, *complaint) {
	switch f := authority.TagForm(s); f {
	case authority.Nested, authority.Flat, authority.NoTags:
		return f, nil
	}
	return "", &complaint{"neither nested, flat nor none", "write one of them"}
}

func parseSessionLength(s string) (time.Duration, *complaint) {
	const least, most = 15 * time.Minute, 12 * time.Hour
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, &complaint{"not a duration", durationHint}
	case d < least || d > most || d%time.Second != 0:
		return 0, &complaint{"out of range", "write a duration from 15m to 12h, in whole seconds"}
	}
	return d, nil
}

// parseShare reads a share in percent, or off for 0.
func parseShare(s string) (int, *complaint) {
	if s == "off" {
		return 0, nil
	}
	digits, found := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || !found || n < 10 || n > 95 || strconv.Itoa(n) != digits {
		return 0, &complaint{"not a share", `write one from 10% to 95%, such as 50%, or "off"`}
	}
	return n, nil
}

// compareAuthorities notes roles that could be of two authorities, or that are ours, and an issuer that could be that of
// an authority.
func (p *parser) compareAuthorities() {
	if !p.usable("authorities") {
		return
	}
	c := p.config
	type owned struct {
		key     string
		pattern authority.Pattern
	}
	var seen []owned
	for _, a := range c.Authorities {
		key := "authorities." + a.Name + ".roles"
		for i, one := range a.Roles {
			if p.usable("account_id") && strings.HasPrefix(one.Head(), "arn:aws:iam::"+c.AccountID+":") {
				p.clash(key, fmt.Sprintf("entry %d: roles of account_id, which are ours", i+1), "write those of another account")
			}
			j := slices.IndexFunc(seen, func(o owned) bool { return o.pattern.Overlaps(one) })
			if j >= 0 {
				p.clash(key, fmt.Sprintf("entry %d: a role could match an entry of %s too", i+1, seen[j].key), "write patterns of which one ARN matches one")
			}
			seen = append(seen, owned{key, one})
		}
		if len(a.Roles) == 0 {
			p.clash(key, "names no role", "write a list such as [\"arn:aws:iam:::role/*\"]")
		}
	}
	if p.usable("public_url", "issuer") && strings.HasPrefix(c.Issuer+"/", c.PublicURL+authority.IssuerPath) {
		p.clash("issuer", "below the issuers of authorities", "write another path than /authority")
	}
}
