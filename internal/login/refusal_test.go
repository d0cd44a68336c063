package login

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"strconv"
	"strings"
	"testing"

	"idpool/internal/fault"
)

const (
	notOpenID   = "Invalid login token. Not a valid OpenId Connect identity token."
	notSAML     = "Invalid login token. Not a valid SAML response."
	notVerified = "Invalid login token. Couldn't verify signed token."
)

// refusals has every reason with the sentence of spec cognito-identity §4.1, byte for byte: some end without a full stop.
var refusals = []struct {
	name    string // of the constant
	refusal Refusal
	code    fault.Code
	message string
}{
	{"Malformed", Refusal{Reason: Malformed}, fault.NotAuthorized, notOpenID},
	{"IssuerMismatch", Refusal{Reason: IssuerMismatch}, fault.NotAuthorized, "Invalid login token. Issuer doesn't match providerName"},
	{"MissingClaim", Refusal{Reason: MissingClaim, Claim: "aud"}, fault.NotAuthorized, "Invalid login token. Missing a required claim: aud"},
	{"MissingClaim", Refusal{Reason: MissingClaim, Claim: "%d"}, fault.NotAuthorized, "Invalid login token. Missing a required claim: %d"},
	{"InvalidClaim", Refusal{Reason: InvalidClaim, Claim: "exp"}, fault.NotAuthorized, notOpenID},
	{"WrongTokenType", Refusal{Reason: WrongTokenType, Claim: "token_use"}, fault.NotAuthorized, notOpenID},
	{"AlgorithmRefused", Refusal{Reason: AlgorithmRefused}, fault.NotAuthorized, notVerified},
	{"KeyNotFound", Refusal{Reason: KeyNotFound}, fault.NotAuthorized, notVerified},
	{"BadSignature", Refusal{Reason: BadSignature}, fault.NotAuthorized, notVerified},
	{"Expired", Refusal{Reason: Expired, Now: 1589092400, Exp: 1589092129}, fault.NotAuthorized, "Invalid login token. Token expired: 1589092400 >= 1589092129"},
	{"Expired", Refusal{Reason: Expired, Now: 0, Exp: 0}, fault.NotAuthorized, "Invalid login token. Token expired: 0 >= 0"},
	{"NotYetValid", Refusal{Reason: NotYetValid, Claim: "nbf"}, fault.NotAuthorized, notOpenID},
	{"TooLong", Refusal{Reason: TooLong}, fault.NotAuthorized, notOpenID},
	{"AudienceMismatch", Refusal{Reason: AudienceMismatch, Claim: "aud"}, fault.NotAuthorized, "Token is not from a supported provider of this identity pool."},
	{"IssuerUnreachable", Refusal{Reason: IssuerUnreachable}, fault.ExternalService, "The identity provider is not responding."},
	{"Malformed", Refusal{Reason: Malformed, Kind: SAML}, fault.NotAuthorized, notSAML},
	{"InvalidClaim", Refusal{Reason: InvalidClaim, Kind: SAML, Claim: "NameID"}, fault.NotAuthorized, notSAML},
	{"NotYetValid", Refusal{Reason: NotYetValid, Kind: SAML}, fault.NotAuthorized, notSAML},
	{"Unsuccessful", Refusal{Reason: Unsuccessful, Kind: SAML}, fault.NotAuthorized, notSAML},
	{"Encrypted", Refusal{Reason: Encrypted, Kind: SAML}, fault.NotAuthorized, notSAML},
	{"MissingClaim", Refusal{Reason: MissingClaim, Kind: SAML, Claim: "NameID"}, fault.NotAuthorized, "Invalid login token. Missing a required claim: NameID"},
	{"BadSignature", Refusal{Reason: BadSignature, Kind: SAML}, fault.NotAuthorized, notVerified},
	{"MetadataExpired", Refusal{Reason: MetadataExpired, Kind: SAML}, fault.NotAuthorized, notVerified},
	{"RecipientMismatch", Refusal{Reason: RecipientMismatch, Kind: SAML}, fault.NotAuthorized, "Token is not from a supported provider of this identity pool."},
	{"Busy", Refusal{Reason: Busy}, fault.TooManyRequests, "Rate exceeded"},
	{"Rejected", Refusal{Reason: Rejected}, fault.NotAuthorized, notVerified},
	{"Inactive", Refusal{Reason: Inactive}, fault.NotAuthorized, "Token is inactive"},
	{"Ended", Refusal{Reason: Ended}, fault.NotAuthorized, "The login provider has been discontinued."},
	{"", Refusal{Reason: "a reason that nobody wrote a sentence for"}, fault.NotAuthorized, notVerified},
	{"", Refusal{}, fault.NotAuthorized, notVerified},
}

func TestRefusalFault(t *testing.T) {
	for _, c := range refusals {
		r := c.refusal
		r.Expected, r.Found, r.Cause = "what is configured", "something else", io.ErrUnexpectedEOF
		f := r.Fault()
		if f.Code != c.code || f.Message != c.message {
			t.Errorf("%s: got %s: %q, want %s: %q", r.Reason, f.Code, f.Message, c.code, c.message)
		}
		got, ok := errors.AsType[*Refusal](f)
		if !ok || got != &r || !errors.Is(f, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got the cause %v, want the refusal with its own", r.Reason, f.Cause)
		}
		if strings.Contains(f.Message, r.Expected) || strings.Contains(f.Message, r.Found) {
			t.Errorf("%s: got %q, want nothing of what is configured or found in it", r.Reason, f.Message)
		}
	}
}

// TestRefusalsAreComplete reads the reasons from the source: each has a row, a text of its own, and no row has another name.
func TestRefusalsAreComplete(t *testing.T) {
	declared := reasons(t)
	if len(declared) < 13 {
		t.Errorf("got %d reasons: not all were found", len(declared))
	}
	rows := map[string]Reason{}
	for _, c := range refusals {
		if c.name != "" {
			rows[c.name] = c.refusal.Reason
		}
	}
	texts := map[Reason]string{}
	for name, text := range declared {
		if got, ok := rows[name]; !ok || got != text {
			t.Errorf("%s: got a row for %q, want %q", name, got, text)
		}
		if other, taken := texts[text]; taken {
			t.Errorf("%s and %s are both %q", name, other, text)
		}
		texts[text] = name
	}
	for name := range rows {
		if _, ok := declared[name]; !ok {
			t.Errorf("the row %s is no reason", name)
		}
	}
}

// reasons are the constants of type Reason in refusal.go.
func reasons(t *testing.T) map[string]Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Reason{}
	for n := range ast.Preorder(file) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Reason" {
			continue
		}
		for i, name := range spec.Names {
			text, err := strconv.Unquote(spec.Values[i].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out[name.Name] = Reason(text)
		}
	}
	return out
}

// TestRefusalError is what an operator reads.
func TestRefusalError(t *testing.T) {
	for want, r := range map[string]Refusal{
		"login refused: audience mismatch (aud): expected a configured client id, found another": {
			Reason: AudienceMismatch, Claim: "aud", Expected: "a configured client id", Found: "another", Cause: io.EOF,
		},
		"login refused: bad signature: expected a signature, found none that fits": {
			Reason: BadSignature, Expected: "a signature", Found: "none that fits",
		},
	} {
		if got := r.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
