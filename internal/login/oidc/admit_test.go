package oidc

import (
	"context"
	"errors"
	"testing"

	"idpool/internal/login"
)

// A token that finds no turn to be verified is neither believed nor refused for what it is (security F3).
func TestNoTurnIsBusy(t *testing.T) {
	key, w := es256("k"), &web{}
	w.serve(issuer, key)
	turns := 0
	full := false
	v := mustVerifier(t, w, Options{Admit: func(_ context.Context, work func()) error {
		if full {
			return errors.New("full")
		}
		turns++
		work()
		return nil
	}})
	token := key.sign(goodClaims(nil))
	if _, err := v.Verify(t.Context(), provider(), token, t0); err != nil || turns != 1 {
		t.Fatalf("a good token: %v after %d turns", err, turns)
	}
	full = true
	l, err := v.Verify(t.Context(), provider(), token, t0)
	wantRefusal(t, l, err, login.Busy, "")
}
