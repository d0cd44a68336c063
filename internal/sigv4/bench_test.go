package sigv4

import (
	"fmt"
	"strings"
	"testing"
)

// bigRequest is the request of the speed goal: 700 bytes posted to "/" by a session.
func bigRequest(tb testing.TB) *Request {
	tb.Helper()
	r := newRequest()
	r.Body = []byte(strings.Repeat("x", 700))
	r.ContentLength = int64(len(r.Body))
	c := testCredentials
	c.Token = strings.Repeat("t", 900)
	if err := Sign(r, c, testRegion, "cognito-identity", testNow); err != nil {
		tb.Fatalf("Sign: %v", err)
	}
	return r
}

func BenchmarkVerify(b *testing.B) {
	v, r := testVerifier(), bigRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		s, err := Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := v.Verify(r, s, testSecret, testNow); err != nil {
			b.Fatal(err)
		}
	}
}

// The three ways to be refused cost the same (security G9): compare them.
func BenchmarkRefuse(b *testing.B) {
	wrong := strings.Repeat("w", 40)
	for name, verify := range map[string]func(*Verifier, *Request, *Signature) error{
		"wrong signature, key in use":   func(v *Verifier, r *Request, s *Signature) error { return v.Verify(r, s, testSecret, testNow) },
		"wrong signature, key not used": func(v *Verifier, r *Request, s *Signature) error { return v.Verify(r, s, wrong, testNow) },
		"unknown key":                   func(v *Verifier, r *Request, s *Signature) error { return v.VerifyUnknown(r, s, testNow) },
	} {
		b.Run(name, func(b *testing.B) {
			v, r := testVerifier(), bigRequest(b)
			s, err := Parse(r)
			if err != nil {
				b.Fatal(err)
			}
			if err := v.Verify(r, s, testSecret, testNow); err != nil {
				b.Fatal(err)
			}
			r.Body[0] = 'y'
			b.ReportAllocs()
			for b.Loop() {
				if verify(v, r, s) == nil {
					b.Fatal("no refusal")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	r := bigRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	r := bigRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := Sign(r, testCredentials, testRegion, "cognito-identity", testNow); err != nil {
			b.Fatal(err)
		}
	}
}

// The dearest requests that the limits let through, at half of a limit and at the limit: twice the size is about twice the time.
func BenchmarkHostile(b *testing.B) {
	for _, part := range []int{2, 1} {
		for name, change := range map[string]func(*Request){
			"parameters": func(r *Request) { r.Query = strings.Repeat("a&", maxParams/part-1) },
			"escapes":    func(r *Request) { r.Query = strings.Repeat("%ff", maxQuery/3/part) },
			"dots":       func(r *Request) { r.Path = strings.Repeat("/a/..", maxPath/5/part) },
			"headers": func(r *Request) {
				for i := range 90 / part {
					r.Header[fmt.Sprintf("X-Amz-Meta-%04d", i)] = []string{"1"}
				}
				for i := range 150 / part {
					r.Header[fmt.Sprintf("X-Other-Ab-%04d", i)] = []string{"1"}
				}
			},
		} {
			b.Run(fmt.Sprintf("%s/%d", name, part), func(b *testing.B) {
				v, r := testVerifier(), newRequest()
				change(r)
				if err := Sign(r, testCredentials, testRegion, "cognito-identity", testNow); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := check(v, r, testCredentials, testNow); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func TestFewAllocations(t *testing.T) {
	v, r := testVerifier(), bigRequest(t)
	got := testing.AllocsPerRun(200, func() {
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(r, s, testSecret, testNow); err != nil {
			t.Fatal(err)
		}
	})
	const limit = 12
	if got > limit {
		t.Errorf("got %v allocations, want at most %v", got, limit)
	}
}
