package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"idpool/internal/setup"
)

// provider is an OpenID Connect provider over TLS on a loopback address.
type provider struct {
	issuer string
	key    string // in a Logins map
	caFile string
	pem    string // file of the public keys, for the floor program
	rsa    *rsa.PrivateKey
	ec     *ecdsa.PrivateKey
	server *http.Server
	next   atomic.Int64 // makes every token another one
}

// startProvider listens on 127.0.0.1:port; 0 takes a free one. Its files go to dir.
func startProvider(dir string, port int) (*provider, error) {
	p := &provider{caFile: filepath.Join(dir, "ca.pem"), pem: filepath.Join(dir, "keys.pem")}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("the identity provider: %w", err)
	}
	p.key = l.Addr().String()
	p.issuer = "https://" + p.key
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	if err := p.writeKeys(); err != nil {
		return nil, err
	}
	certificate, err := p.certificate()
	if err != nil {
		return nil, err
	}
	p.server = &http.Server{Handler: p, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	go func() { _ = p.server.ServeTLS(l, "", "") }() // it ends with close
	return p, nil
}

func (p *provider) close() error { return p.server.Close() }

func (p *provider) writeKeys() error {
	var text []byte
	for _, key := range []any{&p.rsa.PublicKey, &p.ec.PublicKey} {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return err
		}
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	}
	return os.WriteFile(p.pem, text, 0o600)
}

func readPublicKeys(text []byte) (*rsa.PublicKey, *ecdsa.PublicKey, error) {
	var keys []any
	for range 2 {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, nil, errors.New("the file holds fewer than two keys")
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, nil, err
		}
		keys, text = append(keys, key), rest
	}
	a, ok1 := keys[0].(*rsa.PublicKey)
	b, ok2 := keys[1].(*ecdsa.PublicKey)
	if !ok1 || !ok2 {
		return nil, nil, errors.New("the file holds other keys")
	}
	return a, b, nil
}

// certificate makes one for the address, signed by itself, and writes it for idpool to trust.
func (p *provider) certificate() (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &p.ec.PublicKey, p.ec)
	if err != nil {
		return tls.Certificate{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: p.ec}, os.WriteFile(p.caFile, text, 0o600)
}

// ServeHTTP serves the discovery document and the key set.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=86400")
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.issuer, "jwks_uri": p.issuer + "/keys", "response_types_supported": []string{"id_token"},
			"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256", "ES256"},
		})
	case "/keys":
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": p.keys()})
	default:
		http.NotFound(w, r)
	}
}

func (p *provider) keys() []map[string]string {
	point, err := p.ec.PublicKey.Bytes()
	if err != nil {
		panic(err) // the curve is P-256
	}
	return []map[string]string{
		{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "RS256", "n": b64(p.rsa.N.Bytes()), "e": b64(big.NewInt(int64(p.rsa.E)).Bytes())},
		{"kty": "EC", "use": "sig", "alg": "ES256", "kid": "ES256", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token signs a token of about 1,400 bytes for a subject, with claims as a large provider writes them. No two are equal.
func (p *provider) token(alg, subject string) (string, error) {
	signed := p.unsigned(alg, subject)
	signature, err := p.sign(alg, sha256.Sum256([]byte(signed)))
	return signed + "." + b64(signature), err
}

func (p *provider) unsigned(alg, subject string) string {
	now := time.Now().Unix()
	payload := fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":%q,"azp":%q,"iat":%d,"exp":%d,"jti":"c8a3d2f1e0b94f6fa1e8%020d",`+
		`"email":"somebody.with.a.name@mail.example","email_verified":true,"at_hash":"HK6E_P6Dh8Y93mRNtsDB1Q","name":"Somebody With A Name",`+
		`"picture":"https://images.example.com/a-/AOh14GjlTnZKHAeb94A-FmEbwZv7uJD986VOF1mJGb2YYQ=s96-c","given_name":"Somebody",`+
		`"family_name":"Name","locale":"en","nonce":"n-0S6_WzA2Mj","hd":"example.com","groups":["readers","writers","of-the-weekly-letter"]}`,
		p.issuer, subject, setup.DevAudience, setup.DevAudience, now, now+3600, p.next.Add(1))
	return b64([]byte(`{"alg":"`+alg+`","kid":"`+alg+`","typ":"JWT"}`)) + "." + b64([]byte(payload))
}

// forged is a token like those of token, but for its signature, which is a number like any other: all of the work of
// verifying it must be done before that shows.
func (p *provider) forged(subject string) string {
	signature := make([]byte, p.rsa.Size())
	_, _ = rand.Read(signature) // it cannot fail
	signature[0] = 0            // below the modulus
	return p.unsigned("RS256", subject) + "." + b64(signature)
}

// malformed is a token that is none, in one of several ways by n.
func (p *provider) malformed(subject string, n int) string {
	whole := p.forged(subject)
	header, rest, _ := strings.Cut(whole, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	switch n % 4 {
	case 0: // no JSON
		return header + "." + payload[:len(payload)/8*4] + "." + signature
	case 1: // no algorithm
		return b64([]byte(`{"alg":"none","kid":"RS256","typ":"JWT"}`)) + "." + rest
	case 2: // no signature
		return header + "." + payload + "."
	default: // no base64url
		return whole[:len(whole)-2] + "=="
	}
}

func (p *provider) sign(alg string, digest [sha256.Size]byte) ([]byte, error) {
	if alg == "RS256" {
		return rsa.SignPKCS1v15(nil, p.rsa, crypto.SHA256, digest[:])
	}
	r, s, err := ecdsa.Sign(rand.Reader, p.ec, digest[:])
	if err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out, nil
}
