package admission

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"idpool/internal/fault"
)

const wait = 100 * time.Millisecond

// occupy takes n places and returns what gives them back.
func occupy(t *testing.T, p *Pool, n int) (release func()) {
	t.Helper()
	inside, end := make(chan struct{}), make(chan struct{})
	for range n {
		go func() {
			if err := p.Do(context.Background(), func() { inside <- struct{}{}; <-end }); err != nil {
				t.Errorf("occupying a place: %v", err)
			}
		}()
	}
	for range n {
		<-inside
	}
	return func() { close(end) }
}

func wantRefusal(t *testing.T, err, cause error) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.TooManyRequests || f.Message != "Rate exceeded" || f.Cause != cause {
		t.Errorf("got %v, want TooManyRequests: Rate exceeded, for %v", err, cause)
	}
}

// never is work that must not run.
func never(t *testing.T) func() {
	return func() { t.Error("work ran without a place") }
}

// TestPlaces: n calls run at once, the next one not.
func TestPlaces(t *testing.T) {
	for n, places := range map[int]int{1: 1, 3: 3, 0: 1, -5: 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(n, wait)
				release := occupy(t, p, places)
				start := time.Now()
				wantRefusal(t, p.Do(t.Context(), never(t)), nil)
				if waited := time.Since(start); waited != wait {
					t.Errorf("waited %v, want %v", waited, wait)
				}
				release()
			})
		})
	}
}

// TestWaits: who waits gets the place that comes free in time.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, wait)
		release := occupy(t, p, 1)
		time.AfterFunc(wait-time.Nanosecond, release)
		start, ran := time.Now(), false
		if err := p.Do(t.Context(), func() { ran = true }); err != nil || !ran {
			t.Errorf("got %v, ran %v, want it to run", err, ran)
		}
		if waited := time.Since(start); waited != wait-time.Nanosecond {
			t.Errorf("waited %v, want until the place came free", waited)
		}
	})
}

// TestOneOfMany: of many that wait for one place, those whose turn does not come are refused when their time is over.
func TestOneOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers, takes = 10, 30 * time.Millisecond
		p := New(1, wait)
		release := occupy(t, p, 1)
		var ran, atOnce, most, refused atomic.Int32
		for range callers {
			go func() {
				err := p.Do(context.Background(), func() {
					most.Store(max(most.Load(), atOnce.Add(1)))
					time.Sleep(takes) // of the bubble's time
					atOnce.Add(-1)
					ran.Add(1)
				})
				if err != nil {
					wantRefusal(t, err, nil)
					refused.Add(1)
				}
			}()
		}
		synctest.Wait()
		release()
		time.Sleep(time.Second)
		// The place comes free at 0, 30, 60 and 90 ms; at 120 ms everybody has gone.
		if ran.Load() != 4 || refused.Load() != callers-4 || most.Load() != 1 {
			t.Errorf("ran %d, refused %d, at once %d, want 4, %d, 1", ran.Load(), refused.Load(), most.Load(), callers-4)
		}
	})
}

// TestPlacesComeBack: after any number of calls, refused ones and panics included, all places are free.
func TestPlacesComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2, wait)
		release := occupy(t, p, 2)
		for range 5 {
			wantRefusal(t, p.Do(t.Context(), never(t)), nil)
		}
		release()
		synctest.Wait()
		for range 5 {
			func() {
				defer func() {
					if got := recover(); got != "work broke" {
						t.Errorf("got panic %v, want that of the work", got)
					}
				}()
				_ = p.Do(t.Context(), func() { panic("work broke") })
			}()
		}
		start := time.Now()
		occupy(t, p, 2)()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v for a place, want none", waited)
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, wait)
		release := occupy(t, p, 1)
		defer release()

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(wait/2, cancel)
		start := time.Now()
		wantRefusal(t, p.Do(ctx, never(t)), context.Canceled)
		if waited := time.Since(start); waited != wait/2 {
			t.Errorf("waited %v, want until the call was given up", waited)
		}

		ctx, cancel = context.WithTimeout(t.Context(), wait/4)
		defer cancel()
		wantRefusal(t, p.Do(ctx, never(t)), context.DeadlineExceeded)
	})
}

// TestNothingIsLeft: a refusal leaves no goroutine, which synctest would find blocked for ever, and takes no place.
func TestNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, time.Hour)
		release := occupy(t, p, 1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		for range 10 {
			go func() { done <- p.Do(ctx, never(t)) }()
		}
		synctest.Wait()
		cancel()
		for range 10 {
			wantRefusal(t, <-done, context.Canceled)
		}
		release()
		synctest.Wait()
		if len(p.places) != 0 {
			t.Errorf("%d places are taken, want none", len(p.places))
		}
	})
}

// TestNoWait: with no time to wait, a full pool refuses at once.
func TestNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, 0)
		release := occupy(t, p, 1)
		defer release()
		start := time.Now()
		wantRefusal(t, p.Do(t.Context(), never(t)), nil)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v, want none", waited)
		}
	})
}
