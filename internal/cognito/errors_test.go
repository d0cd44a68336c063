package cognito_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"idpool/internal/config"
	"idpool/internal/pool"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

// way is one way to an error.
type way struct {
	op, code, sentence string
	in                 object
	before             func() // what must happen first
}

// never are the declared errors to which nothing leads, and why.
var never = map[string]string{
	"CreateIdentityPool NotAuthorized":    oneAccount,
	"CreateIdentityPool ResourceConflict": "ids are random and names need not be unique",
	"CreateIdentityPool LimitExceeded":    noQuota,

	"DeleteIdentities InvalidParameter": "ids that are not there count as deleted",

	"DeleteIdentityPool InvalidParameter": constraints,
	"DeleteIdentityPool NotAuthorized":    oneAccount,

	"DescribeIdentity InvalidParameter": constraints,
	"DescribeIdentity NotAuthorized":    oneAccount,

	"DescribeIdentityPool InvalidParameter": constraints,
	"DescribeIdentityPool NotAuthorized":    oneAccount,

	"GetId LimitExceeded": noQuota,

	"GetIdentityPoolRoles InvalidParameter": constraints,
	"GetIdentityPoolRoles NotAuthorized":    oneAccount,
	"GetIdentityPoolRoles ResourceConflict": "nothing is linked",

	"GetPrincipalTagAttributeMap InvalidParameter": constraints,
	"GetPrincipalTagAttributeMap NotAuthorized":    oneAccount,

	"ListIdentities NotAuthorized": oneAccount,

	"ListIdentityPools NotAuthorized":    oneAccount,
	"ListIdentityPools ResourceNotFound": "an account without pools has an empty list",

	"LookupDeveloperIdentity NotAuthorized": oneAccount,

	"MergeDeveloperIdentities NotAuthorized": "an identity that was merged away has no users left by which it could be named",

	"SetIdentityPoolRoles ResourceConflict": "nothing is linked",

	"SetPrincipalTagAttributeMap NotAuthorized": oneAccount,

	"UnlinkDeveloperIdentity NotAuthorized":    oneAccount,
	"UnlinkDeveloperIdentity ResourceConflict": "a user who is another identity's is not found on this one",

	"UnlinkIdentity ResourceConflict": "what is taken away cannot be taken by somebody else",

	"UpdateIdentityPool NotAuthorized":    oneAccount,
	"UpdateIdentityPool ResourceConflict": "names need not be unique",
	"UpdateIdentityPool LimitExceeded":    noQuota,
}

const (
	oneAccount  = "there is one account; who may not is told so by AccessDeniedException"
	constraints = "the framework refuses bad values with ValidationException, and nothing else can be wrong"
	noQuota     = "there is no quota of pools or identities unless one is configured, and none can be yet"
)

var errBroken = errors.New("canary: dial db.internal:5432")

// scene is a world with identities of all kinds.
type scene struct {
	*world
	// alice has a login of issuer 0, bob of 0 and 1, carol and dave are developer's users who also have logins of issuer 1.
	alice, bob, carol, dave, guest string
	// crowd is a developer's identity with as many logins as one may hold.
	crowd string
	plain string // a pool without providers and guests
}

func newScene(t *testing.T) *scene {
	// What the store says must come through: nothing is remembered.
	w := newWorld(t, options{configure: func(c *config.Config) { c.Cache.Identities = 0 }})
	w.changePool(w.pool, func(p *pool.Pool) { p.OIDCProviders = append(p.OIDCProviders, w.idp.arn(brokenIssuer)) })
	s := &scene{
		world: w, alice: w.getID(w.idp.login(0, "alice")), guest: w.getID(nil), plain: w.newPool(nil),
		bob:   w.getID(w.idp.logins(map[int]string{0: "bob", 1: "bob"})),
		carol: w.developerToken(object{"Logins": both(user("carol"), w.idp.login(1, "carol"))}).IdentityId,
		dave:  w.developerToken(object{"Logins": both(user("dave"), w.idp.login(1, "dave"))}).IdentityId,
	}
	s.crowd = w.developerToken(object{"Logins": user("crowd-00")}).IdentityId
	for n := range 19 {
		w.developerToken(object{"Logins": user(numbered("crowd-", n+1))})
		w.ok("MergeDeveloperIdentities", s.merge(numbered("crowd-", n+1), "crowd-00"))
	}
	return s
}

func numbered(prefix string, n int) string {
	return prefix + string([]byte{byte('0' + n/10), byte('0' + n%10)})
}

func (s *scene) merge(from, to string) object {
	return object{"IdentityPoolId": s.pool, "DeveloperProviderName": developer, "SourceUserIdentifier": from, "DestinationUserIdentifier": to}
}

// fail lets the next call of the store fail, storm every attempt of a request find that others were first, and race the
// next write of configuration.
func (s *scene) fail(op storetest.Op, when storetest.When) func() {
	return func() { s.faulty.FailNext(op, when, errBroken) }
}

func (s *scene) storm() {
	for range 8 {
		s.faulty.FailNext(storetest.IdentitiesApply, storetest.Before, store.ErrConflict)
	}
}

func (s *scene) race() {
	s.faulty.FailNext(storetest.DocumentsWrite, storetest.Before, store.ErrConflict)
}

// set is before for a change of the world's pool.
func (s *scene) set(change func(*pool.Pool)) func() { return func() { s.changePool(s.pool, change) } }

// TestErrors: every error that an operation declares is provoked, or stands among those that nothing leads to; each
// comes with its code, status and sentence, and leaves nothing. TooManyRequests and InternalError have tests of their own
// besides, for all operations.
func TestErrors(t *testing.T) {
	s := newScene(t)
	provoked := map[string]bool{}
	for _, w := range slices.Concat(s.publicWays(), s.poolWays(), s.roleWays(), s.identityWays(), s.developerWays(), s.tagWays()) {
		if w.before != nil {
			w.before()
		}
		provoked[w.op+" "+strings.TrimSuffix(w.code, "Exception")] = true
		record := s.refuse(t, w.sentence, w.code, w.sentence, ask{op: w.op, in: w.in})
		if w.code == internal && !strings.Contains(record.Cause, "canary") {
			t.Errorf("%s: the record has the cause %q, want what the store said", w.op, record.Cause)
		}
	}
	for op, codes := range model {
		for code := range strings.FieldsSeq(codes) {
			name := op + " " + code
			everywhere := code == "TooManyRequests" || code == "InternalError"
			if reason := never[name]; provoked[name] == (reason != "") && !everywhere {
				t.Errorf("%s: provoked %v, reason why that cannot be %q", name, provoked[name], reason)
			}
		}
	}
	for name := range never {
		op, code, _ := strings.Cut(name, " ")
		if !slices.Contains(strings.Fields(model[op]), code) {
			t.Errorf("%s is not declared and needs no reason", name)
		}
	}
}

func (s *scene) publicWays() []way {
	const before, after = storetest.Before, storetest.After
	pooled := func(logins any) object { return object{"IdentityPoolId": s.pool, "Logins": logins} }
	out := []way{
		{"GetId", invalid, publicProvider, pooled(user("carol")), nil},
		{"GetId", missing, noPool(unknownID), object{"IdentityPoolId": unknownID}, nil},
		{"GetId", missing, noPool(s.pool), object{"IdentityPoolId": s.pool, "AccountId": "999999999999"}, nil},
		{"GetId", refused, noGuests, object{"IdentityPoolId": s.plain}, nil},
		{"GetId", refused, "Identity pool - " + s.plain + " does not have identity providers configured.", object{"IdentityPoolId": s.plain, "Logins": s.idp.login(0, "alice")}, nil},
		{"GetId", refused, loginsDontMatch, pooled(object{"https://" + s.idp.key(0): "x"}), nil},
		{"GetId", refused, cognitoToken, pooled(object{own: "x"}), nil},
		{"GetId", conflict, linkedElsewhere, pooled(s.idp.logins(map[int]string{0: "alice", 1: "bob"})), nil},
		{"GetId", tooMany, rateExceeded, pooled(s.idp.login(0, "zoe")), s.storm},
		{"GetId", internal, internalError, pooled(nil), s.fail(storetest.IdentitiesApply, before)},
		{"GetId", internal, internalError, pooled(s.idp.login(0, "zoe")), s.fail(storetest.IdentitiesFind, after)},
		{"GetId", external, silence, pooled(s.idp.login(brokenIssuer, "zoe")), nil},
	}
	for _, op := range []string{"GetCredentialsForIdentity", "GetOpenIdToken", "UnlinkIdentity"} {
		in := func(id string, logins any) object {
			body := object{"IdentityId": id, "Logins": logins}
			if op == "UnlinkIdentity" {
				body["LoginsToRemove"] = []string{s.idp.key(0)}
			}
			return body
		}
		out = append(out,
			way{op, invalid, publicProvider, in(s.carol, user("carol")), nil},
			way{op, missing, noIdentity(unknownID), in(unknownID, s.idp.login(0, "alice")), nil},
			way{op, refused, forbidden(s.alice), in(s.alice, object{}), nil},
			way{op, refused, loginsDontMatch, in(s.alice, s.idp.login(0, "bob")), nil},
			way{op, refused, notOpenID, in(s.alice, object{s.idp.key(0): "x"}), nil},
			way{op, refused, notOpenID, in(s.alice, both(s.idp.login(0, "alice"), map[string]string{s.idp.key(1): "x"})), nil},
			way{op, refused, "Token is not from a supported provider of this identity pool.", in(s.alice, object{s.idp.key(0): s.idp.token(0, "alice", object{"aud": "other"})}), nil},
			way{op, refused, "Invalid login token. Missing a required claim: aud", in(s.alice, object{s.idp.key(0): s.idp.token(0, "alice", object{"aud": nil})}), nil},
			way{op, refused, "Invalid login token. Issuer doesn't match providerName", in(s.alice, object{s.idp.key(0): s.idp.token(1, "alice", nil)}), nil},
			way{op, refused, "Invalid login token. Couldn't verify signed token.", in(s.alice, object{s.idp.key(0): s.idp.token(1, "alice", object{"iss": s.idp.name(0)})}), nil},
			way{op, refused, "Invalid login token. Token expired: 1772366400 >= 1772366400", in(s.alice, object{s.idp.key(0): s.idp.token(0, "alice", object{"iat": noon.Unix() - 60, "exp": noon.Unix()})}), nil},
			way{op, internal, internalError, in(s.alice, s.idp.login(0, "alice")), s.fail(storetest.IdentitiesGet, before)},
			way{op, external, silence, in(s.alice, s.idp.login(brokenIssuer, "zoe")), nil},
		)
		if op != "UnlinkIdentity" {
			out = append(out,
				way{op, conflict, linkedElsewhere, in(s.alice, s.idp.logins(map[int]string{0: "alice", 1: "bob"})), nil},
				way{op, tooMany, rateExceeded, in(s.guest, s.idp.login(0, "zoe")), s.storm})
		}
	}
	unlink := func(remove ...string) object {
		return object{"IdentityId": s.alice, "Logins": s.idp.login(0, "alice"), "LoginsToRemove": append([]string{}, remove...)}
	}
	return append(out,
		way{"UnlinkIdentity", invalid, "LoginsToRemove names no login.", unlink(), nil},
		way{"UnlinkIdentity", refused, loginsDontMatch, unlink(s.idp.key(1)), nil},
		way{"UnlinkIdentity", tooMany, rateExceeded, unlink(s.idp.key(0)), s.storm},
		way{"UnlinkIdentity", internal, internalError, unlink(s.idp.key(0)), s.fail(storetest.IdentitiesApply, before)},
		way{"GetOpenIdToken", refused, cognitoToken, object{"IdentityId": s.carol, "Logins": object{own: s.developerToken(object{"Logins": user("carol")}).Token}}, nil},
		way{"GetOpenIdToken", invalid, "Basic (classic) flow is not enabled, please use enhanced flow.", object{"IdentityId": s.guest}, s.set(func(p *pool.Pool) { p.AllowClassic = new(false) })},
		way{"GetCredentialsForIdentity", refused, noGuests, object{"IdentityId": s.guest}, s.set(func(p *pool.Pool) { p.AllowUnauthenticated, p.AllowClassic = false, nil })},
		way{"GetCredentialsForIdentity", badPool, badRoles, object{"IdentityId": s.guest}, s.set(func(p *pool.Pool) { p.AllowUnauthenticated, p.Roles = true, nil })},
		way{"GetCredentialsForIdentity", badPool, badRoles, object{"IdentityId": s.alice, "Logins": s.idp.login(0, "alice")},
			s.set(func(p *pool.Pool) { p.Roles = map[string]string{"authenticated": s.Dev.GuestRoleARN} })},
		way{"GetCredentialsForIdentity", refused, noRole(s.Dev.AuthenticatedRoleARN), object{"IdentityId": s.guest, "CustomRoleArn": s.Dev.AuthenticatedRoleARN},
			s.set(func(p *pool.Pool) {
				p.Roles = map[string]string{"authenticated": s.Dev.AuthenticatedRoleARN, "unauthenticated": s.Dev.GuestRoleARN}
			})},
	)
}

func (s *scene) poolWays() []way {
	made := func(id string, in object) object {
		out := object{"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false}
		if id != "" {
			out["IdentityPoolId"] = id
		}
		maps.Copy(out, in)
		return out
	}
	out := []way{
		{"CreateIdentityPool", internal, internalError, made("", nil), s.fail(storetest.DocumentsWrite, storetest.Before)},
		{"UpdateIdentityPool", missing, noPool(unknownID), made(unknownID, nil), nil},
		{"UpdateIdentityPool", invalid, "The developer provider name cannot be changed.", made(s.pool, object{"DeveloperProviderName": "other"}), nil},
		{"UpdateIdentityPool", outrun, "Identity pool " + s.plain + " is being modified concurrently.", made(s.plain, nil), s.race},
		{"UpdateIdentityPool", internal, internalError, made(s.plain, nil), s.fail(storetest.DocumentsWrite, storetest.Before)},
		{"DeleteIdentityPool", missing, noPool(unknownID), object{"IdentityPoolId": unknownID}, nil},
		{"DeleteIdentityPool", tooMany, rateExceeded, object{"IdentityPoolId": s.plain}, s.race},
		{"DeleteIdentityPool", internal, internalError, object{"IdentityPoolId": s.plain}, s.fail(storetest.DocumentsWrite, storetest.Before)},
		{"DescribeIdentityPool", missing, noPool(unknownID), object{"IdentityPoolId": unknownID}, nil},
		{"ListIdentityPools", invalid, badPage, object{"MaxResults": 1, "NextToken": "x"}, nil},
	}
	for _, bad := range []struct {
		sentence string
		in       object
	}{
		{"Invalid login provider: api.twitter.com", object{"SupportedLoginProviders": object{"api.twitter.com": "x"}}},
		{"Invalid login provider: login.example.com", object{"SupportedLoginProviders": object{"login.example.com": "x"}}},
		{"Invalid Cognito Identity Provider", object{"CognitoIdentityProviders": []object{{"ClientId": "x"}}}},
		{"Invalid Cognito Identity Provider", object{"CognitoIdentityProviders": []object{{"ProviderName": "us-east-1_abc", "ClientId": "x"}}}},
		{"Invalid identity provider ARN: arn:aws:iam::111122223333:oidc-provider/unknown.example", object{"OpenIdConnectProviderARNs": []string{"arn:aws:iam::111122223333:oidc-provider/unknown.example"}}},
		{"Invalid identity provider ARN: arn:aws:iam::999999999999:saml-provider/x", object{"SamlProviderARNs": []string{"arn:aws:iam::999999999999:saml-provider/x"}}},
		{"Invalid identity provider ARN: " + s.idp.arn(0), object{"OpenIdConnectProviderARNs": []string{s.idp.arn(0), s.idp.arn(0)}}},
		{"Invalid developer provider name: accounts.google.com", object{"DeveloperProviderName": "accounts.google.com"}},
		{"Invalid tag: aws:x", object{"IdentityPoolTags": object{"aws:x": "y"}}},
	} {
		out = append(out, way{"CreateIdentityPool", invalid, bad.sentence, made("", bad.in), nil}, way{"UpdateIdentityPool", invalid, bad.sentence, made(s.plain, bad.in), nil})
	}
	return out
}

func (s *scene) roleWays() []way {
	roles := func(id, role string) object {
		return object{"IdentityPoolId": id, "Roles": object{"authenticated": role}}
	}
	out := []way{
		{"GetIdentityPoolRoles", missing, noPool(unknownID), object{"IdentityPoolId": unknownID}, nil},
		{"SetIdentityPoolRoles", missing, noPool(unknownID), roles(unknownID, s.Dev.GuestRoleARN), nil},
		{"SetIdentityPoolRoles", refused, noRole(roleARN("gone")), roles(s.plain, roleARN("gone")), nil},
		{"SetIdentityPoolRoles", outrun, "Identity pool " + s.plain + " is being modified concurrently.", roles(s.plain, s.Dev.GuestRoleARN), s.race},
		{"SetIdentityPoolRoles", internal, internalError, roles(s.plain, s.Dev.GuestRoleARN), s.fail(storetest.DocumentsWrite, storetest.Before)},
	}
	rule := object{"Claim": "c", "MatchType": "Equals", "Value": "v", "RoleARN": s.Dev.GuestRoleARN}
	rules := func(n int) object { return object{"Rules": slices.Repeat([]object{rule}, n)} }
	key := s.idp.arn(0)
	for _, bad := range []struct {
		key, sentence string
		mapping       object
	}{
		{"x", "x is not a valid RoleMapping ProviderName or is not a configured provider.", object{"Type": "Token", "AmbiguousRoleResolution": "Deny"}},
		{s.idp.key(0), s.idp.key(0) + " is not a valid RoleMapping ProviderName or is not a configured provider.", object{"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": rules(1)}},
		{s.idp.arn(9), s.idp.arn(9) + " is not a valid RoleMapping ProviderName or is not a configured provider.", object{"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": rules(1)}},
		{key, "Type Token is not supported for the role mapping of " + key + ".", object{"Type": "Token", "AmbiguousRoleResolution": "Deny"}},
		{key, "RulesConfiguration is required for the role mapping of " + key + ".", object{"Type": "Rules", "AmbiguousRoleResolution": "Deny"}},
		{key, "RulesConfiguration is not allowed with Type Token for the role mapping of " + key + ".", object{"Type": "Token", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": rules(1)}},
		{key, "AmbiguousRoleResolution is required for the role mapping of " + key + ".", object{"Type": "Rules", "RulesConfiguration": rules(1)}},
		{key, "A role mapping can have at most 25 rules.", object{"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": rules(26)}},
	} {
		out = append(out, way{"SetIdentityPoolRoles", invalid, bad.sentence, object{"IdentityPoolId": s.pool, "Roles": object{}, "RoleMappings": object{bad.key: bad.mapping}}, nil})
	}
	return out
}

func (s *scene) identityWays() []way {
	return []way{
		{"DescribeIdentity", missing, noIdentity(unknownID), object{"IdentityId": unknownID}, nil},
		{"DescribeIdentity", internal, internalError, object{"IdentityId": s.alice}, s.fail(storetest.IdentitiesGet, storetest.Before)},
		{"ListIdentities", missing, noPool(unknownID), object{"IdentityPoolId": unknownID, "MaxResults": 1}, nil},
		{"ListIdentities", invalid, badPage, object{"IdentityPoolId": s.pool, "MaxResults": 1, "NextToken": "x"}, nil},
		{"DeleteIdentities", internal, internalError, object{"IdentityIdsToDelete": []string{s.alice}}, s.fail(storetest.IdentitiesGet, storetest.Before)},
	}
}

func (s *scene) developerWays() []way {
	const mint, look, part = "GetOpenIdTokenForDeveloperIdentity", "LookupDeveloperIdentity", "UnlinkDeveloperIdentity"
	const before = storetest.Before
	with := func(base, in object) object {
		out := maps.Clone(base)
		maps.Copy(out, in)
		return out
	}
	token := func(in object) object { return with(object{"IdentityPoolId": s.pool, "Logins": user("new")}, in) }
	lookup := func(in object) object { return with(object{"IdentityPoolId": s.pool}, in) }
	merge := func(from, to string, in object) object { return with(s.merge(from, to), in) }
	unlink := func(id, name string, in object) object {
		return with(object{"IdentityPoolId": s.pool, "DeveloperProviderName": developer, "IdentityId": id, "DeveloperUserIdentifier": name}, in)
	}
	elsewhere := object{"IdentityPoolId": unknownID}
	return []way{
		{mint, invalid, unsupported, token(object{"Logins": object{"other.app": "x"}}), nil},
		{mint, invalid, unsupported, token(object{"Logins": s.idp.login(0, "alice")}), nil},
		{mint, invalid, unsupported, token(object{"Logins": object{}}), nil},
		{mint, invalid, unsupported, token(object{"IdentityPoolId": s.plain}), nil},
		{mint, invalid, "A developer user identifier has at most 1024 bytes.", token(object{"Logins": user(strings.Repeat("ü", 513))}), nil},
		{mint, missing, noPool(unknownID), token(elsewhere), nil},
		{mint, missing, noIdentity(unknownID), token(object{"IdentityId": unknownID}), nil},
		{mint, refused, loginsDontMatch, token(object{"IdentityId": s.alice}), nil},
		{mint, refused, cognitoToken, token(object{"Logins": both(user("new"), map[string]string{own: "x"})}), nil},
		{mint, refused, notOpenID, token(object{"Logins": both(user("new"), map[string]string{s.idp.key(0): "x"})}), nil},
		{mint, conflict, linkedElsewhere, token(object{"IdentityId": s.alice, "Logins": both(user("new"), s.idp.logins(map[int]string{0: "alice", 1: "bob"}))}), nil},
		{mint, taken, registered, token(object{"IdentityId": s.guest, "Logins": user("carol")}), nil},
		{mint, tooMany, rateExceeded, token(nil), s.storm},
		{mint, internal, internalError, token(nil), s.fail(storetest.IdentitiesFind, before)},

		{look, invalid, "Either IdentityId or DeveloperUserIdentifier is required.", lookup(nil), nil},
		{look, invalid, badPage, lookup(object{"IdentityId": s.carol, "NextToken": "x"}), nil},
		{look, invalid, badPage, lookup(object{"DeveloperUserIdentifier": "carol", "NextToken": "x"}), nil},
		{look, missing, noPool(unknownID), lookup(elsewhere), nil},
		{look, missing, unknownUser, lookup(object{"DeveloperUserIdentifier": "Carol"}), nil},
		{look, missing, noIdentity(unknownID), lookup(object{"IdentityId": unknownID}), nil},
		{look, missing, noIdentity(s.carol), object{"IdentityPoolId": s.plain, "IdentityId": s.carol}, nil},
		{look, conflict, "The developer user identifier belongs to another identity.", lookup(object{"IdentityId": s.alice, "DeveloperUserIdentifier": "carol"}), nil},
		{look, internal, internalError, lookup(object{"DeveloperUserIdentifier": "carol"}), s.fail(storetest.IdentitiesFind, before)},

		{"MergeDeveloperIdentities", invalid, unsupported, merge("carol", "dave", object{"DeveloperProviderName": "other.app"}), nil},
		{"MergeDeveloperIdentities", missing, noPool(unknownID), merge("carol", "dave", elsewhere), nil},
		{"MergeDeveloperIdentities", missing, unknownUser, merge("carol", "nobody", nil), nil},
		{"MergeDeveloperIdentities", missing, unknownUser, merge("nobody", "carol", nil), nil},
		{"MergeDeveloperIdentities", conflict, linkedElsewhere, merge("carol", "dave", nil), nil},
		{"MergeDeveloperIdentities", conflict, "Too many logins for this identity.", merge("dave", "crowd-07", nil), nil},
		{"MergeDeveloperIdentities", tooMany, rateExceeded, merge("late", "carol", nil), func() { s.developerToken(object{"Logins": user("late")}); s.storm() }},
		{"MergeDeveloperIdentities", internal, internalError, merge("late", "carol", nil), s.fail(storetest.IdentitiesApply, before)},

		{part, invalid, unsupported, unlink(s.carol, "carol", object{"DeveloperProviderName": "other.app"}), nil},
		{part, missing, noPool(unknownID), unlink(s.carol, "carol", elsewhere), nil},
		{part, missing, noIdentity(unknownID), unlink(unknownID, "carol", nil), nil},
		{part, missing, notLinked, unlink(s.carol, "dave", nil), nil},
		{part, tooMany, rateExceeded, unlink(s.carol, "carol", nil), s.storm},
		{part, internal, internalError, unlink(s.carol, "carol", nil), s.fail(storetest.IdentitiesApply, before)},
	}
}

func (s *scene) tagWays() []way {
	const foreign = "arn:aws:cognito-identity:us-east-1:999999999999:identitypool/us-east-1:0"
	tagMap := func(id, provider string, tags object) object {
		return object{"IdentityPoolId": id, "IdentityProviderName": provider, "PrincipalTags": tags}
	}
	key := s.idp.arn(0)
	out := []way{
		{"TagResource", invalid, "Invalid tag: k", object{"ResourceArn": poolARN(s.plain), "Tags": object{"k": "*"}}, nil},
		{"SetPrincipalTagAttributeMap", invalid, "The names of attributes have more than 460 bytes together.",
			tagMap(s.pool, key, object{"a": strings.Repeat("x", 256), "b": strings.Repeat("x", 205)}), nil},
		{"SetPrincipalTagAttributeMap", tooMany, rateExceeded, tagMap(s.pool, key, nil), s.race},
		{"SetPrincipalTagAttributeMap", internal, internalError, tagMap(s.pool, key, nil), s.fail(storetest.DocumentsWrite, storetest.Before)},
	}
	for _, bad := range []string{"aws:x", "AWS:x", "a*", "${x}"} {
		out = append(out, way{"SetPrincipalTagAttributeMap", invalid, "", tagMap(s.pool, key, object{bad: "c"}), nil})
	}
	for _, op := range []string{"GetPrincipalTagAttributeMap", "SetPrincipalTagAttributeMap"} {
		out = append(out,
			way{op, missing, noPool(unknownID), tagMap(unknownID, key, nil), nil},
			way{op, missing, "Identity provider " + s.idp.arn(9) + " not found.", tagMap(s.pool, s.idp.arn(9), nil), nil})
	}
	for _, op := range []string{"ListTagsForResource", "TagResource", "UntagResource"} {
		in := func(arn string) object {
			return object{"ResourceArn": arn, "Tags": object{"k": "v"}, "TagKeys": []string{"k"}}
		}
		out = append(out,
			way{op, invalid, "Invalid ARN: arn:aws:iam::1:role/xxxxxxx", in("arn:aws:iam::1:role/xxxxxxx"), nil},
			way{op, missing, "Resource " + poolARN(unknownID) + " not found.", in(poolARN(unknownID)), nil},
			way{op, refused, "Access to this identity pool is forbidden.", in(foreign), nil})
		if op != "ListTagsForResource" {
			out = append(out,
				way{op, tooMany, rateExceeded, in(poolARN(s.plain)), s.race},
				way{op, internal, internalError, in(poolARN(s.plain)), s.fail(storetest.DocumentsWrite, storetest.Before)})
		}
	}
	return out
}

// allSamples are inputs of all operations.
func (w *world) allSamples(id string) map[string]rawJSON {
	out := map[string]rawJSON{
		"GetId":                     rawJSON(`{"IdentityPoolId":"` + w.pool + `"}`),
		"GetCredentialsForIdentity": rawJSON(`{"IdentityId":"` + id + `"}`),
		"GetOpenIdToken":            rawJSON(`{"IdentityId":"` + id + `"}`),
		"UnlinkIdentity":            rawJSON(`{"IdentityId":"` + id + `","Logins":{},"LoginsToRemove":[]}`),
	}
	for op, text := range samples {
		out[op] = rawJSON(w.names(id).Replace(text))
	}
	return out
}

// TestInternalErrorEverywhere: a node that has not heard from its store for longer than five seconds refuses every
// operation, and says no more than that (security 49); when the store is back it goes on.
func TestInternalErrorEverywhere(t *testing.T) {
	w := newWorld(t, options{})
	id := w.getID(nil)
	inputs := w.allSamples(id)
	w.hooks.on(storetest.DocumentsRevision, func() error { return errBroken })
	w.clock.millis.Add(5000)
	w.vend(id, nil)
	w.clock.millis.Add(1)
	for op, in := range inputs {
		record := w.refuse(t, "stale", internal, internalError, ask{op: op, in: in})
		if record.Cause == "" {
			t.Errorf("%s: the record has no cause", op)
		}
	}
	w.hooks.on(storetest.DocumentsRevision, nil)
	w.refresh()
	w.vend(id, nil)
}

// TestTooManyRequestsEverywhere: each operation can be limited, answers the one code on which SDKs wait, and goes on a
// second later (spec §16, security F5). The limit of one is not that of another.
func TestTooManyRequestsEverywhere(t *testing.T) {
	w := newWorld(t, options{configure: func(c *config.Config) {
		for op := range model {
			c.Limits.Operations = append(c.Limits.Operations, config.Rate{Operation: op, PerSecond: 2})
		}
	}})
	w.advance(time.Second) // what the world itself has called
	inputs := w.allSamples(unknownID)
	delete(inputs, "DeleteIdentityPool") // the last one, which may go through
	for range 2 {
		for op, in := range inputs {
			for range 2 {
				if _, err := w.as(nil, op, in); err != nil && strings.HasPrefix(err.Error(), tooMany) {
					t.Errorf("%s: got %v within the limit", op, err)
				}
			}
			w.refuse(t, "above the limit", tooMany, rateExceeded, ask{op: op, in: in})
		}
		w.advance(time.Second)
	}
	for range 2 {
		_, _ = w.as(nil, "DeleteIdentityPool", object{"IdentityPoolId": unknownID})
	}
	w.refuse(t, "above the limit", tooMany, rateExceeded, ask{op: "DeleteIdentityPool", in: object{"IdentityPoolId": w.pool}})
}

// TestConstraints: values outside the constraints of the model are refused by the framework, in its words, before
// anything else is looked at; a token is not repeated (spec §3.1, §21 no. 26).
func TestConstraints(t *testing.T) {
	w := newWorld(t, options{})
	ids := slices.Repeat([]string{unknownID}, 61)
	eleven := object{}
	for n := range 11 {
		eleven[numbered("k", n)] = "t"
	}
	secret := strings.Repeat("s", 50001)
	at := func(value, member, constraint string) string {
		return "1 validation error detected: Value " + value + " at '" + member + "' failed to satisfy constraint: " + constraint
	}
	for name, row := range map[string]struct {
		a        ask
		sentence string
	}{
		"no page":        {ask{op: "ListIdentityPools", in: object{"MaxResults": 0}}, at("'0'", "maxResults", "Member must have value greater than or equal to 1")},
		"a large page":   {ask{op: "ListIdentityPools", in: object{"MaxResults": 61}}, at("'61'", "maxResults", "Member must have value less than or equal to 60")},
		"a user pool":    {ask{op: "GetId", in: object{"IdentityPoolId": "us-east-1_abc"}}, at("'us-east-1_abc'", "identityPoolId", `Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+`)},
		"nothing":        {ask{op: "GetCredentialsForIdentity", in: object{}}, at("null", "identityId", "Member must not be null")},
		"another kind":   {ask{op: "SetIdentityPoolRoles", in: object{"IdentityPoolId": w.pool, "Roles": object{"admin": w.Dev.GuestRoleARN}}}, ""},
		"too many ids":   {ask{op: "DeleteIdentities", in: object{"IdentityIdsToDelete": ids}}, ""},
		"no ids":         {ask{op: "DeleteIdentities", in: object{"IdentityIdsToDelete": []string{}}}, ""},
		"eleven logins":  {ask{op: "GetId", in: object{"IdentityPoolId": w.pool, "Logins": eleven}}, ""},
		"a long token":   {ask{op: "GetId", in: object{"IdentityPoolId": w.pool, "Logins": object{w.idp.key(0): secret}}}, ""},
		"an empty token": {ask{op: "GetId", in: object{"IdentityPoolId": w.pool, "Logins": object{w.idp.key(0): ""}}}, ""},
		"a long name":    {ask{op: "CreateIdentityPool", in: object{"IdentityPoolName": strings.Repeat("n", 129), "AllowUnauthenticatedIdentities": true}}, ""},
		"a short ARN":    {ask{op: "ListTagsForResource", in: object{"ResourceArn": "arn"}}, at("'arn'", "resourceArn", "Member must have length greater than or equal to 20")},
	} {
		w.refuse(t, name, badValue, row.sentence, row.a)
	}
	if strings.Contains(w.journal.String()+w.Output(), secret[:1000]) {
		t.Error("a token is on record")
	}
	_, err := w.as(nil, "GetId", object{"IdentityPoolId": w.pool, "Logins": object{w.idp.key(0): secret}})
	if err == nil || strings.Contains(err.Error(), "sss") {
		t.Errorf("got %v, want a sentence without the token", err)
	}
}
