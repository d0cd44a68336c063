// Command idpool is a self-hosted implementation of Amazon Cognito identity pools, with the STS and the part of IAM that
// make their credentials real. `idpool dev` tries it, `idpool init` and `idpool serve` run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], &environment{os.Stdin, os.Stdout, os.Stderr, os.LookupEnv})
	stop()
	os.Exit(code)
}

// environment is what a subcommand has of the process.
type environment struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	lookup func(string) (string, bool)
}

// commands are the subcommands and their flags: public surface that scripts rely on.
type commands struct {
	Dev         devCommand         `cmd:"" help:"Start a server with a test identity provider and a pool, do the main job through it, and stay up."`
	Serve       serveCommand       `cmd:"" help:"Run a server."`
	Init        initCommand        `cmd:"" help:"Write a configuration, a key file and the first administrator."`
	Admin       adminCommand       `cmd:"" help:"Manage administrators with file access alone."`
	Config      configCommand      `cmd:"" help:"Check a configuration, or print the defaults."`
	Authority   authorityCommand   `cmd:"" help:"Check other authorities, whose roles pools give."`
	Credentials credentialsCommand `cmd:"" help:"Get credentials for an identity: the main job from a shell."`
	Keys        keysCommand        `cmd:"" help:"List and rotate the keys of a running server, as an operator."`
	Revoke      revokeCommand      `cmd:"" help:"Take sessions back before their end, as an operator of a running server."`
	Provider    providerCommand    `cmd:"" help:"Test identity providers, as an operator of a running server."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// errFailed ends the program with status 1 after everything was said.
var errFailed = errors.New("failed")

// run runs one command line and returns the status to exit with: 0 for success, 1 for failure, 2 for wrong usage.
func run(ctx context.Context, args []string, env *environment) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("idpool"), kong.Description("Amazon Cognito identity pools, self-hosted."),
		kong.Writers(env.out, env.err), kong.Exit(func(code int) { exit = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		_, _ = fmt.Fprintln(env.err, "idpool:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // help was printed
		return exit
	}
	if err != nil {
		_, _ = fmt.Fprintf(env.err, "idpool: %v\nTry idpool --help.\n", err)
		return 2
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(env); err != nil {
		if !errors.Is(err, errFailed) {
			_, _ = fmt.Fprintln(env.err, "idpool:", err)
		}
		return 1
	}
	return 0
}
