// Package saml verifies SAML 2.0 responses, as the POST binding sends them, and reads the metadata of their providers.
//
// A response passes a strict parser of our own first (document.go): what is ambiguous to any reader is refused, so that
// no two readers can disagree on it. Then its parts are found (response.go), the signature is checked by a key of the
// provider's metadata (signature.go, reference.go, canonical.go, algorithm.go), and the canonical bytes that the
// signature covers are parsed anew. What an assertion says is read from these bytes alone (assertion.go, conditions.go,
// attributes.go): so it does not matter what else a document holds, or in which order.
//
// An assertion may be used again inside its own window, as with AWS: SDKs send one response to GetId and again to
// GetCredentialsForIdentity, and an application sends it again when credentials have ended. So whoever has a response
// has the login until the window ends; providers should keep it short. OneTimeUse asks for nothing that is kept here.
//
// Encrypted assertions are refused. Nothing is ever fetched.
package saml

import (
	"context"
	"time"

	"idpool/internal/login"
)

// The defaults and bounds of Options.
const (
	// DefaultAudience is the AudienceRestriction of assertions that are made for AWS.
	DefaultAudience = "urn:amazon:webservices"
	// DefaultRecipient is the Recipient of assertions that are made for AWS.
	DefaultRecipient = "https://signin.aws.amazon.com/saml"
	// MaxSkew is how far a provider's clock may be ahead of ours.
	MaxSkew = time.Minute
	// STSMaxAge is for how long after its issue AWS takes an assertion in AssumeRoleWithSAML (spec sts §1.6).
	STSMaxAge = 5 * time.Minute
)

// Recipients are the places that assertions for AWS name, of all regions and of one. Providers that are set up for AWS
// send to either.
func Recipients(region string) []string {
	return []string{DefaultRecipient, "https://" + region + ".signin.aws.amazon.com/saml"}
}

// Options are the settings of a Verifier. The zero value is the default.
type Options struct {
	// Audiences are those of which an AudienceRestriction must name one; none means DefaultAudience.
	Audiences []string
	// Recipients are those of which a SubjectConfirmation must name one, and a Destination too, where there is one; none
	// means DefaultRecipient.
	Recipients []string
	// Skew is how far NotBefore and IssueInstant may lie ahead: 0 means MaxSkew, which is also the most; below 0 means
	// not at all. What has ended has ended, without any skew.
	Skew time.Duration
	// MaxAge is for how long after IssueInstant an assertion is taken, beside its own windows; 0 means no such limit.
	MaxAge time.Duration
	// Admit, where set, runs the reading of a response and the check of its signatures in its turn, or returns an error
	// without running it: so that a flood of responses cannot make all other requests slow (security F3).
	// *admission.Pool's Do is one.
	Admit func(ctx context.Context, work func()) error
}

// Verifier is the login.Verifier for login.SAML. It is safe for concurrent use.
type Verifier struct {
	opts  Options
	suite *suite
}

var _ login.Verifier = (*Verifier)(nil)

// New returns a verifier.
func New(opts Options) *Verifier {
	if len(opts.Audiences) == 0 {
		opts.Audiences = []string{DefaultAudience}
	}
	if len(opts.Recipients) == 0 {
		opts.Recipients = []string{DefaultRecipient}
	}
	if opts.Skew == 0 || opts.Skew > MaxSkew {
		opts.Skew = MaxSkew
	}
	opts.Skew = max(opts.Skew, 0)
	if opts.Admit == nil {
		opts.Admit = func(_ context.Context, work func()) error { work(); return nil }
	}
	return &Verifier{opts: opts, suite: &strong}
}

// Verify returns the login that the response, in base64, proves, or a *login.Refusal. The response's attributes are the
// claims (see attributes.go); its NameID is the subject.
//
// The order is: bytes, structure, signatures, and only then what the assertion says, so that nobody can ask us about
// assertions that nobody issued.
func (v *Verifier) Verify(ctx context.Context, p *login.Provider, token string, now time.Time) (*login.Login, error) {
	l, refusal := v.verify(ctx, p, token, now)
	if refusal != nil {
		refusal.Kind = login.SAML
		return nil, refusal
	}
	return l, nil
}

func (v *Verifier) verify(ctx context.Context, p *login.Provider, token string, now time.Time) (l *login.Login, refusal *login.Refusal) {
	if refusal := checkProvider(p, now); refusal != nil {
		return nil, refusal
	}
	document, err := decode(token)
	if err != nil {
		return nil, malformed("a response in base64, of at most 100000 bytes", err.Error())
	}
	err = v.opts.Admit(ctx, func() { l, refusal = v.read(p, document, now) })
	if err != nil {
		return nil, &login.Refusal{Reason: login.Busy, Expected: "a turn to be verified", Found: "too many others waiting", Cause: err}
	}
	return l, refusal
}

// checkProvider wants a SAML provider whose metadata is in force.
func checkProvider(p *login.Provider, now time.Time) *login.Refusal {
	if p.Kind != login.SAML || p.SAML == nil || p.SAML.EntityID == "" {
		return &login.Refusal{Reason: login.IssuerUnreachable, Expected: "a SAML provider with metadata", Found: "another provider"}
	}
	if until := p.SAML.ValidUntil; !until.IsZero() && !now.Before(until) {
		return &login.Refusal{Reason: login.MetadataExpired, Claim: "validUntil", Expected: "metadata that is in force", Found: "metadata that ended " + ago(now, until)}
	}
	return nil
}

// read makes every check of a document, in order.
func (v *Verifier) read(p *login.Provider, document []byte, now time.Time) (*login.Login, *login.Refusal) {
	root, err := parse(document, responseLimits)
	if err != nil {
		return nil, malformed("a plain XML document", err.Error())
	}
	r, refusal := locate(root)
	if refusal != nil {
		return nil, refusal
	}
	signed, refusal := r.verify(v.suite, p.SAML.Certificates)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := v.checkResponse(signed.response, root, p.SAML.EntityID); refusal != nil {
		return nil, refusal
	}
	a, refusal := v.readAssertion(signed.assertion, p.SAML.EntityID, now)
	if refusal != nil {
		return nil, refusal
	}
	return a.login(p), nil
}
