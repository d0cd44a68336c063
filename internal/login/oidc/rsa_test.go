package oidc

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/c2sp/wycheproof"
)

// TestWycheproofPKCS1: a prepared key accepts every signature that is good, refuses every other one, and is of one mind with
// crypto/rsa on all of them.
func TestWycheproofPKCS1(t *testing.T) {
	for name, want := range map[string]struct {
		hash       crypto.Hash
		valid, all int
	}{
		"rsa_signature_2048_sha256": {crypto.SHA256, 9, 259}, "rsa_signature_2048_sha384": {crypto.SHA384, 7, 258}, "rsa_signature_2048_sha512": {crypto.SHA512, 8, 259},
		"rsa_signature_3072_sha256": {crypto.SHA256, 8, 259}, "rsa_signature_3072_sha384": {crypto.SHA384, 7, 259}, "rsa_signature_3072_sha512": {crypto.SHA512, 8, 260},
		"rsa_signature_4096_sha256": {crypto.SHA256, 7, 258}, "rsa_signature_4096_sha384": {crypto.SHA384, 7, 259}, "rsa_signature_4096_sha512": {crypto.SHA512, 7, 259},
		"rsa_signature_8192_sha256": {crypto.SHA256, 7, 258}, "rsa_signature_8192_sha384": {crypto.SHA384, 7, 259}, "rsa_signature_8192_sha512": {crypto.SHA512, 7, 259},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := fs.ReadFile(wycheproof.TestVectors, name+"_test.json")
			if err != nil {
				t.Fatal(err)
			}
			var file struct {
				TestGroups []struct {
					PublicKeyDER string `json:"publicKeyDer"`
					Tests        []struct {
						ID      int `json:"tcId"`
						Comment string
						Msg     string
						Sig     string
						Result  string
					}
				}
			}
			if err := json.Unmarshal(text, &file); err != nil {
				t.Fatal(err)
			}
			accepted, all := 0, 0
			for _, g := range file.TestGroups {
				public := must(x509.ParsePKIXPublicKey(must(hex.DecodeString(g.PublicKeyDER)))).(*rsa.PublicKey)
				k := mustPrepare(t, public)
				for _, test := range g.Tests {
					all++
					h := want.hash.New()
					h.Write(must(hex.DecodeString(test.Msg)))
					digest, sig := h.Sum(nil), must(hex.DecodeString(test.Sig))
					got, standard := k.verify(want.hash, digest, sig), rsa.VerifyPKCS1v15(public, want.hash, digest, sig) == nil
					if got != (test.Result == "valid") || got != standard {
						t.Errorf("%d %s: got %v, crypto/rsa %v, labelled %s", test.ID, test.Comment, got, standard, test.Result)
					}
					if got {
						accepted++
					}
				}
			}
			if accepted != want.valid || all != want.all {
				t.Errorf("accepted %d of %d, want %d of %d", accepted, all, want.valid, want.all)
			}
		})
	}
}

func mustPrepare(t testing.TB, public *rsa.PublicKey) *preparedRSA {
	t.Helper()
	if fips140.Enabled() {
		t.Skip("crypto/rsa verifies where approved cryptography is asked for: TestApprovedCryptography")
	}
	k := prepareRSA(public)
	if k == nil {
		t.Fatal("the key cannot be prepared")
	}
	return k
}

// TestApprovedCryptography: where it is asked for, no key is prepared, and its signatures verify all the same. It is a setting
// of the process, so another one is asked.
func TestApprovedCryptography(t *testing.T) {
	if !fips140.Enabled() {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestApprovedCryptography$", "-test.v")
		child.Env = append(os.Environ(), "GODEBUG=fips140=on")
		out, err := child.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestApprovedCryptography") {
			t.Errorf("with fips140=on: %v\n%s", err, out)
		}
		return
	}
	s := signer{"RS256", "1", rsaKey()}
	keys, _, err := parseKeys([]byte(keySetJSON(s.jwk())))
	if err != nil || len(keys) != 1 || keys[0].rsa != nil {
		t.Fatalf("got %d keys, %v, want one that is not prepared", len(keys), err)
	}
	token, refusal := parseToken(s.sign(goodClaims(nil)))
	if refusal != nil {
		t.Fatal(refusal)
	}
	alg, _ := algorithmByName("RS256")
	if digest := alg.digest(token.signed); !alg.verify(&keys[0], digest, token.signature) || alg.verify(&keys[0], digest[1:], token.signature) {
		t.Error("a good signature is refused, or another accepted")
	}
}

// smallExponent is a key with the exponent 3, with which careless comparisons were forged.
var smallExponent = sync.OnceValue(func() *rsa.PrivateKey {
	prime := func() (p, less *big.Int) {
		for {
			p = must(rand.Prime(rand.Reader, 1024))
			less = new(big.Int).Sub(p, big.NewInt(1))
			if new(big.Int).Mod(less, big.NewInt(3)).Sign() != 0 {
				return p, less
			}
		}
	}
	p, p1 := prime()
	q, q1 := prime()
	d := new(big.Int).ModInverse(big.NewInt(3), p1.Mul(p1, q1))
	return &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 3}, D: d}
})

// FuzzPreparedRSA: whatever the encoded message or the signature, a prepared key is of one mind with crypto/rsa. The message is
// the good one, changed from a place on, and signed by who has the key: so also forms are tried that nobody would sign.
func FuzzPreparedRSA(f *testing.F) {
	f.Add([]byte("m"), 0, []byte{}, false)
	f.Add([]byte("m"), 0, []byte{1}, false)
	f.Add([]byte("m"), 1, []byte{2}, true)
	f.Add([]byte("m"), 204, []byte{0, 0x30}, true)
	f.Add([]byte("m"), 255, []byte{7, 7}, true)
	f.Fuzz(func(t *testing.T, message []byte, at int, change []byte, small bool) {
		private := rsaKey()
		if small && !fips140.Enabled() {
			private = smallExponent()
		}
		k, digest := mustPrepare(t, &private.PublicKey), sha256.Sum256(message)
		em := encodePKCS1(k.size, crypto.SHA256, digest[:])
		if at >= 0 && at < len(em) {
			copy(em[at:], change)
		}
		sig := new(big.Int).Exp(new(big.Int).SetBytes(em), private.D, private.N).FillBytes(make([]byte, k.size))
		for _, s := range [][]byte{sig, em, change, append(sig, change...), append(bytes.Clone(change), sig...)} {
			got, want := k.verify(crypto.SHA256, digest[:], s), rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest[:], s) == nil
			if got != want {
				t.Fatalf("got %v, crypto/rsa has %v, for the encoded message %x", got, want, em)
			}
		}
	})
}

// A key that cannot be prepared is left to crypto/rsa, and a hash without a DigestInfo, or of another length, verifies nothing.
func TestPrepareRSARefuses(t *testing.T) {
	k := mustPrepare(t, &rsaKey().PublicKey)
	for name, public := range map[string]*rsa.PublicKey{
		"even modulus": {N: new(big.Int).Lsh(big.NewInt(1), 2048), E: 65537}, "no modulus": {N: new(big.Int), E: 65537},
		"no exponent": {N: rsaKey().N}, "negative exponent": {N: rsaKey().N, E: -3},
	} {
		if prepareRSA(public) != nil {
			t.Errorf("%s: prepared", name)
		}
	}
	sum := sha256.Sum256([]byte("x"))
	sig := must(rsa.SignPKCS1v15(nil, rsaKey(), crypto.SHA256, sum[:]))
	if !k.verify(crypto.SHA256, sum[:], sig) {
		t.Fatal("a good signature is refused")
	}
	if k.verify(crypto.SHA1, sum[:20], sig) || k.verify(crypto.SHA256, sum[:31], sig) || k.verify(crypto.SHA384, sum[:], sig) || k.verify(crypto.SHA256, nil, nil) {
		t.Error("a signature verifies for another hash")
	}
	if encodePKCS1(61, crypto.SHA256, sum[:]) != nil || encodePKCS1(62, crypto.SHA256, sum[:]) == nil {
		t.Error("eight bytes of padding are the least")
	}
}
