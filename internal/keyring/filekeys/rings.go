package filekeys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpool/internal/keyring"
)

const (
	userSecret = "user-secret"
	appSecret  = "app-secret"
	// signingAlgorithm is what AWS's own key set announces (spec cognito-identity §10.3).
	signingAlgorithm = jose.RS512
	rsaBits          = 2048
)

// NewRing implements keyring.Holder.
func (h *Holder) NewRing(use string, now time.Time) (keyring.Ring, error) {
	var key keyring.Key
	var err error
	switch use {
	case keyring.Sealing:
		key = h.newSealingKey()
	case keyring.Signing:
		key, err = h.newSigningKey()
	case keyring.Guests:
		key = h.newGuestKey()
	default:
		key, err = h.newIssuerKey(use, now)
	}
	if err != nil {
		return keyring.Ring{}, err
	}
	key.State, key.Created = keyring.Active, now.UTC()
	return keyring.Ring{Use: use, Keys: []keyring.Key{key}}, nil
}

func (h *Holder) newSealingKey() keyring.Key {
	master := make([]byte, masterBytes)
	rand.Read(master)
	var id [sealingIDBytes]byte
	rand.Read(id[:])
	name := base64.RawURLEncoding.EncodeToString(id[:])
	return keyring.Key{ID: name, Algorithm: "HKDF-SHA256+A256GCM", Sealed: h.wrap(keyring.Sealing, name, master)}
}

// newGuestKey makes the key of sealed guests.
func (h *Holder) newGuestKey() keyring.Key {
	key := make([]byte, aesBytes)
	rand.Read(key)
	name := rand.Text()
	return keyring.Key{ID: name, Algorithm: "A256", Sealed: h.wrap(keyring.Guests, name, key)}
}

func (h *Holder) newSigningKey() (keyring.Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return keyring.Key{}, fmt.Errorf("making a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return keyring.Key{}, fmt.Errorf("making a signing key: %w", err)
	}
	jwk, err := publicJWK(&private.PublicKey, signingAlgorithm)
	if err != nil {
		return keyring.Key{}, err
	}
	text, err := jwk.MarshalJSON()
	if err != nil {
		return keyring.Key{}, fmt.Errorf("making a signing key: %w", err)
	}
	return keyring.Key{
		ID: jwk.KeyID, Algorithm: string(signingAlgorithm), Public: json.RawMessage(text),
		Sealed: h.wrap(keyring.Signing, jwk.KeyID, der),
	}, nil
}

// Open implements keyring.Holder.
func (h *Holder) Open(rings []keyring.Ring) (keyring.Keys, error) {
	k := &keys{holder: h, sealing: map[sealingID][]byte{}, issuers: map[string]*signing{}}
	for _, ring := range rings {
		for _, key := range ring.Keys {
			if key.State == keyring.Retired {
				continue
			}
			if err := k.add(ring.Use, key); err != nil {
				return nil, err
			}
		}
	}
	if k.sealing[k.activeSealing] == nil || k.own.signer == nil {
		return nil, errors.New("the store holds no active sealing or signing key")
	}
	return k, k.publish()
}

// publish writes the key sets.
func (k *keys) publish() error {
	err := k.own.publish()
	for use, s := range k.issuers {
		if s.signer == nil {
			err = errors.Join(err, fmt.Errorf("the ring %s holds no active key", use))
		}
		err = errors.Join(err, s.publish())
	}
	return err
}

func (k *keys) add(use string, key keyring.Key) error {
	plain, err := k.holder.unwrap(use, key.ID, key.Sealed)
	if err != nil {
		return err
	}
	switch use {
	case keyring.Sealing:
		id, err := parseSealingID(key.ID)
		if err != nil {
			return err
		}
		k.sealing[id] = plain
		if key.State == keyring.Active {
			k.activeSealing = id
		}
		return nil
	case keyring.Guests:
		k.guests, err = aes.NewCipher(plain)
		return err
	case keyring.Signing:
		return k.own.add(key, plain, signingAlgorithm, "JWS")
	}
	return k.addIssuerKey(use, key, plain)
}

// Guests implements keyring.Keys.
func (k *keys) Guests() cipher.Block { return k.guests }

// SealUserSecret implements keyring.Holder.
func (h *Holder) SealUserSecret(accessKeyID, secret string) ([]byte, error) {
	return h.wrap(userSecret, accessKeyID, []byte(secret)), nil
}

// UserSecret implements keyring.Keys.
func (k *keys) UserSecret(accessKeyID string, sealed []byte) (string, error) {
	plain, err := k.holder.unwrap(userSecret, accessKeyID, sealed)
	return string(plain), err
}

// SealAppSecret implements keyring.Holder. Ids of pools have no space.
func (h *Holder) SealAppSecret(poolID, provider, secret string) ([]byte, error) {
	return h.wrap(appSecret, poolID+" "+provider, []byte(secret)), nil
}

// AppSecret implements keyring.Keys.
func (k *keys) AppSecret(poolID, provider string, sealed []byte) (string, error) {
	plain, err := k.holder.unwrap(appSecret, poolID+" "+provider, sealed)
	return string(plain), err
}
