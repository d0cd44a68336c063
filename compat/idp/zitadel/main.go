// Command zitadel runs an OpenID provider made of github.com/zitadel/oidc on a loopback address: its
// own server and its own login form, with keys that change when a line "rotate" is read. It prints its issuer, and
// "rotated" after each change.
package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: zitadel REDIRECT-URI")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	issuer := "http://" + listener.Addr().String()
	storage.RegisterClients(storage.WebClient("app", "secret", os.Args[1]))
	keys := &rotating{Storage: storage.NewStorage(storage.NewUserStore(issuer))}
	if err := keys.rotate(); err != nil {
		log.Fatal(err)
	}
	handler := exampleop.SetupServer(issuer, keys, slog.New(slog.DiscardHandler), false)
	go func() { log.Fatal(http.Serve(listener, handler)) }()
	fmt.Println(issuer)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() != "rotate" {
			log.Fatal("not understood: " + lines.Text())
		}
		if err := keys.rotate(); err != nil {
			log.Fatal(err)
		}
		fmt.Println("rotated")
	}
}

// rotating is the library's storage with keys of our own: the first is RSA, the next is P-256, and so on in turn. The key
// before is withdrawn at once.
type rotating struct {
	*storage.Storage

	mu      sync.Mutex
	number  int
	alg     jose.SignatureAlgorithm
	private crypto.Signer
}

func (r *rotating) rotate() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.number++
	if r.number%2 == 1 {
		r.alg = jose.RS256
		r.private, err = rsa.GenerateKey(rand.Reader, 2048)
		return err
	}
	r.alg = jose.ES256
	r.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return err
}

// held is a key as the library wants it, private or public.
type held struct {
	id  string
	alg jose.SignatureAlgorithm
	key any
}

func (k *held) ID() string                                  { return k.id }
func (k *held) SignatureAlgorithm() jose.SignatureAlgorithm { return k.alg }
func (k *held) Algorithm() jose.SignatureAlgorithm          { return k.alg }
func (k *held) Use() string                                 { return "sig" }
func (k *held) Key() any                                    { return k.key }

// SigningKey is the key that tokens are signed with.
func (r *rotating) SigningKey(context.Context) (op.SigningKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &held{"key-" + strconv.Itoa(r.number), r.alg, r.private}, nil
}

// SignatureAlgorithms are those of the keys.
func (r *rotating) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256, jose.ES256}, nil
}

// KeySet is the published key.
func (r *rotating) KeySet(context.Context) ([]op.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return []op.Key{&held{"key-" + strconv.Itoa(r.number), r.alg, r.private.Public()}}, nil
}
