package iam

import (
	"testing"

	"idpool/internal/shape/shapetest"
)

// Every constraint of the model holds at its edges.
func TestShapes(t *testing.T) {
	if got := shapetest.Boundaries(t, shapes); got < 170 {
		t.Errorf("got %d values, want 170", got)
	}
}
