package iam_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"idpool/internal/client"
	"idpool/internal/config"
	"idpool/internal/iam"
	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

// actions are all operations, in the order of the table; writers those that change something.
func actions() (all, writers []string) {
	for _, r := range (&iam.Service{}).Table().Rows {
		all = append(all, r.Name)
		if r.Writes {
			writers = append(writers, r.Name)
		}
	}
	return all, writers
}

// faulty starts a server whose store fails on request.
func faulty(t *testing.T) (*idpooltest.Server, *storetest.Faulty) {
	var f *storetest.Faulty
	s := idpooltest.Start(t, idpooltest.Options{WrapStore: func(s *store.Store) *store.Store {
		f = storetest.NewFaulty(s)
		return f.Store
	}})
	return s, f
}

// Every operation has a request here, answers it in the service's namespace, and tells a caller without a policy only that
// he may not; nothing is written for him, and nothing is told to whoever does not sign.
func TestEveryOperation(t *testing.T) {
	s, f := faulty(t)
	root := as(t, s, nil)
	key := world(root)
	root.must("CreateRole", "RoleName", "bare", "AssumeRolePolicyDocument", trustRoot)
	root.must("CreateUser", "UserName", "bare")
	root.must("CreatePolicy", "PolicyName", "bare", "PolicyDocument", readS3)
	nobody, guest := as(t, s, root.mustUser("nobody", "")), as(t, s, s.MustVend("").Signer())
	all, _ := actions()
	if len(all) != 81 || len(requests) != len(all) {
		t.Fatalf("got %d operations and %d requests, want 81 of each", len(all), len(requests))
	}
	before := f.Calls(storetest.DocumentsWrite)
	for _, action := range all {
		want := "is not authorized to perform: iam:" + action + " on resource: "
		for name, c := range map[string]caller{"nobody": nobody, "guest": guest} {
			if got := c.refused(403, "AccessDenied", action, request(action, key)...); !strings.Contains(got, want) {
				t.Errorf("%s as %s: got %q, want %q in it", action, name, got, want)
			}
		}
		caller{t, s.Client(), nil}.refused(403, "MissingAuthenticationToken", action, request(action, key)...)
	}
	if got := f.Calls(storetest.DocumentsWrite); got != before {
		t.Errorf("refused requests wrote %d times", got-before)
	}
	for _, action := range slices.DeleteFunc(all, func(a string) bool { return strings.HasPrefix(a, "Delete") || strings.HasPrefix(a, "Un") }) {
		root.must(action, request(action, key)...)
	}
}

// A writer who is always overtaken is told so, by every operation that changes something, and changed nothing.
func TestConflicts(t *testing.T) {
	s, f := faulty(t)
	root := as(t, s, nil)
	key := world(root)
	root.must("CreateRole", "RoleName", "bare", "AssumeRolePolicyDocument", trustRoot)
	root.must("CreateUser", "UserName", "bare")
	root.must("CreatePolicy", "PolicyName", "bare", "PolicyDocument", readS3)
	_, writers := actions()
	if len(writers) != 48 {
		t.Fatalf("got %d operations that write, want 48", len(writers))
	}
	root.must("EnableOutboundWebIdentityFederation") // the keys are made once
	root.must("DisableOutboundWebIdentityFederation")
	before := root.must("GetAccountAuthorizationDetails")
	for _, action := range writers {
		if action == "DisableOutboundWebIdentityFederation" {
			root.must("EnableOutboundWebIdentityFederation")
		}
		writes := f.Calls(storetest.DocumentsWrite)
		for range 5 {
			f.FailNext(storetest.DocumentsWrite, storetest.Before, store.ErrConflict)
		}
		root.refused(409, "ConcurrentModification", action, request(action, key)...)
		if got := f.Calls(storetest.DocumentsWrite) - writes; got != 5 {
			t.Errorf("%s: got %d tries, want 5", action, got)
		}
	}
	if after := root.must("GetAccountAuthorizationDetails"); body(after) != body(before) {
		t.Errorf("got %s, want %s", after, before)
	}
}

// TestOutbound: the feature is switched on and off, once each; its issuer is below ours.
func TestOutbound(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := as(t, s, nil)
	const enable, info, disable = "EnableOutboundWebIdentityFederation", "GetOutboundWebIdentityFederationInfo", "DisableOutboundWebIdentityFederation"
	for range 2 {
		if got := root.only(root.must(enable), "IssuerIdentifier"); got != "https://idpool.test/outbound" {
			t.Errorf("got %s", got)
		}
		if got := root.refused(409, "FeatureEnabled", enable); got != "Outbound web identity federation is already enabled for this account." {
			t.Errorf("got %q", got)
		}
		if got := root.must(info); !strings.Contains(got, "<JwtVendingEnabled>true</JwtVendingEnabled>") || root.only(got, "IssuerIdentifier") != "https://idpool.test/outbound" {
			t.Errorf("got %s", got)
		}
		root.must(disable)
		root.refused(404, "FeatureDisabled", disable)
		root.refused(404, "FeatureDisabled", info)
	}
	for _, own := range []string{"https://idpool.test", "https://idpool.test/outbound", "https://IDPOOL.TEST/", "https://idpool.test/outbound/"} {
		if got := root.refused(400, "InvalidInput", "CreateOpenIDConnectProvider", "Url", own); got != "The issuer of this service cannot be an OpenID Connect provider." {
			t.Errorf("%s: got %q", own, got)
		}
	}
	root.must("CreateOpenIDConnectProvider", "Url", "https://idpool.test/realms/one")
}

// TestTrustAnyPool: a role that trusts our issuer names its pools, unless the configuration says otherwise (security E5).
func TestTrustAnyPool(t *testing.T) {
	const anyPool = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`
	const sentence = "A role that trusts cognito-identity.amazonaws.com must limit cognito-identity.amazonaws.com:aud to the ids of identity pools."
	for _, allowed := range []bool{false, true} {
		root := as(t, idpooltest.Start(t, idpooltest.Options{Configure: func(c *config.Config) { c.TrustAnyPool = allowed }}), nil)
		root.must("CreateRole", "RoleName", "app", "AssumeRolePolicyDocument", trustRoot)
		calls := map[string][]string{
			"CreateRole":             {"RoleName", "other", "AssumeRolePolicyDocument", anyPool},
			"UpdateAssumeRolePolicy": {"RoleName", "app", "PolicyDocument", anyPool},
		}
		for action, pairs := range calls {
			if allowed {
				root.must(action, pairs...)
			} else if got := root.refused(400, "MalformedPolicyDocument", action, pairs...); got != sentence {
				t.Errorf("%s: got %q", action, got)
			}
		}
		if !allowed {
			root.refused(404, "NoSuchEntity", "GetRole", "RoleName", "other")
		}
	}
}

// body is an answer without its request id.
func body(xml string) string {
	result, _, _ := strings.Cut(xml, "<ResponseMetadata>")
	return result
}

// A write that the store could not make is an internal error that says nothing.
func TestStoreFails(t *testing.T) {
	s, f := faulty(t)
	root := as(t, s, nil)
	f.FailNext(storetest.DocumentsWrite, storetest.Before, errors.New("canary"))
	if got := root.refused(500, "InternalFailure", "CreateUser", "UserName", "ann"); got != "Internal error." {
		t.Errorf("got %q", got)
	}
	root.refused(404, "NoSuchEntity", "GetUser", "UserName", "ann")
}

// IAM is one for all regions: a signature may name any. Other services want their own.
func TestAnyRegion(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	c.client = &client.Client{Endpoint: s.URL, Region: "eu-central-1", HTTP: c.client.HTTP, Now: c.client.Now}
	if got := c.only(c.must("GetUser"), "UserName"); got != "dev-admin" {
		t.Errorf("got %s, want dev-admin", got)
	}
	err := c.client.Query(t.Context(), "sts", "2011-06-15", "GetCallerIdentity", nil, c.signer, nil)
	if f, ok := errors.AsType[*client.Fault](err); !ok || f.Code != "SignatureDoesNotMatch" {
		t.Errorf("got %v, want SignatureDoesNotMatch", err)
	}
	c.client.Region = ""
	c.refused(403, "SignatureDoesNotMatch", "GetUser")
	for _, wrong := range []*sigv4.Credentials{
		{AccessKeyID: c.signer.AccessKeyID, Secret: strings.Repeat("a", 40)},
	} {
		as(t, s, wrong).refused(403, "SignatureDoesNotMatch", "GetUser")
	}
}

// TestPage: docs/iam.md names the operations of the table, each once, and no others.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/iam.md")
	if err != nil {
		t.Fatal(err)
	}
	sections, _, ok := strings.Cut(string(page), "## What is ours")
	if !ok {
		t.Fatal("docs/iam.md has no section on what is ours")
	}
	var got []string
	for _, m := range regexp.MustCompile("`([A-Z]\\w+)`").FindAllStringSubmatch(sections, -1) {
		got = append(got, m[1])
	}
	if want, _ := actions(); !slices.Equal(got, want) {
		t.Errorf("docs/iam.md has %v, want %v", got, want)
	}
}
