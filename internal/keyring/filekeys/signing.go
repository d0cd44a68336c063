package filekeys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"idpool/internal/keyring"
)

// signing are the opened keys of one issuer.
type signing struct {
	signer jose.Signer
	public jose.JSONWebKeySet
	jwks   []byte
}

// publicJWK names the key by its RFC 7638 thumbprint, so that no two keys share an id (security H6).
func publicJWK(public crypto.PublicKey, algorithm jose.SignatureAlgorithm) (*jose.JSONWebKey, error) {
	jwk := &jose.JSONWebKey{Key: public, Algorithm: string(algorithm), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("naming a signing key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return jwk, nil
}

// add adds a key, whose private part is PKCS #8, to those that verify; the active one signs, with the algorithm and typ.
func (s *signing) add(key keyring.Key, der []byte, algorithm jose.SignatureAlgorithm, typ string) error {
	private, err := privateKey(der, algorithm)
	if err != nil {
		return fmt.Errorf("signing key %s: %w", key.ID, err)
	}
	jwk, err := publicJWK(private.Public(), algorithm)
	if err != nil {
		return err
	}
	if jwk.Certificates, err = certificates(key.Public, private.Public()); err != nil {
		return fmt.Errorf("signing key %s: %w", key.ID, err)
	}
	if key.State != keyring.Active {
		s.public.Keys = append(s.public.Keys, *jwk)
		return nil
	}
	s.public.Keys = append([]jose.JSONWebKey{*jwk}, s.public.Keys...)
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", jwk.KeyID)
	s.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: private}, options)
	return err
}

// privateKey reads a key of the kind that the algorithm asks for.
func privateKey(der []byte, algorithm jose.SignatureAlgorithm) (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	switch private := parsed.(type) {
	case *rsa.PrivateKey:
		if algorithm == jose.RS256 || algorithm == jose.RS512 {
			return private, nil
		}
	case *ecdsa.PrivateKey:
		if algorithm == jose.ES256 && private.Curve == elliptic.P256() || algorithm == jose.ES384 && private.Curve == elliptic.P384() {
			return private, nil
		}
	}
	return nil, fmt.Errorf("not a key for %s", algorithm)
}

// certificates returns those of a published key, which must be over it; none where it has none.
func certificates(public json.RawMessage, key crypto.PublicKey) ([]*x509.Certificate, error) {
	if len(public) == 0 {
		return nil, nil
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(public, &jwk); err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	if same, ok := jwk.Key.(interface{ Equal(crypto.PublicKey) bool }); !ok || !same.Equal(key) {
		return nil, errors.New("the public key is another one")
	}
	return jwk.Certificates, nil
}

func (s *signing) publish() error {
	text, err := json.Marshal(s.public)
	if err != nil {
		return fmt.Errorf("writing the key set: %w", err)
	}
	s.jwks = text
	return nil
}

// Sign implements keyring.IssuerKeys.
func (s *signing) Sign(payload []byte) (string, error) {
	signed, err := s.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed.CompactSerialize()
}

// JWKS implements keyring.IssuerKeys.
func (s *signing) JWKS() []byte { return s.jwks }

// Sign implements keyring.Keys.
func (k *keys) Sign(payload []byte) (string, error) { return k.own.Sign(payload) }

// maxToken bounds a token that is taken for one of ours, in characters.
const maxToken = 20_000

// Verify implements keyring.Keys.
func (k *keys) Verify(token string) ([]byte, error) {
	if len(token) > maxToken {
		return nil, errSigned
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{signingAlgorithm})
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, errSigned
	}
	header := parsed.Signatures[0].Protected
	found := k.own.public.Key(header.KeyID)
	if len(found) != 1 || header.JSONWebKey != nil {
		return nil, errSigned
	}
	payload, err := parsed.Verify(found[0])
	if err != nil {
		return nil, errSigned
	}
	return payload, nil
}

// errSigned is the only answer to a token that is not ours.
var errSigned = errors.New("not a token of ours")

// JWKS implements keyring.Keys.
func (k *keys) JWKS() []byte { return k.own.jwks }
