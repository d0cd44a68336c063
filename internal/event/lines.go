package event

import (
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

// usualLine is the size in bytes that the line of a request that went through fits into.
const usualLine = 2048

// Write implements Sink.
func (l *Lines) Write(r *Record, durable bool) error {
	line, err := r.appendLine(make([]byte, 0, usualLine))
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(line); err != nil {
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
