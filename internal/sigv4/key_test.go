package sigv4

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"

	"idpool/internal/fault"
)

// An unknown key is refused with its own code whatever is wrong besides, and fills no cache (G9, G11).
func TestG9Unknown(t *testing.T) {
	v := testVerifier()
	r := signedRequest(t)
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	sentence := "The security token included in the request is invalid."
	wantFault(t, v.VerifyUnknown(r, s, testNow), fault.UnrecognizedClient, sentence)
	wantFault(t, v.VerifyUnknown(r, s, testNow.AddDate(1, 0, 0)), fault.UnrecognizedClient, sentence)
	if n := len(v.keys.young); n != 0 {
		t.Errorf("got %d cached keys, want none", n)
	}
}

// The decoy's secret stands in the source, so a signature made with it must be worth nothing.
func TestG9DecoyIsNoSecret(t *testing.T) {
	v, r := testVerifier(), newRequest()
	c := Credentials{AccessKeyID: "AKIAUNKNOWN", Secret: decoySecret}
	if err := Sign(r, c, testRegion, "cognito-identity", testNow); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	s, err := Parse(r)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	wantFault(t, v.VerifyUnknown(r, s, testNow), fault.UnrecognizedClient, "")
	if n := len(v.keys.young); n != 0 {
		t.Errorf("got %d cached keys, want none", n)
	}
}

// The token is covered by the signature, so that one key's signature cannot carry another's token (G10).
func TestG10Token(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"of another key": func(r *Request) { r.Header["X-Amz-Security-Token"] = []string{"another"} },
		"empty":          func(r *Request) { r.Header["X-Amz-Security-Token"] = []string{""} },
		"absent":         func(r *Request) { delete(r.Header, "X-Amz-Security-Token") },
	} {
		t.Run(name, func(t *testing.T) {
			r := signedRequest(t)
			change(r)
			s, err := Parse(r)
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			wantFault(t, testVerifier().Verify(r, s, testSecret, testNow), fault.InvalidSignature, sentenceMismatch)
		})
	}
	t.Run("added to a long-term key", func(t *testing.T) {
		r := newRequest()
		if err := Sign(r, Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: testSecret}, testRegion, "cognito-identity", testNow); err != nil {
			t.Fatalf("Sign: %v", err)
		}
		r.Header["X-Amz-Security-Token"] = []string{"x"}
		s, err := Parse(r)
		if err != nil {
			t.Fatalf("Parse: %v", err)
		}
		if s.Token != "x" {
			t.Errorf("got token %q, want the caller to see it", s.Token)
		}
		wantFault(t, testVerifier().Verify(r, s, testSecret, testNow), fault.InvalidSignature, sentenceUnsigned)
	})
	t.Run("added after signing, where that is allowed", func(t *testing.T) {
		v := testVerifier()
		v.TokenAfterSigning = true
		r := newRequest()
		if err := Sign(r, Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: testSecret}, testRegion, "cognito-identity", testNow); err != nil {
			t.Fatalf("Sign: %v", err)
		}
		r.Header["X-Amz-Security-Token"] = []string{"x"}
		if err := check(v, r, Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: testSecret, Token: "x"}, testNow); err != nil {
			t.Errorf("got %v, want none", err)
		}
		r.Header["X-Amz-Meta-A"] = []string{"x"}
		wantFault(t, check(v, r, Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: testSecret, Token: "x"}, testNow),
			fault.InvalidSignature, sentenceUnsigned)
	})
	t.Run("access key id in another case is another", func(t *testing.T) {
		r := signedRequest(t)
		r.Header["Authorization"][0] = strings.Replace(r.Header["Authorization"][0], "ASIAEXAMPLE", "asiaexample", 1)
		wantFault(t, check(testVerifier(), r, testCredentials, testNow), fault.UnrecognizedClient, "")
	})
}

// After a rotation the old secret signs nothing, although its key may still be in the cache (G11).
func TestG11Rotation(t *testing.T) {
	v := testVerifier()
	old := signedRequest(t)
	if err := check(v, old, testCredentials, testNow); err != nil {
		t.Fatalf("before: %v", err)
	}
	rotated := testCredentials
	rotated.Secret = strings.Repeat("n", 40)
	wantFault(t, check(v, old, rotated, testNow), fault.InvalidSignature, sentenceMismatch)
	r := newRequest()
	if err := Sign(r, rotated, testRegion, "cognito-identity", testNow); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	if err := check(v, r, rotated, testNow); err != nil {
		t.Errorf("new secret: %v", err)
	}
	wantFault(t, check(v, r, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
}

// A wrong signature leaves nothing in the cache, and a right one what belongs to it only (G11).
func TestG11Poison(t *testing.T) {
	v := testVerifier()
	bad := signedRequest(t)
	bad.Body = []byte("{}")
	wantFault(t, check(v, bad, testCredentials, testNow), fault.InvalidSignature, sentenceMismatch)
	if n := len(v.keys.young); n != 0 {
		t.Fatalf("got %d cached keys after a refusal, want none", n)
	}
	for range 3 {
		if err := check(v, signedRequest(t), testCredentials, testNow); err != nil {
			t.Fatalf("got %v, want none", err)
		}
	}
	if n := len(v.keys.young); n != 1 {
		t.Errorf("got %d cached keys, want 1", n)
	}
}

func TestG11CacheIsBounded(t *testing.T) {
	var c keyCache
	id := func(n int) (id keyID) {
		binary.BigEndian.PutUint64(id[:], uint64(n))
		return id
	}
	const busy = 3
	c.put(id(busy), signingKey{busy})
	for n := range 4 * generation {
		c.put(id(1000+n), signingKey{})
		if got := len(c.young) + len(c.old); got > 2*generation {
			t.Fatalf("got %d keys, want at most %d", got, 2*generation)
		}
		if n%1000 == 0 {
			if key, ok := c.get(id(busy)); !ok || key != (signingKey{busy}) {
				t.Fatalf("after %d others: the key in use is gone", n)
			}
		}
	}
	if _, ok := c.get(id(1000)); ok {
		t.Error("a key that was not used for two generations is still there")
	}
}

func TestKeyIDTellsApart(t *testing.T) {
	seen := make(map[keyID]string)
	for _, s := range []Signature{
		{AccessKeyID: "A", Date: "20261122", Region: "r", Service: "s"},
		{AccessKeyID: "B", Date: "20261122", Region: "r", Service: "s"},
		{AccessKeyID: "A", Date: "20261123", Region: "r", Service: "s"},
		{AccessKeyID: "A", Date: "20261122", Region: "rs", Service: ""},
		{AccessKeyID: "A", Date: "20261122", Region: "", Service: "rs"},
	} {
		for _, secret := range []string{testSecret, decoySecret} {
			name := fmt.Sprintf("%v %.4s", s, secret)
			id := s.keyID(secret)
			if other, ok := seen[id]; ok {
				t.Errorf("%s and %s have one id", name, other)
			}
			seen[id] = name
		}
	}
	if len(seen) != 10 {
		t.Errorf("got %d ids, want 10", len(seen))
	}
}

func TestVerifierIsSafeForManyGoroutines(t *testing.T) {
	v, r := testVerifier(), signedRequest(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				own := clone(r)
				if i%2 == 1 {
					own.Body[0] ^= 1
				}
				if err := check(v, own, testCredentials, testNow); (err == nil) != (i%2 == 0) {
					t.Errorf("goroutine %d: got %v", i, err)
				}
			}
		})
	}
	wg.Wait()
}
