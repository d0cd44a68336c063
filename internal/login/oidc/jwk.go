package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"idpool/internal/strictjson"
)

// The limits of a key set (security A9, A11).
const (
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 8192
)

// key is a public key of an issuer that passed every filter.
type key struct {
	id     string // kid; "" when it has none
	alg    string // the only algorithm that it is for; "" when it does not say
	public any    // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
	// rsa is an RSA key made ready; nil for others, and where crypto/rsa is to verify.
	rsa *preparedRSA
	// thumbprint names the public key: the SHA-256 of its SubjectPublicKeyInfo (RFC 5280 §4.1).
	thumbprint [sha256.Size]byte
}

// parseKeys reads a JWK Set (RFC 7517 §5). Keys that we do not use are left out, each with a reason; a document that is
// not a set, has too many keys, or none that is left, is an error.
func parseKeys(document []byte) (keys []key, dropped []string, err error) {
	all, err := strictjson.Object(document)
	if err != nil {
		return nil, nil, fmt.Errorf("the key set is %w", err)
	}
	list, ok := all["keys"].([]any)
	if !ok {
		return nil, nil, errors.New("the key set has no array of keys")
	}
	if len(list) > maxKeys {
		return nil, nil, fmt.Errorf("the key set has more than %d keys", maxKeys)
	}
	for _, v := range list {
		k, err := parseKey(v)
		if err != nil {
			dropped = append(dropped, err.Error())
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, dropped, fmt.Errorf("the key set has no key that can be used, of %d", len(list))
	}
	return keys, dropped, nil
}

// private are the members of private and symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4). A key published with one of
// them is nobody's secret any more.
var private = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// parseKey reads one JWK (RFC 7517 §4) and says why it is left out.
func parseKey(v any) (key, error) {
	jwk, ok := v.(map[string]any)
	if !ok {
		return key{}, errors.New("not an object")
	}
	for _, name := range private {
		if _, ok := jwk[name]; ok {
			return key{}, errors.New("it holds private or symmetric key material")
		}
	}
	if err := checkUse(jwk); err != nil {
		return key{}, err
	}
	k, err := key{}, error(nil)
	if k.id, err = optionalString(jwk, "kid"); err != nil || k.id != "" && !isKeyID(k.id) {
		return key{}, errors.New("its kid is not 1 to 256 printable ASCII characters")
	}
	if k.alg, err = optionalString(jwk, "alg"); err != nil {
		return key{}, err
	}
	if k.public, err = parsePublic(jwk); err != nil {
		return key{}, err
	}
	if k.alg != "" {
		// An alg that the key cannot serve is a mistake of the issuer's, and not ours to interpret.
		if alg, ok := algorithmByName(k.alg); !ok || !alg.fits(&k) {
			return key{}, errors.New("its alg is not one for signatures by this key")
		}
	}
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return key{}, errors.New("its public key cannot be written")
	}
	k.thumbprint = sha256.Sum256(der)
	if public, ok := k.public.(*rsa.PublicKey); ok {
		k.rsa = prepareRSA(public)
	}
	return k, nil
}

// checkUse wants a key that is for signatures, or does not say (RFC 7517 §4.2, §4.3).
func checkUse(jwk map[string]any) error {
	if use, ok := jwk["use"]; ok && use != "sig" {
		return errors.New("its use is not sig")
	}
	ops, ok := jwk["key_ops"]
	if !ok {
		return nil
	}
	if list, ok := ops.([]any); !ok || !slices.Contains(list, any("verify")) {
		return errors.New("its key_ops do not hold verify")
	}
	return nil
}

func optionalString(jwk map[string]any, name string) (string, error) {
	v, ok := jwk[name]
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return "", fmt.Errorf("its %s is not a string", name)
	}
	return s, nil
}

func parsePublic(jwk map[string]any) (any, error) {
	switch jwk["kty"] {
	case "RSA":
		return parseRSA(jwk)
	case "EC":
		return parseEC(jwk)
	case "OKP":
		return parseEd25519(jwk)
	}
	return nil, errors.New("its type is not RSA, EC or OKP")
}

// member returns a member that is base64url.
func member(jwk map[string]any, name string) ([]byte, error) {
	s, ok := jwk[name].(string)
	if !ok || s == "" {
		return nil, fmt.Errorf("its member %s is missing", name)
	}
	for i := range len(s) {
		if s[i] == '\r' || s[i] == '\n' { // which the decoder would skip
			return nil, fmt.Errorf("its member %s is not base64url", name)
		}
	}
	b, err := strict.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("its member %s is not base64url", name)
	}
	return b, nil
}

// parseRSA wants a modulus of 2048 to 8192 bits and one of the exponents in use: an odd one, 3 or at least 65537.
func parseRSA(jwk map[string]any) (*rsa.PublicKey, error) {
	nBytes, err := member(jwk, "n")
	if err != nil {
		return nil, err
	}
	eBytes, err := member(jwk, "e")
	if err != nil {
		return nil, err
	}
	n, e := new(big.Int).SetBytes(nBytes), new(big.Int).SetBytes(eBytes)
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || n.Bit(0) == 0 {
		return nil, fmt.Errorf("its modulus is not an odd number of %d to %d bits", minRSABits, maxRSABits)
	}
	if e.BitLen() > 31 || e.Bit(0) == 0 || e.Int64() != 3 && e.Int64() < 65537 {
		return nil, errors.New("its exponent is not 3, or odd and from 65537 to 2^31-1")
	}
	if isROCA(n) {
		return nil, errors.New("its modulus can be factored (ROCA)")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// parseEC wants a point on P-256, P-384 or P-521, each coordinate at its full length (RFC 7518 §6.2.1).
func parseEC(jwk map[string]any) (*ecdsa.PublicKey, error) {
	var curve elliptic.Curve
	switch jwk["crv"] {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, errors.New("its curve is not P-256, P-384 or P-521")
	}
	x, err := member(jwk, "x")
	if err != nil {
		return nil, err
	}
	y, err := member(jwk, "y")
	if err != nil {
		return nil, err
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, errors.New("its coordinates are not as long as the curve's")
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errors.New("its point is not on the curve")
	}
	return pub, nil
}

// parseEd25519 wants an Ed25519 key (RFC 8037 §2).
func parseEd25519(jwk map[string]any) (ed25519.PublicKey, error) {
	if jwk["crv"] != "Ed25519" {
		return nil, errors.New("its curve is not Ed25519")
	}
	x, err := member(jwk, "x")
	if err != nil {
		return nil, err
	}
	if len(x) != ed25519.PublicKeySize {
		return nil, errors.New("its key is not 32 bytes")
	}
	return ed25519.PublicKey(x), nil
}

// isROCA reports whether the modulus has the mark of the keys that can be factored (CVE-2017-15361): its primes are
// powers of 65537 modulo the product of the first primes, and so is the modulus, modulo each of them. Of other moduli,
// one in 2^30 has it (Nemec et al., "The Return of Coppersmith's Attack", 2017, §4).
func isROCA(n *big.Int) bool {
	for _, p := range [...]int64{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
		113, 127, 131, 137, 139, 149, 151, 157, 163, 167} {
		rest := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		if !isPower(rest, 65537%p, p) {
			return false
		}
	}
	return true
}

// isPower reports whether x is a power of base modulo the prime p.
func isPower(x, base, p int64) bool {
	for power, i := int64(1), int64(0); i < p; power, i = power*base%p, i+1 {
		if power == x {
			return true
		}
	}
	return false
}
