package cognitocreds

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity/types"
)

// fake answers from a script: one error, or none, for each call of GetCredentialsForIdentity.
type fake struct {
	ids     []string // handed out by GetId, in order
	errs    []error
	asked   []string // identities that credentials were asked for
	expires time.Time
}

func (f *fake) GetId(context.Context, *cognitoidentity.GetIdInput, ...func(*cognitoidentity.Options)) (*cognitoidentity.GetIdOutput, error) {
	id := f.ids[0]
	f.ids = f.ids[1:]
	return &cognitoidentity.GetIdOutput{IdentityId: &id}, nil
}

func (f *fake) GetCredentialsForIdentity(_ context.Context, in *cognitoidentity.GetCredentialsForIdentityInput, _ ...func(*cognitoidentity.Options)) (*cognitoidentity.GetCredentialsForIdentityOutput, error) {
	f.asked = append(f.asked, *in.IdentityId)
	if n := len(f.asked) - 1; n < len(f.errs) && f.errs[n] != nil {
		return nil, f.errs[n]
	}
	return &cognitoidentity.GetCredentialsForIdentityOutput{IdentityId: in.IdentityId, Credentials: &types.Credentials{
		AccessKeyId: aws.String("ASIA1"), SecretKey: aws.String("s"), SessionToken: aws.String("t"), Expiration: &f.expires,
	}}, nil
}

func TestCredentialsAreKeptUntilTheyEnd(t *testing.T) {
	f := &fake{ids: []string{"i"}, expires: time.Now().Add(time.Hour)}
	p := New(f, Options{IdentityPoolID: "p"})
	for range 3 {
		c, err := p.Retrieve(t.Context())
		if err != nil || c.AccessKeyID != "ASIA1" || c.Source != ProviderName || !c.CanExpire {
			t.Fatalf("got %v, %v", c.Source, err)
		}
	}
	if len(f.asked) != 1 {
		t.Errorf("asked %d times, want once", len(f.asked))
	}
}

func TestAnIdentityThatIsGoneIsFoundAnew(t *testing.T) {
	f := &fake{ids: []string{"old", "new"}, expires: time.Now().Add(-time.Second), errs: []error{nil, &types.NotAuthorizedException{}}}
	p := New(f, Options{IdentityPoolID: "p"})
	for range 2 {
		if _, err := p.Retrieve(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"old", "old", "new"}; len(f.asked) != 3 || f.asked[2] != want[2] {
		t.Errorf("asked for %v, want %v", f.asked, want)
	}
}

func TestErrorsAreReturned(t *testing.T) {
	refused := &types.NotAuthorizedException{}
	for name, tc := range map[string]struct {
		f *fake
		o Options
	}{
		"a new identity that is refused":   {&fake{ids: []string{"i"}, errs: []error{refused}}, Options{IdentityPoolID: "p"}},
		"a given identity is not replaced": {&fake{errs: []error{refused}}, Options{IdentityID: "i"}},
		"logins that cannot be had": {&fake{}, Options{IdentityID: "i", Logins: func(context.Context) (map[string]string, error) {
			return nil, errors.New("no token")
		}}},
	} {
		if _, err := New(tc.f, tc.o).Retrieve(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
		if len(tc.f.asked) > 1 {
			t.Errorf("%s: asked %d times", name, len(tc.f.asked))
		}
	}
}
