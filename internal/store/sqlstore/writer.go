package sqlstore

import (
	"context"
	"errors"
)

// maxBatch is how many writes share a transaction, and how many wait for the next one before callers must queue.
const maxBatch = 512

// writer is the one goroutine that writes to a SQLite file. Making a commit durable costs a thousand times what a write
// does, so all writes that have queued up meanwhile share the next transaction. Each is a savepoint: one that fails is
// undone alone. Nobody is answered before the commit, not even those that conflict, since what they conflict with must
// be there when they read again.
type writer struct {
	conn *conn
	jobs chan *job
	quit chan struct{} // accept no more
	gone chan struct{} // all that was accepted is done
}

type job struct {
	ctx  context.Context
	fn   func(session) error
	err  error
	done chan error // holds one
}

func startWriter(c *conn) *writer {
	w := &writer{conn: c, jobs: make(chan *job, maxBatch), quit: make(chan struct{}), gone: make(chan struct{})}
	go w.loop()
	return w
}

// submit returns once fn is committed or undone. Where ctx ends first that is not known, but only if it had begun.
func (w *writer) submit(ctx context.Context, fn func(session) error) error {
	select {
	case <-w.quit:
		return errClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx: ctx, fn: fn, done: make(chan error, 1)}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return j.answer(ctx.Err())
	case <-w.gone:
		return j.answer(errClosed)
	}
}

// answer prefers what became of the job to the reason for not waiting any longer.
func (j *job) answer(otherwise error) error {
	select {
	case err := <-j.done:
		return err
	default:
		return otherwise
	}
}

func (w *writer) loop() {
	defer close(w.gone)
	var batch []*job
	for {
		select {
		case j := <-w.jobs:
			batch = w.gather(append(batch[:0], j))
			w.commit(batch)
		case <-w.quit:
			for len(w.jobs) > 0 {
				batch = w.gather(batch[:0])
				w.commit(batch)
			}
			return
		}
	}
}

// gather adds to a batch what is waiting.
func (w *writer) gather(batch []*job) []*job {
	for len(batch) < maxBatch {
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit runs the jobs in one transaction and answers them.
func (w *writer) commit(batch []*job) {
	if err := w.transact(batch); err != nil {
		err = redact(err)
		for _, j := range batch {
			j.err = err // also of conflicts: what they saw is gone
		}
	}
	for _, j := range batch {
		j.done <- j.err
	}
}

// transact returns an error if nothing of the batch came to be; else each job knows for itself.
func (w *writer) transact(batch []*job) error {
	if _, err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := w.runAll(batch)
	if err == nil {
		_, err = w.conn.exec("COMMIT")
	}
	if err != nil {
		// SQLite may have ended the transaction by itself. Then there is nothing to roll back, which is no further news.
		_, _ = w.conn.exec("ROLLBACK")
	}
	return err
}

func (w *writer) runAll(batch []*job) error {
	for _, j := range batch {
		if j.err = j.ctx.Err(); j.err != nil {
			continue // its caller has gone
		}
		if err := w.run(j); err != nil {
			return err
		}
	}
	return nil
}

// run does a job within a savepoint. Its own failure is in j.err; run fails if the transaction is lost with it, as after
// a full disk. Going on would then commit each statement by itself.
func (w *writer) run(j *job) error {
	if _, err := w.conn.exec("SAVEPOINT job"); err != nil {
		return err
	}
	if j.err = j.fn(w.conn); j.err != nil {
		cause := j.err
		j.err = redact(cause)
		if _, err := w.conn.exec("ROLLBACK TO job"); err != nil {
			return errors.Join(cause, err)
		}
	}
	_, err := w.conn.exec("RELEASE job")
	return err
}

// close ends the writer after all that was accepted.
func (w *writer) close() error {
	close(w.quit)
	<-w.gone
	return w.conn.close()
}
