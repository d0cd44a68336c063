// Command bench measures what idpool costs, beside a floor: a bare net/http program that does only the work that no server
// could leave out. See README.md for what each row is, and docs/performance.md for what was found.
//
// It starts the programs, sends each its requests in turn, round after round, and reads their CPU time from the kernel.
// Ratios within one round are what counts: they hold on a machine that does other things too.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Run    runCommand    `cmd:"" help:"Measure, and print a table."`
	Floor  floorCommand  `cmd:"" help:"Be the floor program."`
	Attack attackCommand `cmd:"" help:"Be those who send what must be refused."`
	Read   readCommand   `cmd:"" help:"Read the figures that a run wrote, and see that nothing is missing."`
	Serve  serveCommand  `cmd:"" help:"Be idpool, and write a CPU profile at the end."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	parsed := kong.Parse(&c, kong.Name("bench"), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Vars{"stores": filepath.Join(os.TempDir(), "idpool-bench")})
	if err := parsed.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
