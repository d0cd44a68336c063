package idpooltest

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"idpool/internal/config"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/setup"
	"idpool/internal/sigv4"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

// impossible are declared errors that nothing leads to here. TooManyRequests and InternalError, which everything leads
// to, have tests of their own: TestRatesOfOperations and TestNoRecordNoAnswer.
var impossible = map[string]string{
	"CreateIdentityPool":          "NotAuthorized ResourceConflict LimitExceeded", // one account; names need not be unique; no quota
	"DeleteIdentities":            "InvalidParameter",                             // ids that are not there are no error
	"DeleteIdentityPool":          "InvalidParameter NotAuthorized",               // constraints say it all; one account
	"DescribeIdentity":            "InvalidParameter NotAuthorized",
	"DescribeIdentityPool":        "InvalidParameter NotAuthorized",
	"GetId":                       "LimitExceeded",
	"GetIdentityPoolRoles":        "InvalidParameter NotAuthorized ResourceConflict",
	"GetPrincipalTagAttributeMap": "InvalidParameter NotAuthorized",
	"ListIdentities":              "NotAuthorized",
	"ListIdentityPools":           "NotAuthorized ResourceNotFound",
	"LookupDeveloperIdentity":     "NotAuthorized",
	"MergeDeveloperIdentities":    "NotAuthorized", // what is disabled has no users
	"SetIdentityPoolRoles":        "ResourceConflict",
	"SetPrincipalTagAttributeMap": "NotAuthorized",
	"UnlinkDeveloperIdentity":     "NotAuthorized ResourceConflict",
	"UnlinkIdentity":              "ResourceConflict",
	"UpdateIdentityPool":          "NotAuthorized ResourceConflict LimitExceeded",
}

// provocation is one way to an error.
type provocation struct {
	operation, code, sentence string
	in                        object
	before                    func()
}

// world is a server with all kinds of identities, whose store fails on request.
type world struct {
	*Server
	t     *testing.T
	fails *storetest.Faulty
	// second is another identity provider of the pool; silent one that does not answer.
	second, silent *forge
	// alice and bob have logins of the first provider, bob also of the second; guest has none; user is a developer's and
	// holds alice's login of the second; rival is another developer's, with bob2's.
	alice, bob, guest, user, rival string
	plain                          string // a pool without providers, roles and guests
}

const (
	unknownID = "us-east-1:00000000-0000-4000-8000-000000000000"
	taken     = "Login is already linked to another identity."
	silence   = "The identity provider is not responding."
	developer = "login.corp.app"
)

func newWorld(t *testing.T) *world {
	w := &world{t: t}
	asked := func(c *config.Config) { c.Cache.Identities = 0 } // so that a store that fails is asked
	w.Server = Start(t, Options{Clock: newClock().Now, Configure: asked, WrapStore: func(inner *store.Store) *store.Store {
		w.fails = storetest.NewFaulty(inner)
		return w.fails.Store
	}})
	w.second, w.silent = startForge(t, "1", w.Clock), startForge(t, "2", w.Clock)
	w.mustProvider(w.Dev.PoolID, w.second.url, setup.DevAudience)
	// A port that nobody listens on: it is reserved, never given out.
	w.mustProvider(w.Dev.PoolID, "http://127.0.0.1:1", setup.DevAudience)
	w.silent.url, w.silent.key = "http://127.0.0.1:1", "127.0.0.1:1"
	w.mustChangePool(w.Dev.PoolID, func(p *pool.Pool) { p.DeveloperProvider = developer })
	w.alice = w.MustGetID("alice")
	w.bob = w.mustIdentity("GetId", object{"IdentityPoolId": w.Dev.PoolID, "Logins": w.both("bob", "bob2")})
	w.guest = w.MustGetID("")
	w.user = w.mustDeveloper(object{developer: "user", w.second.key: w.second.token("carol2", nil)})
	w.rival = w.mustDeveloper(object{developer: "rival", w.second.key: w.second.token("dave2", nil)})
	w.plain = w.mustPool(nil)
	return w
}

func (w *world) mustDeveloper(logins object) string {
	w.t.Helper()
	var out struct{ IdentityId string }
	w.MustCall("GetOpenIdTokenForDeveloperIdentity", w.Admin(), object{"IdentityPoolId": w.Dev.PoolID, "Logins": logins}, &out)
	return out.IdentityId
}

// both are logins of the first provider and the second.
func (w *world) both(first, second string) map[string]string {
	return map[string]string{w.IdP.Key: w.token(first, nil), w.second.key: w.second.token(second, nil)}
}

// conflict are alice's login and one of bob's: to merge them, an identity would need two users of the first provider.
func (w *world) conflict() map[string]string { return w.both("alice", "bob2") }

func (w *world) noAnswer() map[string]string {
	return map[string]string{w.silent.key: w.silent.token("zoe", nil)}
}

// storm lets others change the same identities first, as often as a request tries.
func (w *world) storm() {
	for range 8 {
		w.fails.FailNext(storetest.IdentitiesApply, storetest.Before, store.ErrConflict)
	}
}

var errBroken = errors.New("canary: dial db.internal:5432")

func (w *world) broken(op storetest.Op) func() {
	return func() { w.fails.FailNext(op, storetest.Before, errBroken) }
}

func (w *world) outrun() {
	w.fails.FailNext(storetest.DocumentsWrite, storetest.Before, store.ErrConflict)
}

// provocations has at least one way to each error of each operation.
func (w *world) provocations() []provocation {
	return slices.Concat(w.publicProvocations(), w.poolProvocations(), w.identityProvocations(), w.developerProvocations(), w.tagProvocations())
}

func (w *world) publicProvocations() []provocation {
	const bad = "Invalid login token. Not a valid OpenId Connect identity token."
	in := func(id string, logins any) object { return object{"IdentityId": id, "Logins": logins} }
	out := []provocation{
		{"GetId", "InvalidParameter", "Please provide a valid public provider.", object{"IdentityPoolId": w.Dev.PoolID, "Logins": object{developer: "user"}}, nil},
		{"GetId", "ResourceNotFound", "IdentityPool '" + unknownID + "' not found.", object{"IdentityPoolId": unknownID}, nil},
		{"GetId", "NotAuthorized", noGuests, object{"IdentityPoolId": w.plain}, nil},
		{"GetId", "NotAuthorized", "Identity pool - " + w.plain + " does not have identity providers configured.", object{"IdentityPoolId": w.plain, "Logins": w.logins("zoe")}, nil},
		{"GetId", "NotAuthorized", loginsMismatch, object{"IdentityPoolId": w.Dev.PoolID, "Logins": object{"accounts.google.com": "x"}}, nil},
		{"GetId", "NotAuthorized", bad, object{"IdentityPoolId": w.Dev.PoolID, "Logins": w.Logins("x")}, nil},
		{"GetId", "NotAuthorized", bad, object{"IdentityPoolId": w.Dev.PoolID, "Logins": object{w.IdP.Key: w.token("zoe", nil), w.second.key: "x"}}, nil},
		{"GetId", "ResourceConflict", taken, object{"IdentityPoolId": w.Dev.PoolID, "Logins": w.conflict()}, nil},
		{"GetId", "TooManyRequests", "Rate exceeded", object{"IdentityPoolId": w.Dev.PoolID, "Logins": w.logins("zoe")}, w.storm},
		{"GetId", "InternalError", "Internal error.", object{"IdentityPoolId": w.Dev.PoolID}, w.broken(storetest.IdentitiesApply)},
		{"GetId", "InternalError", "Internal error.", object{"IdentityPoolId": w.Dev.PoolID, "Logins": w.logins("zoe")}, w.broken(storetest.IdentitiesFind)},
		{"GetId", "ExternalService", silence, object{"IdentityPoolId": w.Dev.PoolID, "Logins": w.noAnswer()}, nil},

		{"GetCredentialsForIdentity", "InvalidIdentityPoolConfiguration", badRoles, in(w.alice, w.logins("alice")), func() {
			w.mustChangePool(w.Dev.PoolID, func(p *pool.Pool) { p.Roles = nil })
		}},
		{"GetCredentialsForIdentity", "NotAuthorized", "Access to Role '" + w.Dev.GuestRoleARN + "' is forbidden.",
			object{"IdentityId": w.alice, "Logins": w.logins("alice"), "CustomRoleArn": w.Dev.GuestRoleARN}, func() {
				w.mustChangePool(w.Dev.PoolID, func(p *pool.Pool) { p.Roles = map[string]string{"authenticated": w.Dev.AuthenticatedRoleARN} })
			}},
		{"GetOpenIdToken", "InvalidParameter", "Basic (classic) flow is not enabled, please use enhanced flow.", in(w.alice, w.logins("alice")), func() {
			w.mustChangePool(w.Dev.PoolID, func(p *pool.Pool) { p.AllowClassic = new(false) })
		}},
		{"UnlinkIdentity", "InvalidParameter", "LoginsToRemove names no login.", object{"IdentityId": w.alice, "Logins": w.logins("alice"), "LoginsToRemove": []string{}}, func() {
			w.mustChangePool(w.Dev.PoolID, func(p *pool.Pool) { p.AllowClassic = nil })
		}},
		{"UnlinkIdentity", "InternalError", "Internal error.", object{"IdentityId": w.alice, "Logins": w.logins("alice"), "LoginsToRemove": []string{w.IdP.Key}}, w.broken(storetest.IdentitiesApply)},
	}
	for _, operation := range []string{"GetCredentialsForIdentity", "GetOpenIdToken", "UnlinkIdentity"} {
		with := func(in object) object {
			if operation == "UnlinkIdentity" {
				in["LoginsToRemove"] = []string{w.IdP.Key}
			}
			return in
		}
		out = append(out,
			provocation{operation, "ResourceNotFound", "Identity '" + unknownID + "' not found.", with(in(unknownID, w.logins("alice"))), nil},
			provocation{operation, "NotAuthorized", forbidden(w.alice), with(in(w.alice, object{})), nil},
			provocation{operation, "NotAuthorized", loginsMismatch, with(in(w.alice, w.logins("bob"))), nil},
			provocation{operation, "NotAuthorized", loginsMismatch, with(in(w.alice, object{"accounts.google.com": "x"})), nil},
			provocation{operation, "NotAuthorized", bad, with(in(w.alice, w.Logins("x"))), nil},
			provocation{operation, "InternalError", "Internal error.", with(in(w.alice, w.logins("alice"))), w.broken(storetest.IdentitiesGet)},
			provocation{operation, "ExternalService", silence, with(in(w.alice, w.noAnswer())), nil},
		)
		if operation == "UnlinkIdentity" {
			out = append(out, provocation{operation, "TooManyRequests", "Rate exceeded", with(in(w.alice, w.logins("alice"))), w.storm})
			continue
		}
		out = append(out,
			provocation{operation, "InvalidParameter", "Please provide a valid public provider.", in(w.user, object{developer: "user"}), nil},
			provocation{operation, "ResourceConflict", taken, in(w.alice, w.conflict()), nil},
			provocation{operation, "TooManyRequests", "Rate exceeded", in(w.guest, w.logins("zoe")), w.storm},
		)
	}
	return out
}

func (w *world) poolProvocations() []provocation {
	notFound := "IdentityPool '" + unknownID + "' not found."
	changed := func(id string, in object) object {
		out := object{"IdentityPoolId": id, "IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false}
		maps.Copy(out, in)
		return out
	}
	roles := func(id string, role string) object {
		return object{"IdentityPoolId": id, "Roles": object{"authenticated": role}}
	}
	gone := "arn:aws:iam::" + Account + ":role/gone"
	out := []provocation{
		{"UpdateIdentityPool", "ResourceNotFound", notFound, changed(unknownID, nil), nil},
		{"UpdateIdentityPool", "ConcurrentModification", "Identity pool " + w.plain + " is being modified concurrently.", changed(w.plain, nil), w.outrun},
		{"UpdateIdentityPool", "InternalError", "Internal error.", changed(w.plain, nil), w.broken(storetest.DocumentsWrite)},
		{"CreateIdentityPool", "InternalError", "Internal error.", changed("", nil), w.broken(storetest.DocumentsWrite)},
		{"DeleteIdentityPool", "ResourceNotFound", notFound, object{"IdentityPoolId": unknownID}, nil},
		{"DeleteIdentityPool", "InternalError", "Internal error.", object{"IdentityPoolId": w.plain}, w.broken(storetest.DocumentsWrite)},
		{"DescribeIdentityPool", "ResourceNotFound", notFound, object{"IdentityPoolId": unknownID}, nil},
		{"GetIdentityPoolRoles", "ResourceNotFound", notFound, object{"IdentityPoolId": unknownID}, nil},
		{"ListIdentityPools", "InvalidParameter", "Invalid NextToken.", object{"MaxResults": 1, "NextToken": "x"}, nil},

		{"SetIdentityPoolRoles", "ResourceNotFound", notFound, roles(unknownID, w.Dev.GuestRoleARN), nil},
		{"SetIdentityPoolRoles", "NotAuthorized", "Access to Role '" + gone + "' is forbidden.", roles(w.plain, gone), nil},
		{"SetIdentityPoolRoles", "NotAuthorized", "Access to Role 'arn:aws-cn:iam::" + Account + ":role/x' is forbidden.", roles(w.plain, "arn:aws-cn:iam::"+Account+":role/x"), nil},
		{"SetIdentityPoolRoles", "NotAuthorized", "Access to Role 'xxxxxxxxxxxxxxxxxxxx' is forbidden.", roles(w.plain, strings.Repeat("x", 20)), nil},
		{"SetIdentityPoolRoles", "NotAuthorized", "Access to Role 'arn:aws:iam::" + Account + ":role/*' is forbidden.", roles(w.plain, "arn:aws:iam::"+Account+":role/*"), nil},
		{"SetIdentityPoolRoles", "InvalidParameter", "x is not a valid RoleMapping ProviderName or is not a configured provider.",
			object{"IdentityPoolId": w.plain, "Roles": object{}, "RoleMappings": object{"x": object{"Type": "Token", "AmbiguousRoleResolution": "Deny"}}}, nil},
		{"SetIdentityPoolRoles", "ConcurrentModification", "Identity pool " + w.plain + " is being modified concurrently.", roles(w.plain, w.Dev.GuestRoleARN), w.outrun},
		{"SetIdentityPoolRoles", "InternalError", "Internal error.", roles(w.plain, w.Dev.GuestRoleARN), w.broken(storetest.DocumentsWrite)},
	}
	for sentence, in := range map[string]object{
		"Invalid login provider: api.twitter.com":                         {"SupportedLoginProviders": object{"api.twitter.com": "x"}},
		"Invalid login provider: login.example.com":                       {"SupportedLoginProviders": object{"login.example.com": "x"}},
		"Invalid Cognito Identity Provider":                               {"CognitoIdentityProviders": []object{{"ClientId": "x"}}},
		"Invalid developer provider name: accounts.google.com":            {"DeveloperProviderName": "accounts.google.com"},
		"Invalid identity provider ARN: aaaaaaaaaaaaaaaaaaaa":             {"OpenIdConnectProviderARNs": []string{"aaaaaaaaaaaaaaaaaaaa"}},
		"Invalid tag: aws:x":                                              {"IdentityPoolTags": object{"aws:x": "y"}},
		"Invalid developer provider name: www.digits.com":                 {"DeveloperProviderName": "www.digits.com"},
		"Invalid developer provider name: cognito-identity.amazonaws.com": {"DeveloperProviderName": "cognito-identity.amazonaws.com"},
		"Invalid identity provider ARN: arn:aws:iam::" + Account + ":oidc-provider/unknown.example": {
			"OpenIdConnectProviderARNs": []string{"arn:aws:iam::" + Account + ":oidc-provider/unknown.example"}},
		"Invalid identity provider ARN: arn:aws:iam::999999999999:saml-provider/x": {"SamlProviderARNs": []string{"arn:aws:iam::999999999999:saml-provider/x"}},
	} {
		out = append(out,
			provocation{"CreateIdentityPool", "InvalidParameter", sentence, changed("", in), nil},
			provocation{"UpdateIdentityPool", "InvalidParameter", sentence, changed(w.plain, in), nil})
	}
	return out
}

func (w *world) identityProvocations() []provocation {
	return []provocation{
		{"DescribeIdentity", "ResourceNotFound", "Identity '" + unknownID + "' not found.", object{"IdentityId": unknownID}, nil},
		{"DescribeIdentity", "InternalError", "Internal error.", object{"IdentityId": w.alice}, w.broken(storetest.IdentitiesGet)},
		{"ListIdentities", "ResourceNotFound", "IdentityPool '" + unknownID + "' not found.", object{"IdentityPoolId": unknownID, "MaxResults": 1}, nil},
		{"ListIdentities", "InvalidParameter", "Invalid NextToken.", object{"IdentityPoolId": w.plain, "MaxResults": 1, "NextToken": "x"}, nil},
		{"DeleteIdentities", "InternalError", "Internal error.", object{"IdentityIdsToDelete": []string{w.alice}}, w.broken(storetest.IdentitiesGet)},
	}
}

func (w *world) developerProvocations() []provocation {
	const unsupported = "This identity pool does not support the specified developer provider"
	token := func(in object) object {
		out := object{"IdentityPoolId": w.Dev.PoolID, "Logins": object{developer: "new"}}
		maps.Copy(out, in)
		return out
	}
	merge := func(poolID, provider, from, to string) object {
		return object{"IdentityPoolId": poolID, "DeveloperProviderName": provider, "SourceUserIdentifier": from, "DestinationUserIdentifier": to}
	}
	unlink := func(poolID, provider, id, user string) object {
		return object{"IdentityPoolId": poolID, "DeveloperProviderName": provider, "IdentityId": id, "DeveloperUserIdentifier": user}
	}
	lookup := func(in object) object {
		out := object{"IdentityPoolId": w.Dev.PoolID}
		maps.Copy(out, in)
		return out
	}
	const mint, look, join, part = "GetOpenIdTokenForDeveloperIdentity", "LookupDeveloperIdentity", "MergeDeveloperIdentities", "UnlinkDeveloperIdentity"
	notFound := "IdentityPool '" + unknownID + "' not found."
	return []provocation{
		{mint, "InvalidParameter", unsupported, token(object{"Logins": object{"other.app": "x"}}), nil},
		{mint, "InvalidParameter", unsupported, token(object{"Logins": w.logins("alice")}), nil},
		{mint, "InvalidParameter", unsupported, object{"IdentityPoolId": w.plain, "Logins": object{developer: "x"}}, nil},
		{mint, "ResourceNotFound", notFound, token(object{"IdentityPoolId": unknownID}), nil},
		{mint, "ResourceNotFound", "Identity '" + unknownID + "' not found.", token(object{"IdentityId": unknownID}), nil},
		{mint, "NotAuthorized", loginsMismatch, token(object{"IdentityId": w.alice}), nil},
		{mint, "ResourceConflict", taken, token(object{"IdentityId": w.alice, "Logins": object{developer: "new", w.IdP.Key: w.token("alice", nil), w.second.key: w.second.token("bob2", nil)}}), nil},
		{mint, "DeveloperUserAlreadyRegistered", "The developer user identifier is already registered with another identity.", token(object{"IdentityId": w.guest, "Logins": object{developer: "user"}}), nil},
		{mint, "TooManyRequests", "Rate exceeded", token(nil), w.storm},
		{mint, "InternalError", "Internal error.", token(nil), w.broken(storetest.IdentitiesFind)},

		{look, "InvalidParameter", "Either IdentityId or DeveloperUserIdentifier is required.", lookup(nil), nil},
		{look, "InvalidParameter", "Invalid NextToken.", lookup(object{"IdentityId": w.user, "NextToken": "x"}), nil},
		{look, "ResourceNotFound", notFound, lookup(object{"IdentityPoolId": unknownID}), nil},
		{look, "ResourceNotFound", "Developer user identifier not found.", lookup(object{"DeveloperUserIdentifier": "USER"}), nil},
		{look, "ResourceNotFound", "Identity '" + unknownID + "' not found.", lookup(object{"IdentityId": unknownID}), nil},
		{look, "ResourceNotFound", "Identity '" + w.user + "' not found.", object{"IdentityPoolId": w.plain, "IdentityId": w.user}, nil},
		{look, "ResourceConflict", "The developer user identifier belongs to another identity.", lookup(object{"IdentityId": w.alice, "DeveloperUserIdentifier": "user"}), nil},
		{look, "InternalError", "Internal error.", lookup(object{"DeveloperUserIdentifier": "user"}), w.broken(storetest.IdentitiesFind)},

		{join, "InvalidParameter", unsupported, merge(w.Dev.PoolID, "other.app", "user", "rival"), nil},
		{join, "ResourceNotFound", notFound, merge(unknownID, developer, "user", "rival"), nil},
		{join, "ResourceNotFound", "Developer user identifier not found.", merge(w.Dev.PoolID, developer, "user", "nobody"), nil},
		{join, "ResourceConflict", taken, merge(w.Dev.PoolID, developer, "user", "rival"), nil},
		{join, "InternalError", "Internal error.", merge(w.Dev.PoolID, developer, "user", "rival"), w.broken(storetest.IdentitiesFind)},

		{part, "InvalidParameter", unsupported, unlink(w.Dev.PoolID, "other.app", w.user, "user"), nil},
		{part, "ResourceNotFound", notFound, unlink(unknownID, developer, w.user, "user"), nil},
		{part, "ResourceNotFound", "Identity '" + unknownID + "' not found.", unlink(w.Dev.PoolID, developer, unknownID, "user"), nil},
		{part, "ResourceNotFound", "The login is not linked to this identity.", unlink(w.Dev.PoolID, developer, w.user, "rival"), nil},
		{part, "TooManyRequests", "Rate exceeded", unlink(w.Dev.PoolID, developer, w.user, "user"), w.storm},
		{part, "InternalError", "Internal error.", unlink(w.Dev.PoolID, developer, w.user, "user"), w.broken(storetest.IdentitiesApply)},
	}
}

func (w *world) tagProvocations() []provocation {
	const foreign = "arn:aws:cognito-identity:us-east-1:999999999999:identitypool/us-east-1:0"
	mapOf := func(poolID, provider string, tags object) object {
		return object{"IdentityPoolId": poolID, "IdentityProviderName": provider, "PrincipalTags": tags}
	}
	provider := "arn:aws:iam::" + Account + ":oidc-provider/" + w.IdP.Key
	out := []provocation{
		{"TagResource", "InvalidParameter", "Invalid tag: k", object{"ResourceArn": poolARN(w.plain), "Tags": object{"k": "*"}}, nil},
		{"SetPrincipalTagAttributeMap", "InvalidParameter", "The names of attributes have more than 460 bytes together.",
			mapOf(w.Dev.PoolID, provider, object{"a": strings.Repeat("x", 256), "b": strings.Repeat("x", 205)}), nil},
		{"SetPrincipalTagAttributeMap", "InternalError", "Internal error.", mapOf(w.Dev.PoolID, provider, nil), w.broken(storetest.DocumentsWrite)},
	}
	for _, operation := range []string{"GetPrincipalTagAttributeMap", "SetPrincipalTagAttributeMap"} {
		out = append(out,
			provocation{operation, "ResourceNotFound", "IdentityPool '" + unknownID + "' not found.", mapOf(unknownID, provider, nil), nil},
			provocation{operation, "ResourceNotFound", "Identity provider x not found.", mapOf(w.Dev.PoolID, "x", nil), nil})
	}
	for _, operation := range []string{"ListTagsForResource", "TagResource", "UntagResource"} {
		in := func(arn string) object {
			return object{"ResourceArn": arn, "Tags": object{"k": "v"}, "TagKeys": []string{"k"}}
		}
		out = append(out,
			provocation{operation, "InvalidParameter", "Invalid ARN: arn:aws:iam::1:role/xxxxxxx", in("arn:aws:iam::1:role/xxxxxxx"), nil},
			provocation{operation, "ResourceNotFound", "Resource " + poolARN(unknownID) + " not found.", in(poolARN(unknownID)), nil},
			provocation{operation, "NotAuthorized", "Access to this identity pool is forbidden.", in(foreign), nil})
	}
	return out
}

// TestEveryError provokes each error of each operation: code, status and sentence are right, and nothing came of it.
func TestEveryError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	access := map[string]operation.Access{}
	for _, row := range services()[0].Rows {
		access[row.Name] = row.Access
	}
	seen := map[string]bool{}
	for _, p := range w.provocations() {
		seen[p.operation+" "+p.code] = true
		if p.before != nil {
			p.before()
		}
		var signer *sigv4.Credentials
		if access[p.operation] != operation.Anonymous {
			signer = w.Admin()
		}
		status := 400
		if p.code == "InternalError" {
			status = 500
		}
		name := p.operation + " " + p.code + " " + mustJSON(t, p.in)
		record := w.refuses(t, name, status, refused{p.code + "Exception", p.sentence}, func() *answer { return w.call(p.operation, signer, p.in) })
		if record.Operation != p.operation || status == 500 && !strings.Contains(record.Cause, "canary") {
			t.Errorf("%s: got the event %+v, want one of the operation, with its cause", name, record)
		}
	}
	for name, codes := range Declared() {
		if _, ours := access[name]; !ours {
			continue
		}
		for code := range strings.FieldsSeq(codes) {
			everywhere := code == "TooManyRequests" || code == "InternalError"
			never := slices.Contains(strings.Fields(impossible[name]), code)
			if provoked := seen[name+" "+code]; provoked == never && !everywhere {
				t.Errorf("%s %s: provoked %v, and marked as impossible %v", name, code, provoked, never)
			}
		}
	}
	for name := range access {
		if Declared()[name] == "" {
			t.Errorf("%s has no declared errors in this test", name)
		}
	}
	for pair := range seen {
		if name, code, _ := strings.Cut(pair, " "); !slices.Contains(strings.Fields(Declared()[name]), code) {
			t.Errorf("%s answered %s, which the model does not declare for it", name, code)
		}
	}
}

// TestRatesOfOperations: each operation that the configuration limits answers the code on which SDKs wait (security F5).
func TestRatesOfOperations(t *testing.T) {
	t.Parallel()
	var all []config.Rate
	for _, service := range services()[:2] {
		for _, row := range service.Rows {
			all = append(all, config.Rate{Operation: row.Name, PerSecond: 1})
		}
	}
	c := newClock()
	s := Start(t, Options{Clock: c.Now, Configure: func(cfg *config.Config) { cfg.Limits.Operations = all }})
	for range 2 {
		for _, row := range services()[0].Rows {
			signer := s.Admin()
			if row.Access == operation.Anonymous {
				signer = nil
			} else { // who does not sign takes nothing from those who do
				_, _ = s.post(row.Name, nil, "{}"), s.post(row.Name, nil, "{}")
			}
			if first := s.post(row.Name, signer, "{}").refusal(); first.code == "TooManyRequestsException" {
				t.Errorf("%s: the first call is refused", row.Name)
			}
			s.refuses(t, row.Name, 400, refused{"TooManyRequestsException", "Rate exceeded"}, func() *answer { return s.post(row.Name, signer, "{}") })
		}
		_ = s.query(s.Admin(), whoAmI)
		s.refuses(t, "STS", 400, refused{"Throttling", "Rate exceeded"}, func() *answer { return s.query(s.Admin(), whoAmI) })
		s.mustAdvance(c, time.Second)
	}
}

// TestRateOfGuests: one client makes so many guests in one pool and no more; logins are not counted (security F1).
func TestRateOfGuests(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := Start(t, Options{Clock: c.Now, Configure: func(cfg *config.Config) { cfg.Limits.GuestsPerSecond, cfg.Limits.GuestsBurst = 1, 3 }})
	other := s.mustPool(object{"AllowUnauthenticatedIdentities": true})
	guest := func(poolID string) func() *answer {
		return func() *answer { return s.call("GetId", nil, object{"IdentityPoolId": poolID}) }
	}
	for range 3 {
		s.MustGetID("")
	}
	s.refuses(t, "the fourth", 400, refused{"TooManyRequestsException", "Rate exceeded"}, guest(s.Dev.PoolID))
	s.MustVend("alice")
	if got := guest(other)(); got.status != 200 {
		t.Errorf("another pool: got %d %s", got.status, got.body)
	}
	s.mustAdvance(c, time.Second)
	if got := guest(s.Dev.PoolID)(); got.status != 200 {
		t.Errorf("a second later: got %d %s", got.status, got.body)
	}
	s.refuses(t, "the next", 400, refused{"TooManyRequestsException", "Rate exceeded"}, guest(s.Dev.PoolID))
}

// TestPaceOfRefusals: a client that is refused too often waits for its refusals, and for nothing else; others do not wait
// (security F3). The clock stands, so the times are exact.
func TestPaceOfRefusals(t *testing.T) {
	t.Parallel()
	const perSecond = 50
	c := newClock()
	s := Start(t, Options{Clock: c.Now, Configure: func(cfg *config.Config) {
		cfg.Limits.RefusalsPerClient = perSecond
		cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	}})
	id := s.MustGetID("alice")
	asks := func(token string) string {
		return `{"IdentityId":"` + id + `","Logins":{"` + s.IdP.Key + `":"` + token + `"}}`
	}
	good := s.MustToken("alice")
	forged := good[:len(good)-8] + "AAAAAAAA"
	for _, step := range []struct {
		name, client, token string
		n, status           int
		held                time.Duration // of the last
	}{
		{"as many as may come", "192.0.2.1", forged, perSecond, 400, 0},
		{"one more", "192.0.2.1", forged, 1, 400, time.Second / perSecond},
		{"the next", "192.0.2.1", "no token", 1, 400, 2 * time.Second / perSecond},
		{"what is not refused", "192.0.2.1", good, 1, 200, 0},
		{"another client", "192.0.2.2", forged, 1, 400, 0},
		{"a neighbour's other address", "2001:db8::1", forged, perSecond, 400, 0},
		{"of the same network", "2001:db8::2", forged, 1, 400, time.Second / perSecond},
	} {
		for range step.n {
			began := time.Now()
			got := s.post("GetCredentialsForIdentity", nil, asks(step.token), "X-Forwarded-For", step.client)
			if got.status != step.status {
				t.Errorf("%s: got %d %s, want %d", step.name, got.status, got.body, step.status)
			}
			if took := time.Since(began); took < step.held {
				t.Errorf("%s: answered after %v, want %v at least", step.name, took, step.held)
			}
		}
		records := s.Records()
		if got := records[len(records)-1]; got.HeldMicros != step.held.Microseconds() || got.Client != step.client {
			t.Errorf("%s: %s was held for %d µs, want %s for %v", step.name, got.Client, got.HeldMicros, step.client, step.held)
		}
	}
	s.mustAdvance(c, time.Second)
	s.post("GetCredentialsForIdentity", nil, asks(forged), "X-Forwarded-For", "192.0.2.1")
	if records := s.Records(); records[len(records)-1].HeldMicros != 0 {
		t.Errorf("a second later: held for %d µs, want not at all", records[len(records)-1].HeldMicros)
	}
}
