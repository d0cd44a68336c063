package main

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		q    float64
		want float64
	}{
		{[]float64{3, 1, 2}, .5, 2}, {[]float64{4, 1, 2, 3}, .5, 2.5}, {[]float64{7}, .25, 7}, {[]float64{1, 2, 3, 4, 5}, .75, 4}, {[]float64{1, 2}, 1, 2},
	} {
		if got := quantile(c.v, c.q); got != c.want {
			t.Errorf("quantile %v of %v: got %v, want %v", c.q, c.v, got, c.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("the median of nothing: got %v", got)
	}
}

// TestOffBy: nine rounds of 1 to 9 have a median of 5, and quartiles 4 apart.
func TestOffBy(t *testing.T) {
	rounds := []float64{9, 1, 8, 2, 7, 3, 6, 4, 5}
	f := &figures{}
	(&rig{}).atMost(f, "rounds", 4.9, rounds...)
	(&rig{}).atMost(f, "one figure", 5, 5)
	(&rig{}).atMost(f, "nothing", 5)
	if len(f.Claims) != 2 {
		t.Fatalf("got %+v, want two claims", f.Claims)
	}
	got := f.Claims[0]
	if got.Found != 5 || got.Holds || math.Abs(got.OffBy-1.239) > .001 || got.spread() != "± 1.24" {
		t.Errorf("got %+v %q, want 5, off by 1.239, which fails", got, got.spread())
	}
	if got := f.Claims[1]; got.Found != 5 || !got.Holds || got.spread() != "" {
		t.Errorf("got %+v %q, want 5, which holds", got, got.spread())
	}
}

// TestSupply: a token is not used again before it has rested, and no two are equal.
func TestSupply(t *testing.T) {
	p, err := startProvider(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.close() }()
	s := &supply{provider: p, alg: "ES256", subjects: func(n int) int { return n % 3 }}
	seen := map[string]bool{}
	take := func(n int) []*ticket {
		t.Helper()
		tickets, err := s.take(n)
		if err != nil || len(tickets) != n {
			t.Fatalf("got %d, %v", len(tickets), err)
		}
		return tickets
	}
	for _, one := range append(take(5), take(5)...) {
		if seen[one.token] {
			t.Error("a token came twice")
		}
		seen[one.token] = true
		one.used = one.used.Add(-rest - time.Second)
	}
	old := 0
	for _, one := range take(12) {
		if seen[one.token] {
			old++
		}
	}
	if old != 10 || len(s.made) != 12 {
		t.Errorf("got %d of 10 rested tokens, and %d in all, want 12", old, len(s.made))
	}
}

func TestIdentityIDsAscend(t *testing.T) {
	for n := range 1000 {
		if a, b := identityID(n*9973), identityID(n*9973+1); a >= b || len(a) != len("us-east-1:")+36 {
			t.Fatalf("%s, then %s", a, b)
		}
	}
}

func TestFsyncs(t *testing.T) {
	if perSec, err := fsyncs(t.TempDir(), true); err != nil || perSec <= 0 {
		t.Errorf("got %v, %v", perSec, err)
	}
	if _, err := fsyncs(filepath.Join(t.TempDir(), "none"), true); err == nil {
		t.Error("a folder that is not there: got no error")
	}
}

// apart takes the digest and the signature out of a token.
func apart(t *testing.T, token string) (digest [sha256.Size]byte, signature []byte) {
	t.Helper()
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256([]byte(token[:dot])), signature
}

// A disk's rows must not go unjudged, and those of a folder in memory not be judged: the system's own list says which is which.
func TestInMemory(t *testing.T) {
	mounts, err := os.ReadFile("/proc/self/mounts") // see proc_pid_mounts(5)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{} // the last one mounted at a place is what is seen there
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		kinds[f[1]] = f[2]
	}
	for _, dir := range []string{"/", "/proc", "/tmp", "/dev", "/dev/shm"} {
		if kind, ok := kinds[dir]; ok && inMemory(dir) != (strings.HasSuffix(kind, "tmpfs")) {
			t.Errorf("%s, which is %s: in memory %v", dir, kind, inMemory(dir))
		}
	}
	if inMemory(filepath.Join(t.TempDir(), "none")) {
		t.Error("a folder that is not there is taken for one in memory")
	}
}
