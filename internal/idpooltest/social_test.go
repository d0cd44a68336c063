package idpooltest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/config"
	"idpool/internal/login/social/socialtest"
	"idpool/internal/pool"
)

// TestAccessTokens: what the providers that are asked refuse, what they cannot decide, and why, in the event (security A22).
func TestAccessTokens(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	now := p.Clock()
	p.facebookToken("sam")
	p.amazonToken("sam")
	p.twitterToken("sam")
	bad := func(message string) refused { return refused{"NotAuthorizedException", message} }
	for _, c := range []struct {
		name, key, token string
		prepare          func()
		want             refused
		found            string // in the event
	}{
		{"Facebook, unknown", facebook, "EAAGunknown", nil, bad(notVerified), "rejected: one that is not"},
		{"Facebook, revoked", facebook, "EAAGx", func() { p.facebook.Put("EAAGx", socialtest.Token{App: facebookApp, User: "x", Revoked: true}) }, bad(notVerified), "rejected: "},
		{"Facebook, expired", facebook, "EAAGx", func() { p.facebook.Put("EAAGx", socialtest.Token{App: facebookApp, User: "x", Ends: now}) }, bad(expiredAt(now.Unix())), "expired: "},
		{"Facebook, another app's", facebook, "EAAGx", func() { p.facebook.Put("EAAGx", socialtest.Token{App: "9", User: "x", Ends: now.Add(time.Hour)}) }, bad(notClient), "audience mismatch: one for another app"},
		{"Facebook, of a page", facebook, "EAAGx", func() { p.facebook.Put("EAAGx", socialtest.Token{App: facebookApp, User: "x", Kind: "PAGE"}) }, bad(notVerified), "rejected: one of something else"},
		{"Facebook, an app's token", facebook, facebookApp + "|" + facebookSecret, nil, bad(notVerified), "rejected: neither by its form"},
		{"Amazon, unknown", amazon, "Atza|unknown", nil, bad(notVerified), "rejected: one that the provider refuses: invalid_token"},
		{"Amazon, expired", amazon, "Atza|x", func() { p.amazon.Put("Atza|x", socialtest.Token{App: amazonApp, User: "x", Ends: now}) }, bad(notVerified), "rejected: "},
		{"Amazon, another app's", amazon, "Atza|x", func() { p.amazon.Put("Atza|x", socialtest.Token{App: "other", User: "x", Ends: now.Add(time.Hour)}) }, bad(notClient), "audience mismatch: "},
		{"Amazon, a refresh token", amazon, "Atzr|x", nil, bad(notVerified), "rejected: something else"},
		{"Twitter, unknown", twitter, "7-unknown;s", nil, bad(notVerified), "rejected: one that it refuses with the code 89"},
		{"Twitter, another secret", twitter, "7-sam;other", nil, bad(notVerified), "rejected: one that it refuses with the code 32"},
		{"Twitter, another app's", twitter, "7-x;s", func() { p.twitter.Put("7-x", socialtest.Token{App: "other", User: "x", Secret: "s"}) }, bad(notVerified), "rejected: "},
		{"Twitter, no secret", twitter, "7-sam", nil, bad(notVerified), "rejected: something else"},
	} {
		if c.prepare != nil {
			c.prepare()
		}
		record := p.refuses(t, c.name, 400, c.want, p.getID(p.pool, c.key, c.token))
		if last := record.Steps[len(record.Steps)-1]; last.OK || last.Subject != c.key || !strings.HasPrefix(last.Found, c.found) {
			t.Errorf("%s: got the step %+v, want %s", c.name, last, c.found)
		}
	}
}

// TestAskedProvidersThatGoWrong: whatever a provider answers that is no answer, nobody gets in and nothing is written, by any
// operation; it is the provider's fault, and once it works again so do its logins.
func TestAskedProvidersThatGoWrong(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	for _, c := range []struct {
		key, token string
		fake       *socialtest.Fake
	}{
		{facebook, p.facebookToken("sam"), p.facebook}, {amazon, p.amazonToken("sam"), p.amazon}, {twitter, p.twitterToken("sam"), p.twitter},
	} {
		id := p.identityOf(t, p.pool, c.key, c.token)
		for _, mode := range socialtest.Modes {
			c.fake.Set(mode)
			p.refuses(t, c.key+", "+string(mode), 400, isDown, p.getID(p.pool, c.key, c.token))
		}
		for operation, in := range map[string]object{
			"GetCredentialsForIdentity": {"IdentityId": id, "Logins": object{c.key: c.token}},
			"GetOpenIdToken":            {"IdentityId": id, "Logins": object{c.key: c.token}},
			"UnlinkIdentity":            {"IdentityId": id, "Logins": object{c.key: c.token}, "LoginsToRemove": []string{c.key}},
		} {
			p.refuses(t, c.key+", "+operation, 400, isDown, func() *answer { return p.call(operation, nil, in) })
		}
		c.fake.Set(socialtest.Genuine)
		if got := p.identityOf(t, p.pool, c.key, c.token); got != id {
			t.Errorf("%s: got %s after all that, want %s", c.key, got, id)
		}
	}
	p.facebook.Set(socialtest.OtherApp)
	p.refuses(t, "an app that was mistaken", 400, refused{"NotAuthorizedException", notClient}, p.getID(p.pool, facebook, p.facebookToken("sam")))
}

// TestFacebookBothWays: an access token and a token of Limited Login of one user lead to one identity, with the same
// claims; without the app's secret the latter still work.
func TestFacebookBothWays(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, func(_ *providers, l *config.LoginProviders) { l.Secrets = nil })
	limited := p.identityOf(t, p.pool, facebook, p.limited.token("10215241773831025", nil))
	record := p.refuses(t, "no secret", 400, refused{"NotAuthorizedException", notClient}, p.getID(p.pool, facebook, p.facebookToken("10215241773831025")))
	if last := record.Steps[len(record.Steps)-1]; !strings.Contains(last.Expected, "login_providers.secrets") || p.facebook.Asked() != 0 {
		t.Errorf("got the step %+v after %d questions, want it to say what is missing, and none", last, p.facebook.Asked())
	}
	if limited == "" {
		t.Error("got no identity")
	}
	p = startProviders(t, newClock().Now, nil)
	limited = p.identityOf(t, p.pool, facebook, p.limited.token("10215241773831025", nil))
	if got := p.identityOf(t, p.pool, facebook, p.facebookToken("10215241773831025")); got != limited {
		t.Errorf("got %s by an access token and %s by Limited Login", got, limited)
	}
}

// TestMappingsOfProviders: which role and which tags a login makes, by what the provider lets be read (spec §11.3, §12.1).
func TestMappingsOfProviders(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	tagging := strings.Replace(trust(p.pool, "authenticated"), `"sts:AssumeRoleWithWebIdentity"`, `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`, 1)
	plain, chosen := p.mustRole("plain", tagging), p.mustRole("chosen", tagging)
	rule := func(claim, value string) pool.RoleMapping {
		return pool.RoleMapping{Type: pool.TypeRules, Ambiguous: pool.Deny, Rules: []pool.Rule{{Claim: claim, MatchType: pool.Equals, Value: value, RoleARN: chosen}}}
	}
	rules := map[string]pool.RoleMapping{
		facebook: rule("iss", "graph.facebook.com"), amazon: rule("user_id", "sam"), twitter: rule("aud", twitterKey),
		google: rule("email", "sam@example.com"), apple: rule("email_verified", "true"),
		poolA + ":clienta": rule("cognito:username", "sam"), poolB + ":clientb": rule("nothing", "x"),
	}
	p.mustChangePool(p.pool, func(c *pool.Pool) {
		c.Roles, c.RoleMappings = map[string]string{pool.Authenticated: plain}, rules
	})
	for _, e := range p.entrants() {
		id := p.identityOf(t, p.pool, e.key, e.token("sam"))
		in := object{"IdentityId": id, "Logins": object{e.key: e.token("sam")}}
		switch {
		case e.key == poolB:
			p.refuses(t, e.name, 400, refused{"NotAuthorizedException", "The ambiguous role mapping rules for: " + poolB + ":clientb denied this request."},
				func() *answer { return p.call("GetCredentialsForIdentity", nil, in) })
			continue
		case strings.HasPrefix(e.name, "OIDC"):
			continue
		}
		v := &Vended{}
		p.MustCall("GetCredentialsForIdentity", nil, in, v)
		p.accepts(t, e.name, "arn:aws:sts::"+Account+":assumed-role/chosen/CognitoIdentityCredentials", v.Signer())
	}
	p.mustChangePool(p.pool, func(c *pool.Pool) {
		c.RoleMappings, c.PrincipalTags = nil, map[string]pool.TagMap{}
		for _, e := range p.entrants() {
			if !strings.HasPrefix(e.name, "OIDC") {
				c.PrincipalTags[e.key] = pool.TagMap{Defaults: true}
			}
		}
	})
	apps := map[string]string{google: googleApp, apple: appleApp, facebook: facebookApp, amazon: amazonApp, twitter: twitterKey, poolA: "clienta", poolB: "clientb"}
	for _, e := range p.entrants() {
		if strings.HasPrefix(e.name, "OIDC") {
			continue
		}
		id := p.identityOf(t, p.pool, e.key, e.token("sam"))
		var open struct{ Token string }
		p.MustCall("GetOpenIdToken", nil, object{"IdentityId": id, "Logins": object{e.key: e.token("sam")}}, &open)
		tags, _ := claimsOf(t, open.Token)["https://aws.amazon.com/tags"].(object)
		if d := cmp.Diff(tags["principal_tags"], object{"client": []any{apps[e.key]}, "username": []any{"sam"}}); d != "" {
			t.Errorf("%s: tags (-got +want):\n%s", e.name, d)
		}
	}
}

// TestConsumerSecret: Twitter's consumer secret is in the answers that show a pool, as on AWS, and nowhere else: what is
// stored does not open without the key file (security requirement 40).
func TestConsumerSecret(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	var shown object
	p.MustCall("DescribeIdentityPool", p.Admin(), object{"IdentityPoolId": p.pool}, &shown)
	if d := cmp.Diff(shown["SupportedLoginProviders"], p.allProviders()["SupportedLoginProviders"]); d != "" {
		t.Errorf("(-got +want):\n%s", d)
	}
	// What was shown can be sent back, and what is done to the pool besides leaves its logins working.
	p.MustCall("UpdateIdentityPool", p.Admin(), shown, nil)
	p.MustCall("TagResource", p.Admin(), object{"ResourceArn": poolARN(p.pool), "Tags": object{"a": "b"}}, nil)
	p.MustCall("SetIdentityPoolRoles", p.Admin(), object{"IdentityPoolId": p.pool, "Roles": object{}}, nil)
	p.identityOf(t, p.pool, twitter, p.twitterToken("sam"))
	shown["SupportedLoginProviders"].(object)[twitter] = twitterKey + ";another"
	p.MustCall("UpdateIdentityPool", p.Admin(), shown, nil)
	p.refuses(t, "another secret", 400, refused{"NotAuthorizedException", notVerified}, p.getID(p.pool, twitter, p.twitterToken("sam")))

	docs, _, err := p.Store.Documents.Changed(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		if strings.Contains(string(d.Body), twitterSecret) || strings.Contains(string(d.Body), b64(twitterSecret)) {
			t.Errorf("the document %s %s holds the secret", d.Kind, d.ID)
		}
	}
	if strings.Contains(p.Output(), twitterSecret) {
		t.Error("the log or an event holds the secret")
	}
	// A sealed secret is its own pool's: in another it does not open, and its provider has no logins there.
	other := p.mustPool(object{"SupportedLoginProviders": object{google: googleApp}})
	stolen := p.mustSnapshot().Pool(p.pool).AppSecrets
	p.mustChangePool(other, func(c *pool.Pool) {
		c.LoginProviders, c.AppSecrets = map[string]string{google: googleApp, twitter: twitterKey}, stolen
	})
	p.refuses(t, "a stolen secret", 400, refused{"NotAuthorizedException", "Logins don't match. Please include at least one valid login for this identity or identity pool."},
		p.getID(other, twitter, p.twitterToken("sam")))
	p.identityOf(t, other, google, p.google.token("sam", nil))
}

// TestDigits: a pool may still name Digits; nobody can log in there.
func TestDigits(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	id := s.mustPool(object{"SupportedLoginProviders": object{"www.digits.com": "key;secret"}})
	s.refuses(t, "Digits", 400, refused{"NotAuthorizedException", "The login provider has been discontinued."}, func() *answer {
		return s.call("GetId", nil, object{"IdentityPoolId": id, "Logins": object{"www.digits.com": "7-a;b"}})
	})
}

// TestQuestionsOfOneClient: what one client makes up is no flood at a provider's, and the logins of other providers go on.
func TestQuestionsOfOneClient(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := startProviders(t, c.Now, func(_ *providers, l *config.LoginProviders) { l.ChecksPerClient = 1 })
	token := p.amazonToken("sam")
	id := p.identityOf(t, p.pool, amazon, token)
	var codes []string
	for range 30 {
		codes = append(codes, p.getID(p.pool, amazon, "Atza|madeup")().refusal().code)
	}
	if i := slices.Index(codes, "TooManyRequestsException"); i != 9 || p.amazon.Asked() != 10 {
		t.Errorf("got %q and %d questions, want ten", codes, p.amazon.Asked())
	}
	p.refuses(t, "too many", 400, refused{"TooManyRequestsException", "Rate exceeded"}, p.getID(p.pool, amazon, token))
	p.identityOf(t, p.pool, google, p.google.token("sam", nil))
	p.identityOf(t, p.pool, facebook, p.facebookToken("sam"))
	p.mustAdvance(c, time.Second)
	if got := p.identityOf(t, p.pool, amazon, token); got != id {
		t.Errorf("a second later: got %s, want %s", got, id)
	}
}

// TestQuestionsOfAll: together, clients cannot have a provider asked more often than is configured.
func TestQuestionsOfAll(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, func(_ *providers, l *config.LoginProviders) { l.ChecksPerSecond = 3 })
	for range 10 {
		_ = p.getID(p.pool, twitter, "7-madeup;x")()
	}
	p.refuses(t, "too many", 400, refused{"TooManyRequestsException", "Rate exceeded"}, p.getID(p.pool, twitter, p.twitterToken("sam")))
	if n := p.twitter.Asked(); n != 3 {
		t.Errorf("got %d questions, want three", n)
	}
}

// TestBuiltInNames: STS believes tokens of IAM providers alone. AWS's built-in names of Google, Amazon and Facebook are
// nobody here, neither for tokens nor in trust policies.
func TestBuiltInNames(t *testing.T) {
	t.Parallel()
	p := startProviders(t, newClock().Now, nil)
	for name, issuer := range map[string]*signer{google: p.google, apple: p.apple, facebook: p.limited, poolA: p.usersA} {
		role := p.mustRole("built-in-"+strings.Map(func(r rune) rune {
			if r == '/' || r == '.' {
				return '-'
			}
			return r
		}, name[:10]), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"`+name+`"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`)
		p.refuses(t, name, 400, refused{"InvalidIdentityToken", "No OpenIDConnect provider found in your account for " + issuer.iss}, func() *answer {
			return p.query(nil, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=sam&RoleArn="+role+"&WebIdentityToken="+issuer.token("sam", nil))
		})
	}
	for _, host := range []string{amazon, facebook} {
		p.refuses(t, host+" by ProviderId", 400, refused{"ValidationError", "ProviderId is for OAuth 2.0 access tokens, which are not accepted."}, func() *answer {
			return p.query(nil, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=sam&RoleArn=arn:aws:iam::"+Account+
				":role/built-in&WebIdentityToken=Atza%7Csam&ProviderId="+host)
		})
	}
}
