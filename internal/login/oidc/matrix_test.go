package oidc

import (
	"crypto"
	"slices"
	"strings"
	"testing"

	"idpool/internal/login"
)

// fitting are the algorithms of each type of key (RFC 7518 §3.1, RFC 8037 §3.1).
var fitting = map[string][]string{
	"RSA":     {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
	"P-256":   {"ES256"},
	"P-384":   {"ES384"},
	"P-521":   {"ES512"},
	"Ed25519": {"EdDSA"},
}

func typedKeys() map[string]crypto.Signer {
	return map[string]crypto.Signer{"RSA": rsaKey(), "P-256": p256Key(), "P-384": p384Key(), "P-521": p521Key(), "Ed25519": edKey()}
}

// TestAlgorithmMatrix: every type of key with every algorithm, for an issuer that may use each single one, or all: a token
// passes where the key is one for the algorithm and the issuer may use it, and nowhere else.
func TestAlgorithmMatrix(t *testing.T) {
	lists := [][]string{nil, Algorithms()}
	for _, name := range Algorithms() {
		lists = append(lists, []string{name})
	}
	passed, cells := 0, 0
	for kind, key := range typedKeys() {
		for _, alg := range Algorithms() {
			s := signer{alg, "1", key}
			fits := slices.Contains(fitting[kind], alg)
			token := unsigned(s)
			if fits {
				token = s.sign(goodClaims(nil))
			}
			for _, list := range lists {
				w := new(web)
				w.serve(issuer, s)
				v := mustVerifier(t, w, Options{Issuers: map[string]Settings{issuer: {Algorithms: list}}})
				l, err := v.Verify(t.Context(), provider(), token, t0)
				cells++
				switch allowed := len(list) == 0 || slices.Contains(list, alg); {
				case !allowed:
					wantRefusal(t, l, err, login.AlgorithmRefused, "")
					if all, _ := w.count(); all != 0 {
						t.Errorf("%s, %s, allowed %v: got %d fetches, want 0", kind, alg, list, all)
					}
				case !fits:
					wantRefusal(t, l, err, login.KeyNotFound, "")
				case err != nil:
					t.Errorf("%s, %s, allowed %v: got %v, want no error", kind, alg, list, err)
				default:
					passed++
				}
			}
		}
	}
	if passed != 10*3 || cells != 5*10*12 {
		t.Errorf("got %d of %d cells passed, want 30 of 600", passed, cells)
	}
}

// unsigned is a token with a signature as long as the key's are, by nobody.
func unsigned(s signer) string {
	size := map[string]int{"RS": 256, "PS": 256, "ES256": 64, "ES384": 96, "ES512": 132, "Ed": 64}
	n := size[s.alg]
	if n == 0 {
		n = size[s.alg[:2]]
	}
	return b64.EncodeToString([]byte(s.header())) + "." + b64.EncodeToString([]byte(goodClaims(nil))) + "." + b64.EncodeToString(slices.Repeat([]byte{1}, n))
}

// TestAlgorithmOfKey: a key that says its algorithm serves that one alone, though others of its type would fit.
func TestAlgorithmOfKey(t *testing.T) {
	for _, said := range fitting["RSA"] {
		for _, alg := range fitting["RSA"] {
			s, w := signer{alg, "1", rsaKey()}, new(web)
			w.serveKeys(issuer, keySetJSON(with(s.jwk(), map[string]any{"alg": said})), 0)
			l, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0)
			switch {
			case alg != said:
				wantRefusal(t, l, err, login.KeyNotFound, "")
			case err != nil:
				t.Errorf("%s: got %v, want no error", alg, err)
			}
		}
	}
}

// TestAlgorithmsAreComplete: there are those of the table and no others, whatever the spelling.
func TestAlgorithmsAreComplete(t *testing.T) {
	var all []string
	for _, names := range fitting {
		all = append(all, names...)
	}
	if slices.Sort(all); !slices.Equal(all, slices.Sorted(slices.Values(Algorithms()))) {
		t.Errorf("got %v, want %v", Algorithms(), all)
	}
	for _, name := range all {
		if alg, ok := algorithmByName(name); !ok || alg.name != name {
			t.Errorf("%s: got %+v, %v", name, alg, ok)
		}
		for _, other := range []string{strings.ToLower(name), name + " ", " " + name, name + "\x00"} {
			if _, ok := algorithmByName(other); ok {
				t.Errorf("%q: got an algorithm, want none", other)
			}
		}
	}
	for _, name := range []string{"", "none", "None", "HS256", "HS384", "HS512", "RS1", "RS224", "ES256K", "ES224", "Ed448", "Ed25519", "RSA1_5", "A128KW", "dir"} {
		if _, ok := algorithmByName(name); ok {
			t.Errorf("%q: got an algorithm, want none", name)
		}
	}
}
