package filekeys

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"idpool/internal/keyring"
)

// publicJWK names the key by its RFC 7638 thumbprint, so that no two keys share an id (security H6).
func publicJWK(public *rsa.PublicKey) (*jose.JSONWebKey, error) {
	jwk := &jose.JSONWebKey{Key: public, Algorithm: string(signingAlgorithm), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("naming a signing key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return jwk, nil
}

func (k *keys) addSigning(key keyring.Key, der []byte) error {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return fmt.Errorf("signing key %s: %w", key.ID, err)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return fmt.Errorf("signing key %s is not an RSA key", key.ID)
	}
	jwk, err := publicJWK(&private.PublicKey)
	if err != nil {
		return err
	}
	if key.State != keyring.Active {
		k.public.Keys = append(k.public.Keys, *jwk)
		return nil
	}
	k.public.Keys = append([]jose.JSONWebKey{*jwk}, k.public.Keys...)
	options := (&jose.SignerOptions{}).WithType("JWS").WithHeader("kid", jwk.KeyID)
	k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: signingAlgorithm, Key: private}, options)
	return err
}

func (k *keys) publish() error {
	text, err := json.Marshal(k.public)
	if err != nil {
		return fmt.Errorf("writing the key set: %w", err)
	}
	k.jwks = text
	return nil
}

// Sign implements keyring.Keys.
func (k *keys) Sign(payload []byte) (string, error) {
	signed, err := k.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed.CompactSerialize()
}

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
	found := k.public.Key(header.KeyID)
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
func (k *keys) JWKS() []byte { return k.jwks }
