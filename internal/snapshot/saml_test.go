package snapshot_test

import (
	"errors"
	"strings"
	"testing"

	"idpool/internal/account"
	"idpool/internal/login"
	"idpool/internal/pool"
	"idpool/internal/snapshot"
)

// A pool takes logins of the SAML providers that exist, by their newest metadata, under their ARN.
func TestSAMLProvidersOfAPool(t *testing.T) {
	w := newWorld(t)
	w.source.Compiler.Metadata = func(document []byte) (*login.Metadata, error) {
		entity, ok := strings.CutPrefix(string(document), "metadata of ")
		if !ok {
			return nil, errors.New("no metadata")
		}
		return &login.Metadata{EntityID: entity}, nil
	}
	corp := &account.SAMLProvider{Name: "Corp", ID: "A", Created: w.now, Metadata: "metadata of one"}
	arn := corp.ARN(owner)
	p := &pool.Pool{ID: "us-east-1:1", SAMLProviders: []string{arn}}
	other := &pool.Pool{ID: "us-east-1:2"}
	w.mustWrite(snapshot.PutPool(p, 0), snapshot.PutPool(other, 0))
	provider := func() *login.Provider { return w.mustCurrent().Pool(p.ID).Providers[arn] }
	if got := w.mustCurrent().Pool(p.ID).Providers; len(got) != 0 {
		t.Errorf("before the provider exists: %v", got)
	}
	w.mustWrite(snapshot.PutSAMLProvider(corp, 0))
	first := provider()
	if first == nil || first.Kind != login.SAML || first.Key != arn || first.ARN != arn || first.Issuer != "one" || first.SAML.EntityID != "one" {
		t.Fatalf("got %+v", first)
	}
	if got := w.mustCurrent().Pool(other.ID).Providers; len(got) != 0 {
		t.Errorf("a pool without it: %v", got)
	}

	corp.Tags = map[string]string{"team": "blue"}
	w.mustWrite(snapshot.PutSAMLProvider(corp, 1))
	if got := provider(); got.Config != first.Config {
		t.Errorf("a tag changed the configuration from %s to %s", first.Config, got.Config)
	}
	corp.Metadata = "metadata of two"
	w.mustWrite(snapshot.PutSAMLProvider(corp, 2))
	if got := provider(); got == nil || got.SAML.EntityID != "two" || got.Config == first.Config {
		t.Errorf("after its change: %+v; a configuration of its own: %v", got, got.Config != first.Config)
	}

	// Metadata that cannot be read takes the logins with it, until it is mended.
	corp.Metadata = "something else"
	w.mustWrite(snapshot.PutSAMLProvider(corp, 3))
	if s := w.mustCurrent(); provider() != nil || s.SAMLProvider(arn) != nil || len(s.Broken) != 1 {
		t.Errorf("with metadata that cannot be read: %v, broken %v", provider(), s.Broken)
	}
	corp.Metadata = "metadata of two"
	w.mustWrite(snapshot.PutSAMLProvider(corp, 4))
	if s := w.mustCurrent(); provider() == nil || len(s.Broken) != 0 {
		t.Errorf("after it was mended: %v, broken %v", provider(), s.Broken)
	}

	s := w.mustCurrent()
	if s.SAMLProviderNamed("CORP") == nil || s.SAMLProvider(strings.ToLower(arn)) != nil || len(s.SAMLProviders()) != 1 {
		t.Error("names are unique without case, ARNs are compared with it")
	}
	w.mustWrite(snapshot.DeleteSAMLProvider("Corp", 5))
	if s := w.mustCurrent(); provider() != nil || len(s.SAMLProviders()) != 0 {
		t.Errorf("after its deletion: %v", provider())
	}
}

// Where nothing reads metadata, a provider is broken and its logins are refused.
func TestSAMLProviderWithoutReader(t *testing.T) {
	w := newWorld(t)
	corp := &account.SAMLProvider{Name: "corp", Metadata: "m"}
	w.mustWrite(snapshot.PutSAMLProvider(corp, 0))
	if s := w.mustCurrent(); s.SAMLProvider(corp.ARN(owner)) != nil || len(s.Broken) != 1 {
		t.Errorf("got %v, broken %v", s.SAMLProvider(corp.ARN(owner)), s.Broken)
	}
}
