package deadline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestAsStandard compares with context.WithDeadline, whatever is asked first and whatever ends it.
func TestAsStandard(t *testing.T) {
	type with = func(context.Context, time.Time) (context.Context, context.CancelFunc)
	cause := errors.New("the cause")
	for name, end := range map[string]func(cancel context.CancelFunc, parent context.CancelCauseFunc){
		"nothing": func(context.CancelFunc, context.CancelCauseFunc) {},
		"time":    func(context.CancelFunc, context.CancelCauseFunc) { time.Sleep(time.Second) },
		"cancel":  func(cancel context.CancelFunc, _ context.CancelCauseFunc) { cancel() },
		"parent":  func(_ context.CancelFunc, parent context.CancelCauseFunc) { parent(cause) },
		"both":    func(cancel context.CancelFunc, parent context.CancelCauseFunc) { cancel(); parent(cause); cancel() },
		"then":    func(_ context.CancelFunc, parent context.CancelCauseFunc) { parent(cause); time.Sleep(time.Second) },
	} {
		for _, asked := range []bool{false, true} {
			for _, life := range []time.Duration{time.Second, 0, -time.Second} {
				outcome := func(with with) (err, why error, done bool) {
					synctest.Test(t, func(t *testing.T) {
						parent, endParent := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
						ctx, cancel := with(parent, time.Now().Add(life))
						defer cancel()
						if asked {
							ctx.Done()
						}
						end(cancel, endParent)
						synctest.Wait()
						err, why = ctx.Err(), context.Cause(ctx)
						select {
						case <-ctx.Done():
							done = true
						default:
						}
						if again := ctx.Err(); again != err || ctx.Value(key{}) != "value" {
							t.Errorf("%s: got %v, then %v; value %v", name, err, again, ctx.Value(key{}))
						}
						endParent(nil)
					})
					return err, why, done
				}
				err, why, done := outcome(With)
				wantErr, wantWhy, wantDone := outcome(context.WithDeadline)
				several := name == "both" || name == "then" || name == "parent" && life <= 0
				if several && !asked {
					err, why, done = wantErr, wantWhy, done && err != nil && why != nil
				}
				if err != wantErr || why != wantWhy || done != wantDone {
					t.Errorf("%s, asked before %v, life %v: got %v, %v, %v, want %v, %v, %v", name, asked, life, err, why, done, wantErr, wantWhy, wantDone)
				}
			}
		}
	}
}

type key struct{}

func TestEarlierParent(t *testing.T) {
	at := time.Now().Add(time.Hour)
	parent, cancel := context.WithDeadline(t.Context(), at)
	defer cancel()
	ctx, end := With(parent, at.Add(time.Hour))
	defer end()
	if got, ok := ctx.Deadline(); !ok || !got.Equal(at) {
		t.Errorf("got %v, %v, want the parent's %v", got, ok, at)
	}
}

// TestChild: who waits for a child is told of the end.
func TestChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := With(t.Context(), time.Now().Add(time.Minute))
		defer cancel()
		child, end := context.WithTimeout(ctx, time.Hour)
		defer end()
		<-child.Done()
		if !errors.Is(child.Err(), context.DeadlineExceeded) {
			t.Errorf("got %v", child.Err())
		}
	})
}

func BenchmarkWith(b *testing.B) {
	b.ReportAllocs()
	at := time.Now().Add(time.Hour)
	for b.Loop() {
		_, cancel := With(b.Context(), at)
		cancel()
	}
}
