package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
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
	if at.sealed {
		more["sealed_guests"] = "[" + w.dev.PoolID + "]"
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

// world returns the store of a place, which all places of its engine and size share that have none to themselves.
func (r *rig) world(ctx context.Context, at place) (*world, error) {
	id := place{engine: at.engine, identities: at.identities, own: at.own}
	if w := r.worlds[id]; w != nil {
		return w, nil
	}
	n := at.identities
	if r.command.Smoke {
		n = min(n, small)
	}
	name := fmt.Sprintf("%s_%d", at.engine, at.identities)
	if at.own != "" {
		name += "_" + at.own
	}
	dir, err := filepath.Abs(filepath.Join(r.command.Stores, name))
	if err != nil {
		return nil, err
	}
	if at.identities == small { // what an earlier run added would count as well, and it is filled in no time
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
	}
	url := ""
	if at.engine == "postgres" {
		if url, err = r.database(ctx, dir, at.identities == small); err != nil {
			return nil, err
		}
	}
	w, err := openWorld(ctx, dir, url, n, r.provider)
	r.worlds[id] = w
	return w, err
}

// database is that of a store. It is made anew where the folder beside it, with the key and the note of what is in it, is
// not there, and removed at the end if it is passing. The stores of another folder have databases of their own.
func (r *rig) database(ctx context.Context, dir string, passing bool) (string, error) {
	var note seeded
	text, err := os.ReadFile(filepath.Join(dir, noteFile))
	if err == nil {
		err = json.Unmarshal(text, &note)
	}
	sum := sha256.Sum256([]byte(dir))
	name := "idpool_bench_" + filepath.Base(dir)
	if own := fmt.Sprintf("%s_%x", name, sum[:4]); err != nil || note.Database == own {
		name = own
	}
	if passing || r.command.Smoke {
		r.passing = append(r.passing, name)
	}
	return database(ctx, r.command.Postgres, name, err != nil)
}
