package filekeys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpool/internal/keyring"
)

// noEnd is the end of a certificate that is not meant to have one (RFC 5280 §4.1.2.5).
var noEnd = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// newIssuerKey makes a key that signs for an authority, with a certificate over itself. The certificate says nothing:
// it is a form in which some authorities want the key. What it vouches for is the TLS of our issuer.
func (h *Holder) newIssuerKey(use string, now time.Time) (keyring.Key, error) {
	algorithm, ok := keyring.AuthorityAlgorithm(use)
	if !ok {
		return keyring.Key{}, fmt.Errorf("no keys for the use %q", use)
	}
	private, err := newPrivateKey(jose.SignatureAlgorithm(algorithm))
	if err != nil {
		return keyring.Key{}, fmt.Errorf("making a key for %s: %w", use, err)
	}
	jwk, err := publicJWK(private.Public(), jose.SignatureAlgorithm(algorithm))
	if err != nil {
		return keyring.Key{}, err
	}
	certificate, err := selfSigned(private, now)
	if err != nil {
		return keyring.Key{}, fmt.Errorf("making a certificate for %s: %w", use, err)
	}
	jwk.Certificates = []*x509.Certificate{certificate}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return keyring.Key{}, fmt.Errorf("making a key for %s: %w", use, err)
	}
	text, err := jwk.MarshalJSON()
	if err != nil {
		return keyring.Key{}, fmt.Errorf("making a key for %s: %w", use, err)
	}
	return keyring.Key{ID: jwk.KeyID, Algorithm: algorithm, Public: json.RawMessage(text), Sealed: h.wrap(use, jwk.KeyID, der)}, nil
}

func newPrivateKey(algorithm jose.SignatureAlgorithm) (crypto.Signer, error) {
	switch algorithm {
	case jose.RS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return nil, fmt.Errorf("no keys for the algorithm %q", algorithm)
}

func selfSigned(private crypto.Signer, now time.Time) (*x509.Certificate, error) {
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] &= 0x7f // positive (RFC 5280 §4.1.2.2)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: "idpool"},
		NotBefore: now.UTC().Add(-time.Hour), NotAfter: noEnd, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func (k *keys) addIssuerKey(use string, key keyring.Key, der []byte) error {
	algorithm, ok := keyring.AuthorityAlgorithm(use)
	if !ok {
		return fmt.Errorf("the ring %s is for no use", use)
	}
	if k.issuers[use] == nil {
		k.issuers[use] = &signing{}
	}
	return k.issuers[use].add(key, der, jose.SignatureAlgorithm(algorithm), "JWT")
}

// Issuer implements keyring.Keys.
func (k *keys) Issuer(use string) keyring.IssuerKeys {
	if s := k.issuers[use]; s != nil {
		return s
	}
	return nil
}
