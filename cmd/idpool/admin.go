package main

import (
	"context"
	"fmt"
	"time"
)

type adminCommand struct {
	New adminNewCommand `cmd:"" help:"Make another administrator, for the day when the key is lost. The server may be running."`
}

type adminNewCommand struct {
	Config string `required:"" placeholder:"FILE" help:"The configuration of the server."`
	Name   string `default:"" help:"The user's name; default admin- and the date."`
}

// Run makes an administrator. Who can read the key file and write the store needs no other leave.
func (c *adminNewCommand) Run(ctx context.Context, env *environment) error {
	cfg, err := loadConfig(c.Config, env)
	if err != nil {
		return err
	}
	credentials, err := newAdministrator(ctx, cfg, env, orDefault(c.Name, defaultAdministrator()))
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(env.out, credentials)
	return err
}

// defaultAdministrator is a name that no earlier call has taken, to the second.
func defaultAdministrator() string { return "admin-" + time.Now().UTC().Format("20060102T150405Z") }
