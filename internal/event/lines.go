package event

import (
	"fmt"
	"io"
	"runtime"
	"sync"
)

// Lines writes records as JSON, one a line. Records that are ready at the same moment share one write, and one sync; each
// caller waits for the one that his is in.
type Lines struct {
	out     io.Writer
	scratch sync.Pool // of *[]byte: where lines are made
	torn    bool      // a write failed half-way: the next line must not go on where it ended; belongs to who writes

	mu      sync.Mutex
	next    *batch   // takes lines; nil when there are none
	writing bool     // somebody writes, or has the turn
	spare   [][]byte // of batches that were written, for the next ones
}

// batch is the lines of one write. One of those who wait for it gets its turn to write it when the batch before is done.
type batch struct {
	lines   []byte
	durable bool
	turn    chan struct{} // holds one
	done    chan struct{} // closed once err is known
	err     error
}

// NewLines returns a sink that writes to out. Where out has a Sync method, durable records are synced.
func NewLines(out io.Writer) *Lines { return &Lines{out: out} }

// usualLine is the size in bytes that the line of a request that went through fits into.
const usualLine = 2048

// mostSpare is the largest buffer in bytes that is kept from one batch to the next.
const mostSpare = 256 << 10

// Write implements Sink.
func (l *Lines) Write(r *Record, durable bool) error {
	b, first, err := l.encode(r, durable)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	if !first {
		select {
		case <-b.done:
			return b.err
		case <-b.turn:
		}
	} else {
		// Whoever is ready to run, and about to write, can join meanwhile; where nobody is, this costs nothing.
		runtime.Gosched()
	}
	l.flush(b)
	return b.err
}

// encode makes the line and has it join a batch.
func (l *Lines) encode(r *Record, durable bool) (b *batch, first bool, err error) {
	space, ok := l.scratch.Get().(*[]byte)
	if !ok {
		made := make([]byte, 0, usualLine)
		space = &made
	}
	line, err := r.appendLine((*space)[:0])
	if err != nil {
		return nil, false, err
	}
	b, first = l.join(line, durable)
	if *space = line; cap(line) <= 4*usualLine {
		l.scratch.Put(space)
	}
	return b, first, nil
}

// join adds a line to the next batch. first is true for who must write it: nobody else is writing.
func (l *Lines) join(line []byte, durable bool) (b *batch, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b = l.next; b == nil {
		b = &batch{lines: l.room(), turn: make(chan struct{}, 1), done: make(chan struct{})}
		l.next = b
	}
	b.lines = append(b.lines, line...)
	b.durable = b.durable || durable
	first = !l.writing
	l.writing = true
	return b, first
}

// room is where the lines of a batch go. One batch is written while another one gathers, so there are two at a time.
func (l *Lines) room() []byte {
	n := len(l.spare)
	if n == 0 {
		return nil
	}
	b := l.spare[n-1]
	l.spare = l.spare[:n-1]
	return b[:0]
}

// flush writes the next batch, which is b, and gives the turn to the one that has gathered meanwhile.
func (l *Lines) flush(b *batch) {
	l.mu.Lock()
	l.next = nil
	l.mu.Unlock()
	b.err = l.write(b)
	close(b.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	if cap(b.lines) <= mostSpare && len(l.spare) < 2 {
		l.spare = append(l.spare, b.lines)
	}
	if l.next != nil {
		l.next.turn <- struct{}{}
	} else {
		l.writing = false
	}
}

func (l *Lines) write(b *batch) error {
	lines := b.lines
	if l.torn {
		lines = append([]byte{'\n'}, lines...)
	}
	n, err := l.out.Write(lines)
	if n > 0 {
		l.torn = n < len(lines)
	}
	if err != nil {
		return fmt.Errorf("writing an event: %w", err)
	}
	if s, ok := l.out.(interface{ Sync() error }); ok && b.durable {
		if err := s.Sync(); err != nil {
			return fmt.Errorf("syncing an event: %w", err)
		}
	}
	return nil
}
