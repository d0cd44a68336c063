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
	claimed bool     // somebody writes, or will take the next batch
	busy    bool     // a write is under way
	spare   [][]byte // of batches that were written, for the next ones
}

// batch is the lines of one write, which one of those who wait for it makes: when the batch before is done, he gets the turn.
type batch struct {
	lines   []byte
	n       int
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

// fullBatch is how many lines make a batch that nobody waits for any longer. All who wait keep their requests in memory, and
// with a thousand connections would do so at once.
const fullBatch = 64

// A part is what a caller has in the batch that he joined.
type part int

const (
	waits part = iota // another one writes it
	leads             // nobody writes: he does, after others had a chance to join
	fills             // it is full, and his to write now
)

// Write implements Sink.
func (l *Lines) Write(r *Record, durable bool) error {
	b, part, err := l.encode(r, durable)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	mine := part == fills
	switch part {
	case leads:
		// Whoever is ready to run, and about to write, can join meanwhile; where nobody is, this costs nothing.
		runtime.Gosched()
		mine = l.take(b)
	case waits:
		select {
		case <-b.done:
		case <-b.turn:
			mine = l.take(b)
		}
	}
	if mine {
		l.flush(b)
	}
	<-b.done
	return b.err
}

// encode makes the line and has it join a batch.
func (l *Lines) encode(r *Record, durable bool) (b *batch, as part, err error) {
	space, ok := l.scratch.Get().(*[]byte)
	if !ok {
		made := make([]byte, 0, usualLine)
		space = &made
	}
	line, err := r.appendLine((*space)[:0])
	if err != nil {
		return nil, waits, err
	}
	b, as = l.join(line, durable)
	if *space = line; cap(line) <= 4*usualLine {
		l.scratch.Put(space)
	}
	return b, as, nil
}

// join adds a line to the next batch.
func (l *Lines) join(line []byte, durable bool) (b *batch, as part) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b = l.next; b == nil {
		b = &batch{lines: l.room(), turn: make(chan struct{}, 1), done: make(chan struct{})}
		l.next = b
	}
	b.lines = append(b.lines, line...)
	b.n++
	b.durable = b.durable || durable
	switch {
	case !l.claimed:
		l.claimed = true
		return b, leads
	case b.n >= fullBatch && l.takeLocked(b):
		return b, fills
	}
	return b, waits
}

// take makes a batch the caller's to write, unless somebody has taken it.
func (l *Lines) take(b *batch) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.takeLocked(b)
}

func (l *Lines) takeLocked(b *batch) bool {
	if l.busy || l.next != b {
		return false
	}
	l.next, l.busy = nil, true
	return true
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

// flush writes a batch that was taken, and gives the turn to the one that has gathered meanwhile.
func (l *Lines) flush(b *batch) {
	b.err = l.write(b)
	close(b.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
	if cap(b.lines) <= mostSpare && len(l.spare) < 2 {
		l.spare = append(l.spare, b.lines)
	}
	if l.next != nil {
		l.next.turn <- struct{}{}
	} else {
		l.claimed = false
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
