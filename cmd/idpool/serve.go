package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"idpool/internal/config"
	"idpool/internal/heap"
	"idpool/internal/server"
)

type serveCommand struct {
	Config string `required:"" placeholder:"FILE" help:"The configuration; idpool init writes one."`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context, env *environment) error {
	cfg, err := loadConfig(c.Config, env)
	if err != nil {
		return err
	}
	log := newLog(env.err)
	heap.Keep()
	s, err := server.Open(ctx, server.Options{Config: cfg, Log: log, Now: time.Now})
	if err != nil {
		return err
	}
	url, err := s.Listen()
	if err != nil {
		return closing(s, err)
	}
	log.Info("serving", "url", url, "public_url", cfg.PublicURL, "store", cfg.Store.Redacted(), "version", programVersion())
	return closing(s, s.Serve(ctx))
}

// closing closes what may fail to close, after what happened before.
func closing(c io.Closer, before error) error {
	if err := c.Close(); before == nil {
		return err
	}
	return before
}

// closingOnError closes c only when something happened before.
func closingOnError(c io.Closer, before error) error {
	if before == nil {
		return nil
	}
	return closing(c, before)
}

func newLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// loadConfig reads a configuration and checks the files that it names; all mistakes come at once.
func loadConfig(path string, env *environment) (*config.Config, error) {
	cfg, err := config.Load(path, env.lookup)
	if err != nil {
		return nil, mistakes(err)
	}
	if err := cfg.Check(); err != nil {
		return nil, mistakes(err)
	}
	return cfg, nil
}

func mistakes(err error) error { return fmt.Errorf("the configuration has mistakes:\n%w", err) }
