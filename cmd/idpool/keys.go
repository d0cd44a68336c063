package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
)

type keysCommand struct {
	List   keysListCommand   `cmd:"" help:"List the keys, with their states."`
	Rotate keysRotateCommand `cmd:"" help:"Begin to use another key; nothing that is in use loses its own."`
	Retire keysRetireCommand `cmd:"" help:"Have a key open and verify nothing more. It happens by itself when nothing that it made can be in use."`
}

// keyLine is a key as the server tells of it.
type keyLine struct {
	Use, KeyId, Algorithm, State string
	Since, Due                   moment
}

// becomes says what happens to the key by itself, and when.
func (k *keyLine) becomes() string {
	switch k.State {
	case "next":
		return "active " + k.Due.String()
	case "verify-only":
		return "retired " + k.Due.String()
	default:
		return "-"
	}
}

func printKeys(w io.Writer, keys ...keyLine) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "USE\tKEY\tALGORITHM\tSTATE\tSINCE\tBECOMES")
	for _, k := range keys {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", k.Use, k.KeyId, k.Algorithm, k.State, k.Since, k.becomes())
	}
	return t.Flush()
}

type keysListCommand struct{ operator }

// Run lists the keys.
func (c *keysListCommand) Run(ctx context.Context, env *environment) error {
	var out struct{ Keys []keyLine }
	if err := c.call(ctx, env, "ListKeys", struct{}{}, &out); err != nil {
		return err
	}
	return printKeys(env.out, out.Keys...)
}

type keysRotateCommand struct {
	operator
	Use string `required:"" help:"Which ring: sealing for sessions, signing for OpenID tokens, or another of the list."`
	Now bool   `help:"Activate the new key at once, for when the old one is in wrong hands. Relying parties that keep our key set refuse new tokens for up to an hour; other nodes refuse new sessions for up to 5 seconds."`
}

// Run begins a rotation.
func (c *keysRotateCommand) Run(ctx context.Context, env *environment) error {
	return changeKey(ctx, env, &c.operator, "RotateKeys", map[string]any{"Use": c.Use, "Now": c.Now})
}

type keysRetireCommand struct {
	operator
	Use   string `required:"" help:"The ring of the key."`
	Key   string `arg:"" help:"The key's id."`
	Force bool   `help:"Although what it made may be in use: sessions that it sealed, or tokens that it signed, end at once."`
}

// Run retires a key.
func (c *keysRetireCommand) Run(ctx context.Context, env *environment) error {
	return changeKey(ctx, env, &c.operator, "RetireKey", map[string]any{"Use": c.Use, "KeyId": c.Key, "Force": c.Force})
}

func changeKey(ctx context.Context, env *environment, o *operator, operation string, in map[string]any) error {
	var out struct{ Key keyLine }
	if err := o.call(ctx, env, operation, in, &out); err != nil {
		return err
	}
	return printKeys(env.out, out.Key)
}
