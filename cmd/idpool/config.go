package main

import (
	"fmt"

	"idpool/internal/config"
)

type configCommand struct {
	Check    configCheckCommand    `cmd:"" help:"Check a configuration and the files that it names; every mistake is reported."`
	Defaults configDefaultsCommand `cmd:"" help:"Print all keys with their defaults."`
}

type configCheckCommand struct {
	File string `arg:"" help:"The configuration."`
}

// Run checks a configuration.
func (c *configCheckCommand) Run(env *environment) error {
	if _, err := loadConfig(c.File, env); err != nil {
		return err
	}
	_, err := fmt.Fprintf(env.out, "%s is right\n", c.File)
	return err
}

type configDefaultsCommand struct{}

// Run prints the defaults.
func (configDefaultsCommand) Run(env *environment) error {
	_, err := fmt.Fprint(env.out, config.Defaults())
	return err
}
