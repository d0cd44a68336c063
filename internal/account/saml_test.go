package account

import (
	"errors"
	"strings"
	"testing"
	"time"

	"idpool/internal/fault"
	"idpool/internal/login"
)

func TestSAMLProviderValidate(t *testing.T) {
	read := func(document []byte) (*login.Metadata, error) {
		if string(document) != "good" {
			return nil, errors.New("no EntityDescriptor")
		}
		return &login.Metadata{EntityID: "e"}, nil
	}
	for name, valid := range map[string]bool{
		"corp": true, "A_b.c-9": true, strings.Repeat("a", 128): true,
		"": false, strings.Repeat("a", 129): false, "a/b": false, "a b": false, "a,b": false, "é": false, "a\n": false,
	} {
		got, err := (&SAMLProvider{Name: name, Metadata: "good"}).Validate(read)
		if valid && (err != nil || got.EntityID != "e") {
			t.Errorf("%q: got %v, %v", name, got, err)
		}
		if !valid {
			wantFault(t, err, fault.Validation, "The name of the SAML provider is invalid.")
		}
	}
	_, err := (&SAMLProvider{Name: "corp", Metadata: "bad"}).Validate(read)
	wantFault(t, err, fault.InvalidParameter, "Could not parse metadata: no EntityDescriptor")
}

func TestSAMLProviderValidUntil(t *testing.T) {
	p := SAMLProvider{Created: made}
	if got, want := p.ValidUntil(&login.Metadata{}), time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	until := made.Add(time.Hour)
	if got := p.ValidUntil(&login.Metadata{ValidUntil: until}); !got.Equal(until) {
		t.Errorf("got %v, want %v", got, until)
	}
}

func TestSAMLProviderJSON(t *testing.T) {
	testJSON(t, SAMLProvider{"corp", "ID", made, "<a b='c'>\r\n\té&amp;</a>", someMap},
		`{"name":"corp","id":"ID","created":"2026-01-02T03:04:05Z","metadata":"\u003ca b='c'\u003e\r\n\té\u0026amp;\u003c/a\u003e","tags":{"k":"v"}}`)
	if got := (&SAMLProvider{Name: "corp"}).ARN("111122223333"); got != "arn:aws:iam::111122223333:saml-provider/corp" {
		t.Errorf("got %s", got)
	}
}
