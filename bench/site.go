package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// site returns the servers of a place, which it starts if need be.
func (r *rig) site(ctx context.Context, at place) (*site, error) {
	if at.engine == "" {
		return nil, nil // a row of the floor program itself
	}
	if s := r.sites[at]; s != nil {
		return s, nil
	}
	w, err := r.world(ctx, at)
	if err != nil {
		return nil, err
	}
	s := &site{place: at, rig: r, world: w, tokens: map[string]*supply{}}
	r.sites[at] = s
	more := settings{}
	if at.uncached {
		more["cache.identities"] = "0"
	}
	for node := range max(at.nodes, 1) {
		p, err := r.serve(w, fmt.Sprintf("%d%v%d", at.nodes, at.uncached, node), more)
		if err != nil {
			return nil, err
		}
		s.nodes = append(s.nodes, p)
	}
	return s, nil
}

// serve starts idpool; the first one is profiled where that is asked for.
func (r *rig) serve(w *world, name string, more settings) (*process, error) {
	program, profile := r.command.Idpool, ""
	if r.command.Profile != "" && len(r.sites) == 1 {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		program, profile = self, r.command.Profile
	}
	return w.serve(program, profile, name, r.provider, more, r.output)
}

// world returns the store of a place, which all places of its engine and size share.
func (r *rig) world(ctx context.Context, at place) (*world, error) {
	id := place{engine: at.engine, identities: at.identities}
	if w := r.worlds[id]; w != nil {
		return w, nil
	}
	n := at.identities
	if r.command.Smoke {
		n = min(n, small)
	}
	name := fmt.Sprintf("%s_%d", at.engine, at.identities)
	url := ""
	if at.engine == "postgres" {
		var err error
		if url, err = r.database(ctx, name); err != nil {
			return nil, err
		}
	}
	w, err := openWorld(ctx, filepath.Join(r.command.Stores, name), url, n, r.provider)
	r.worlds[id] = w
	return w, err
}

// database is that of a store. It is made anew where the folder beside it, with the key and the note of what is in it, is
// not there.
func (r *rig) database(ctx context.Context, name string) (string, error) {
	_, err := os.Stat(filepath.Join(r.command.Stores, name, "seeded.json"))
	fresh := err != nil
	name = "idpool_bench_" + name
	if r.command.Smoke {
		name = fmt.Sprintf("%s_%d", name, os.Getpid())
		r.passing = append(r.passing, name)
	}
	return database(ctx, r.command.Postgres, name, fresh)
}
