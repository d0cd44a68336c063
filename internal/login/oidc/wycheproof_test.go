package oidc

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"idpool/internal/login"
	"idpool/internal/strictjson"

	"github.com/c2sp/wycheproof"
)

// vectors is a file of Project Wycheproof, as much of it as is used here.
type vectors struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []struct {
		Public       json.RawMessage `json:"public"`
		Private      json.RawMessage `json:"private"`
		PublicKeyJWK json.RawMessage `json:"publicKeyJwk"`
		PublicKey    json.RawMessage `json:"publicKey"` // of elliptic curves, an object with the point
		Tests        []struct {
			ID      int    `json:"tcId"`
			Comment string `json:"comment"`
			JWS     text   `json:"jws"`
			JWE     text   `json:"jwe"`
			Msg     string `json:"msg"`
			Sig     string `json:"sig"`
			Result  string `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

// text is a JSON string, or any other JSON as it is written: some tokens are objects.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = string(b)
	}
	*t = text(s)
	return nil
}

// mustVectors reads a file of vectors and checks that it has as many as it had.
func mustVectors(t *testing.T, name string, want int) *vectors {
	t.Helper()
	b, err := fs.ReadFile(wycheproof.TestVectors, name+"_test.json")
	if err != nil {
		t.Fatal(err)
	}
	v := new(vectors)
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range v.TestGroups {
		n += len(g.Tests)
	}
	if n != want || v.NumberOfTests != want {
		t.Fatalf("%s: got %d vectors, want %d", name, n, want)
	}
	return v
}

// acceptsJWS reports whether the token has a good signature by a key of the set. Its payload need not be claims.
func acceptsJWS(keySet []byte, jws string) bool {
	keys, dropped, err := parseKeys(keySet)
	if err != nil {
		return false
	}
	t, refusal := parseToken(jws)
	if refusal != nil {
		return false
	}
	alg, refusal := chooseAlgorithm(t.alg, nil)
	if refusal != nil {
		return false
	}
	refusal, _ = newKeySet(keys, dropped, t0, 0, 0.5).verify(t, alg)
	return refusal == nil
}

const (
	isMAC   = "a symmetric algorithm: they do not exist here"
	isEmpty = "an empty payload: a login token has claims"
	isAlg   = "the key says another algorithm than the token"
)

// jwsExceptions are the vectors of the JWS file on which we differ from its label, and why. All are refusals of what it
// calls valid.
var jwsExceptions = map[int]string{
	1: isMAC, 348: isMAC, 352: isMAC, 357: isMAC, 358: isMAC, 359: isMAC, 376: isMAC, 377: isMAC,
	372: isMAC + "; and it holds a byte outside the alphabet", 373: isMAC + "; and it holds a byte outside the alphabet",
	259: isEmpty, 264: isEmpty, 268: isEmpty, 272: isEmpty, 320: isEmpty, 325: isEmpty,
	346: isAlg, 350: isAlg, 347: isAlg, 351: isAlg,
}

// jwsMustRefuse are vectors that common libraries accept.
var jwsMustRefuse = map[int]string{
	281: "salt length", 282: "salt length", 283: "salt length", 284: "salt length", 285: "salt length", 286: "salt length",
	353: "use", 354: "use", 355: "key_ops", 356: "key_ops", 372: "alphabet", 373: "alphabet", 374: "trailing bits", 375: "trailing bits",
}

func TestWycheproofJWS(t *testing.T) {
	v := mustVectors(t, "json_web_signature", 401)
	accepted, excepted, refused := 0, 0, 0
	for _, g := range v.TestGroups {
		key := g.Public
		if key == nil {
			key = g.Private // of the symmetric groups
		}
		set := []byte(`{"keys":[` + string(key) + `]}`)
		for _, test := range g.Tests {
			got, want := acceptsJWS(set, string(test.JWS)), test.Result == "valid"
			if got {
				accepted++
			}
			if jwsMustRefuse[test.ID] != "" && !got {
				refused++
			}
			switch reason, exception := jwsExceptions[test.ID]; {
			case exception && got == want:
				t.Errorf("%d %s: the exception is unnecessary: %s", test.ID, test.Comment, reason)
			case exception && got:
				t.Errorf("%d %s: accepted by exception", test.ID, test.Comment)
			case exception:
				excepted++
			case got != want:
				t.Errorf("%d %s: got accepted %v, want %v", test.ID, test.Comment, got, want)
			}
		}
	}
	if accepted != 26 {
		t.Errorf("got %d accepted, want 26: the 46 that are labelled valid, without the exceptions", accepted)
	}
	if excepted != len(jwsExceptions) || refused != len(jwsMustRefuse) {
		t.Errorf("got %d of %d exceptions, and %d of %d that must be refused", excepted, len(jwsExceptions), refused, len(jwsMustRefuse))
	}
}

func TestWycheproofJWK(t *testing.T) {
	exceptions := map[int]string{2: isMAC, 13: isMAC, 14: isMAC, 15: isMAC}
	accepted := 0
	for _, g := range mustVectors(t, "json_web_key", 26).TestGroups {
		set := g.Public
		if set == nil {
			set = g.Private
		}
		for _, test := range g.Tests {
			got, want := acceptsJWS(set, string(test.JWS)), test.Result == "valid"
			if got {
				accepted++
			}
			if reason, exception := exceptions[test.ID]; exception == (got == want) || exception && got {
				t.Errorf("%d %s: got accepted %v, labelled %s, exception %q", test.ID, test.Comment, got, test.Result, reason)
			}
		}
	}
	if accepted != 1 {
		t.Errorf("got %d accepted, want 1: the RS256 key that is good", accepted)
	}
}

// TestWycheproofJWE: nothing encrypted is ever read.
func TestWycheproofJWE(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	v := mustVerifier(t, w, Options{})
	for _, g := range mustVectors(t, "json_web_encryption", 139).TestGroups {
		for _, test := range g.Tests {
			l, err := v.Verify(t.Context(), provider(), string(test.JWE), t0)
			wantRefusal(t, l, err, login.Malformed, "")
		}
	}
	if all, _ := w.count(); all != 0 {
		t.Errorf("got %d fetches, want 0", all)
	}
}

// TestWycheproofCrypto: the tokens of the mixed file, with each group's key made a set.
func TestWycheproofCrypto(t *testing.T) {
	exceptions := map[int]string{1: isMAC, 48: isMAC, 50: "encrypted", 67: "encrypted"}
	accepted := 0
	for _, g := range mustVectors(t, "json_web_crypto", 83).TestGroups {
		set := g.Public
		if set == nil {
			set = g.Private
		}
		if !strings.Contains(string(set), `"keys"`) {
			set = []byte(`{"keys":[` + string(set) + `]}`)
		}
		for _, test := range g.Tests {
			got, want := acceptsJWS(set, string(test.JWS+test.JWE)), test.Result == "valid"
			if got {
				accepted++
			}
			if reason, exception := exceptions[test.ID]; exception == (got == want) || exception && got {
				t.Errorf("%d %s: got accepted %v, labelled %s, exception %q", test.ID, test.Comment, got, test.Result, reason)
			}
		}
	}
	if accepted != 2 {
		t.Errorf("got %d accepted, want 2", accepted)
	}
}

// TestWycheproofSignatures: the primitives, through our own checks of form.
func TestWycheproofSignatures(t *testing.T) {
	for _, file := range []struct {
		name, alg string
		count     int
	}{
		{"ecdsa_secp256r1_sha256_p1363", "ES256", 262},
		{"ecdsa_secp384r1_sha384_p1363", "ES384", 280},
		{"ecdsa_secp521r1_sha512_p1363", "ES512", 318},
		{"ed25519", "EdDSA", 151},
		{"rsa_pss_2048_sha256_mgf1_32", "PS256", 108},
	} {
		alg, _ := algorithmByName(file.alg)
		run := 0
		for _, g := range mustVectors(t, file.name, file.count).TestGroups {
			k := mustKey(t, alg, g.PublicKeyJWK, g.PublicKey)
			for _, test := range g.Tests {
				run++
				digest := alg.digest(must(hex.DecodeString(test.Msg)))
				if got, want := alg.verify(k, digest, must(hex.DecodeString(test.Sig))), test.Result == "valid"; got != want {
					t.Errorf("%s %d %s: got %v, want %v", file.name, test.ID, test.Comment, got, want)
				}
			}
		}
		if run != file.count {
			t.Errorf("%s: ran %d, want %d", file.name, run, file.count)
		}
	}
}

// mustKey returns the key of a group: its JWK, or one made of the point that it gives instead.
func mustKey(t *testing.T, alg algorithm, jwk, point []byte) *key {
	t.Helper()
	members := map[string]any{"kty": "EC"}
	var err error
	if jwk != nil {
		members, err = strictjson.Object(jwk)
	} else {
		var p struct{ Uncompressed string }
		err = json.Unmarshal(point, &p)
		xy := must(hex.DecodeString(p.Uncompressed))[1:]
		members["crv"], members["x"], members["y"] = alg.curve.Params().Name, b64.EncodeToString(xy[:len(xy)/2]), b64.EncodeToString(xy[len(xy)/2:])
	}
	if err != nil {
		t.Fatal(err)
	}
	k, err := parseKey(members)
	if err != nil {
		t.Fatal(err)
	}
	return &k
}
