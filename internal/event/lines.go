package event

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// Lines writes records as JSON, one a line, with one write each.
type Lines struct {
	mu  sync.Mutex
	out io.Writer
}

// NewLines returns a sink that writes to out. Where out has a Sync method, durable records are synced.
func NewLines(out io.Writer) *Lines { return &Lines{out: out} }

// Write implements Sink.
func (l *Lines) Write(r *Record, durable bool) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing an event: %w", err)
	}
	if s, ok := l.out.(interface{ Sync() error }); ok && durable {
		if err := s.Sync(); err != nil {
			return fmt.Errorf("syncing an event: %w", err)
		}
	}
	return nil
}
