package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/pprof"
	"time"

	"idpool/internal/config"
	"idpool/internal/heap"
	"idpool/internal/server"
)

// serveCommand is `idpool serve` with a profile: the program itself has no such thing.
type serveCommand struct {
	Config  string `required:"" help:"The configuration."`
	Profile string `required:"" help:"Where the CPU profile goes; that of allocations goes beside it, with .allocs at the end."`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context) (err error) {
	cfg, err := config.Load(c.Config, os.LookupEnv)
	if err != nil {
		return err
	}
	heap.Keep()
	s, err := server.Open(ctx, server.Options{Config: cfg, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	f, err := os.Create(c.Profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := s.Listen(); err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	err = s.Serve(ctx)
	pprof.StopCPUProfile()
	return errors.Join(err, writeAllocations(c.Profile+".allocs"))
}

func writeAllocations(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
