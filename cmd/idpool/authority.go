package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"idpool/internal/authority"
	"idpool/internal/config"
	"idpool/internal/event"
	"idpool/internal/fetch"
	"idpool/internal/issuer"
	"idpool/internal/keyring"
	"idpool/internal/server"
)

type authorityCommand struct {
	Check authorityCheckCommand `cmd:"" help:"Try another authority without handing anything out, and print what makes idpool known to it."`
}

type authorityCheckCommand struct {
	Name   string `arg:"" help:"The authority, as the configuration names it."`
	Config string `required:"" placeholder:"FILE" help:"The configuration of the server, which should be running."`
	Pool   string `placeholder:"ID" help:"The identity pool: the audience, unless the authority has one of its own."`
	Role   string `placeholder:"ARN" help:"The role to try; default the first that the configuration names whole."`
}

// noEvents keeps no records: a trial answers nobody.
type noEvents struct{}

// Write implements event.Sink.
func (noEvents) Write(*event.Record, bool) error { return nil }

// Run makes each check and says what it found. It fails when one of them does.
func (c *authorityCheckCommand) Run(ctx context.Context, env *environment) (err error) {
	cfg, err := loadConfig(c.Config, env)
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, server.Options{Config: cfg, Log: newLog(env.err), Now: time.Now, Events: noEvents{}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a := named(s.Authorities(), c.Name)
	if a == nil {
		return fmt.Errorf("the configuration has no authority %s", c.Name)
	}
	role, err := c.role(a)
	if err != nil {
		return err
	}
	current, err := s.Source.Current()
	if err != nil {
		return err
	}
	failed := say(env, "the discovery document and the keys of "+a.Issuer+" can be had, and are these", discovered(ctx, cfg, a, current.Keys))
	failed = say(env, a.Endpoint+" gives credentials of "+role, s.Authorities().Try(ctx, current.Keys, a, role, c.Pool)) || failed
	_, _ = fmt.Fprint(env.out, "\nWhat makes idpool known there:\n")
	if err := a.WriteCommands(env.out, role, c.Pool); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}

func named(s *authority.Service, name string) *authority.Authority {
	for _, a := range s.All() {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// role is the role to try.
func (c *authorityCheckCommand) role(a *authority.Authority) (string, error) {
	role := c.Role
	for _, p := range a.Roles {
		if role == "" && p.Match(p.Head()) && !strings.HasSuffix(p.String(), "*") {
			role = p.Head()
		}
	}
	switch {
	case role == "":
		return "", errors.New("the configuration names no role whole: say which with --role")
	case a.Audience == "" && c.Pool == "":
		return "", errors.New("the audience is the id of the pool: say which with --pool")
	}
	for _, p := range a.Roles {
		if p.Match(role) {
			return role, nil
		}
	}
	return "", fmt.Errorf("%s matches no pattern of the authority", role)
}

// say prints a check and reports whether it failed.
func say(env *environment, what string, err error) bool {
	if err != nil {
		_, _ = fmt.Fprintf(env.out, "FAILED  %s\n        %v\n", what, err)
		return true
	}
	_, _ = fmt.Fprintf(env.out, "ok      %s\n", what)
	return false
}

// discovered gets the documents of our issuer, as the authority does but from here.
func discovered(ctx context.Context, cfg *config.Config, a *authority.Authority, keys keyring.Keys) error {
	f := fetch.New(fetch.Config{Allow: cfg.Fetch.Allow, LoopbackHTTP: strings.HasPrefix(a.Issuer, "http:"), Timeout: cfg.Fetch.Timeout})
	defer f.Close()
	got, err := f.Get(ctx, a.Issuer+issuer.DiscoveryPath)
	if err != nil {
		return err
	}
	var doc struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(got.Body, &doc); err != nil || doc.Issuer != a.Issuer {
		return errors.New("the discovery document is of another issuer")
	}
	set, err := f.Get(ctx, doc.JWKS)
	if err != nil {
		return err
	}
	if signer := keys.Issuer(a.KeyUse); signer == nil || !bytes.Equal(bytes.TrimSpace(set.Body), bytes.TrimSpace(signer.JWKS())) {
		return errors.New("the keys are others: does the server run with this configuration?")
	}
	return nil
}
