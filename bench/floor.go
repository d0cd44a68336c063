package main

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// floorCommand is the floor program: net/http with its defaults, and at three paths the work that nobody can leave out.
type floorCommand struct {
	Listen string `required:"" help:"Where to listen."`
	Keys   string `required:"" help:"The PEM file of the provider's public keys."`
}

// Run serves until it is told to stop.
func (c *floorCommand) Run(ctx context.Context) error {
	f, err := newFloor(c.Keys)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /echo", f.echo)
	mux.HandleFunc("POST /RS256", f.serve(f.rs256))
	mux.HandleFunc("POST /ES256", f.serve(f.es256))
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type floor struct {
	rsa    *rsa.PublicKey
	ec     *ecdsa.PublicKey
	aead   cipher.AEAD
	canned []byte
	next   atomic.Int64
}

func newFloor(keys string) (*floor, error) {
	text, err := os.ReadFile(keys)
	if err != nil {
		return nil, err
	}
	f := &floor{}
	if f.rsa, f.ec, err = readPublicKeys(text); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	if f.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, err
	}
	f.canned, err = json.Marshal(f.answer("us-east-1:00000000-1111-4222-8333-444444444444"))
	return f, err
}

// request and response are the members of GetCredentialsForIdentity.
type request struct {
	IdentityId string            `json:"IdentityId"`
	Logins     map[string]string `json:"Logins"`
}

type response struct {
	Credentials struct {
		AccessKeyId  string  `json:"AccessKeyId"`
		Expiration   float64 `json:"Expiration"`
		SecretKey    string  `json:"SecretKey"`
		SessionToken string  `json:"SessionToken"`
	} `json:"Credentials"`
	IdentityId string `json:"IdentityId"`
}

// sealedBytes makes a session token, and with it an answer, about as long as idpool's.
const sealedBytes = 400

func (f *floor) answer(identity string) *response {
	out := &response{IdentityId: identity}
	out.Credentials.AccessKeyId = fmt.Sprintf("ASIA%016d", f.next.Add(1))
	out.Credentials.Expiration = float64(time.Now().Unix() + 3600)
	out.Credentials.SecretKey = rand.Text() + rand.Text()[:14]
	out.Credentials.SessionToken = base64.RawURLEncoding.EncodeToString(f.aead.Seal(nil, nil, make([]byte, sealedBytes), nil))
	return out
}

func (f *floor) echo(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		http.Error(w, "no body", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = w.Write(f.canned)
}

// serve decodes, verifies, seals and encodes.
func (f *floor) serve(verify func(digest [sha256.Size]byte, signature []byte) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var in request
		if err == nil {
			err = json.Unmarshal(body, &in)
		}
		if err != nil || !verified(in.Logins, verify) {
			http.Error(w, "refused", http.StatusBadRequest)
			return
		}
		text, err := json.Marshal(f.answer(in.IdentityId))
		if err != nil {
			http.Error(w, "no answer", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write(text)
	}
}

func verified(logins map[string]string, verify func([sha256.Size]byte, []byte) bool) bool {
	for _, token := range logins {
		dot := strings.LastIndexByte(token, '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
		if dot < 0 || err != nil || !verify(sha256.Sum256([]byte(token[:dot])), signature) {
			return false
		}
	}
	return len(logins) > 0
}

func (f *floor) rs256(digest [sha256.Size]byte, signature []byte) bool {
	return rsa.VerifyPKCS1v15(f.rsa, crypto.SHA256, digest[:], signature) == nil
}

func (f *floor) es256(digest [sha256.Size]byte, signature []byte) bool {
	return len(signature) == 64 && ecdsa.Verify(f.ec, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}
