package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// Lines writes records as JSON, one a line, with one write each.
type Lines struct {
	mu   sync.Mutex
	out  io.Writer
	torn bool // a write failed half-way: the next line must not go on where it ended
}

// NewLines returns a sink that writes to out. Where out has a Sync method, durable records are synced.
func NewLines(out io.Writer) *Lines { return &Lines{out: out} }

// Write implements Sink.
func (l *Lines) Write(r *Record, durable bool) error {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false) // operators read ">=", not an escape
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(line.Bytes()); err != nil {
		return fmt.Errorf("writing an event: %w", err)
	}
	if s, ok := l.out.(interface{ Sync() error }); ok && durable {
		if err := s.Sync(); err != nil {
			return fmt.Errorf("syncing an event: %w", err)
		}
	}
	return nil
}

func (l *Lines) write(line []byte) error {
	if l.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := l.out.Write(line)
	if n > 0 {
		l.torn = n < len(line)
	}
	return err
}
