package oidc

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"idpool/internal/cache"
	"idpool/internal/login"
	"idpool/internal/strictjson"
)

// The limits of a token (requirement 1, security A3 and A6), in bytes.
const (
	maxToken  = 50_000
	maxHeader = 4 << 10
	maxKeyID  = 256
)

// token is a JWS in compact serialization (RFC 7515 §3.1), taken apart. Nothing of it is believed yet.
type token struct {
	alg       string
	kid       string // "" when the header names none
	signed    []byte // header and payload as sent: what the signature covers
	header    []byte
	payload   []byte
	signature []byte
	// decoded is header, payload and signature one after the other, with the lengths of the first two in front: no two tokens
	// have the same.
	decoded []byte
	// id and turn are what the verification is remembered by; see recall.
	id   verifiedID
	turn cache.Turn
	// key is the key that verified the signature; nil as long as none has.
	key *key
}

// strict decodes base64url without padding and wants zero trailing bits. It would skip line breaks; split does not.
var strict = base64.RawURLEncoding.Strict()

// parseToken takes a token apart and reads its header.
func parseToken(raw string) (*token, *login.Refusal) {
	t, refusal := takeApart(raw)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := t.readHeader(); refusal != nil {
		return nil, refusal
	}
	return t, nil
}

// lengthsBytes is what the lengths in front of a decoded token take.
const lengthsBytes = 8

// takeApart decodes the segments of a token and reads none of them.
func takeApart(raw string) (*token, *login.Refusal) {
	dot1, dot2, err := split(raw)
	if err != nil {
		return nil, malformed("three non-empty segments of base64url", err)
	}
	if strict.DecodedLen(dot1) > maxHeader {
		return nil, malformed("a header of at most 4096 bytes", errors.New("a longer one"))
	}
	// One piece of memory: the text, and behind it what its segments hold.
	room := make([]byte, len(raw)+lengthsBytes+strict.DecodedLen(len(raw)))
	n := copy(room, raw)
	text, decoded := room[:n:n], room[n:n+lengthsBytes]
	decoded, header, err1 := decodeSegment(decoded, text[:dot1])
	decoded, payload, err2 := decodeSegment(decoded, text[dot1+1:dot2])
	decoded, signature, err3 := decodeSegment(decoded, text[dot2+1:])
	if err1 != nil || err2 != nil || err3 != nil {
		return nil, malformed("three non-empty segments of base64url", misspelled(raw))
	}
	binary.BigEndian.PutUint32(decoded, uint32(len(header)))
	binary.BigEndian.PutUint32(decoded[4:], uint32(len(payload)))
	return &token{signed: text[:dot2], header: header, payload: payload, signature: signature, decoded: decoded}, nil
}

// decodeSegment appends what a segment holds to out, and also returns it alone.
func decodeSegment(out, segment []byte) (all, alone []byte, err error) {
	all, err = strict.AppendDecode(out, segment)
	return all, all[len(out):], err
}

var (
	errNotCanonical = errors.New("a segment that is not canonical base64url")
	errAlphabet     = errors.New("a byte outside the alphabet")
)

// split finds the two dots of a token. Line ends, which the decoder would skip, are refused here; other bytes that do not
// belong, by the decoder. It allocates nothing, whatever it is given.
func split(raw string) (dot1, dot2 int, err error) {
	if len(raw) > maxToken {
		return 0, 0, errTooLong
	}
	dot1, dot2 = strings.IndexByte(raw, '.'), strings.LastIndexByte(raw, '.')
	switch {
	case strings.IndexByte(raw, '\r') >= 0, strings.IndexByte(raw, '\n') >= 0, strings.Count(raw, ".") != 2,
		dot1 == 0, dot2 == dot1+1, dot2 == len(raw)-1:
		return 0, 0, misspelled(raw)
	}
	return dot1, dot2, nil
}

// misspelled says what is wrong with a token that cannot be taken apart: the first thing that a reader meets.
func misspelled(raw string) error {
	n := 0
	for i := range len(raw) {
		switch {
		case alphabet[raw[i]]:
		case raw[i] != '.':
			return errAlphabet
		case n == 2:
			return errManySegments
		default:
			n++
		}
	}
	switch {
	case n < 2:
		return errFewSegments
	case raw[0] == '.', strings.Contains(raw, ".."), raw[len(raw)-1] == '.':
		return errEmptySegment
	}
	return errNotCanonical
}

var (
	errTooLong      = fmt.Errorf("more than %d bytes", maxToken)
	errFewSegments  = errors.New("fewer than three segments")
	errManySegments = errors.New("more than three segments")
	errEmptySegment = errors.New("an empty segment")
)

// alphabet marks the letters of base64url (RFC 4648 §5).
var alphabet = func() (letters [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		letters[c] = true
	}
	return letters
}()

// forbidden are the header members that change what a token means or where its key comes from (requirement 4). Ignoring
// them would be taking the token for something that its issuer did not say.
var forbidden = [...]string{"crit", "b64", "zip", "cty", "enc", "jku", "x5u", "jwk"}

// readHeader reads the members that we know. Others, such as x5t, are ignored.
func (t *token) readHeader() *login.Refusal {
	header, err := strictjson.Object(t.header)
	if err != nil {
		return malformed("a header that is a JSON object", err)
	}
	for _, name := range forbidden {
		if _, ok := header[name]; ok {
			return malformed("a plain signed token", errors.New("the header member "+name))
		}
	}
	var ok bool
	if t.alg, ok = header["alg"].(string); !ok || t.alg == "" {
		return malformed("a header with alg as a string", errors.New("none"))
	}
	if kid, present := header["kid"]; present {
		if t.kid, ok = kid.(string); !ok || !isKeyID(t.kid) {
			return malformed("kid as 1 to 256 printable ASCII characters", errors.New("something else"))
		}
	}
	if typ, present := header["typ"]; present && typ != "JWT" && typ != "jwt" {
		return &login.Refusal{Reason: login.WrongTokenType, Expected: "the type JWT, or none", Found: "another type in the header"}
	}
	return nil
}

func isKeyID(s string) bool {
	if s == "" || len(s) > maxKeyID {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// malformed refuses a token that cannot be read. The error becomes a description, so it must quote nothing.
func malformed(expected string, found error) *login.Refusal {
	return &login.Refusal{Reason: login.Malformed, Expected: expected, Found: found.Error()}
}
