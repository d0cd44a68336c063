package idpooltest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"idpool/internal/identity"
	"idpool/internal/pool"
	"idpool/internal/setup"
	"idpool/internal/testidp"
)

const (
	notToken    = "Invalid login token. Not a valid OpenId Connect identity token."
	notVerified = "Invalid login token. Couldn't verify signed token."
	notIssuer   = "Invalid login token. Issuer doesn't match providerName"
	notClient   = "Token is not from a supported provider of this identity pool."
)

func missing(claim string) string { return "Invalid login token. Missing a required claim: " + claim }

// badToken is a token that must be refused: why, as the event says it, and in which words.
type badToken struct {
	row, name       string
	token           string
	reason, message string
}

// badTokens are tokens of f that are no logins, by the rows of security A. Some name keys at another address.
func badTokens(f *forge, elsewhere string) []badToken {
	good := f.claims("mallory", nil)
	plain := f.token("mallory", nil)
	now := f.now().Unix()
	header := func(more string) string { return f.sign(`{"alg":"ES256","kid":"`+f.kid+`"`+more+`}`, good) }
	claim := func(name string, v any) string { return f.token("mallory", object{name: v}) }
	raw := func(members string) string { return f.sign(f.header(), good[:len(good)-1]+`,`+members+`}`) }
	bare := func(alg string) string {
		return b64(`{"alg":"`+alg+`","kid":"`+f.kid+`"}`) + "." + b64(good) + "."
	}
	parts := strings.Split(plain, ".")
	resigned := func(signature []byte) string { return parts[0] + "." + parts[1] + "." + b64(signature) }
	keyed := func(alg string, key []byte) string {
		text := b64(`{"alg":"`+alg+`","kid":"`+f.kid+`"}`) + "." + b64(good)
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return text + "." + b64(mac.Sum(nil))
	}
	point, _ := f.secret.PublicKey.Bytes()
	const malformed, algorithm, signature, claims, kind = "malformed", "algorithm refused", "bad signature", "invalid claim", "wrong token type"
	return []badToken{
		{"A1", "none", bare("none") + b64("x"), algorithm, notVerified},
		{"A1", "None", bare("None") + b64("x"), algorithm, notVerified},
		{"A1", "NONE, no signature", bare("NONE"), malformed, notToken},
		{"A1", "two segments", parts[0] + "." + parts[1], malformed, notToken},
		{"A1", "empty signature", parts[0] + "." + parts[1] + ".", malformed, notToken},
		{"A2", "HS256 with the public key", keyed("HS256", point), algorithm, notVerified},
		{"A2", "HS256 with the client id", keyed("HS256", []byte(setup.DevAudience)), algorithm, notVerified},
		{"A2", "another family than the key's", f.sign(`{"alg":"RS256","kid":"`+f.kid+`"}`, good), "key not found", notVerified},
		{"A3", "unknown kid", f.sign(`{"alg":"ES256","kid":"other"}`, good), "key not found", notVerified},
		{"A3", "kid as a path", f.sign(`{"alg":"ES256","kid":"../../../../dev/null"}`, good), "key not found", notVerified},
		{"A3", "kid as SQL", f.sign(`{"alg":"ES256","kid":"x' UNION SELECT 'key"}`, good), "key not found", notVerified},
		{"A3", "kid as a URL", f.sign(`{"alg":"ES256","kid":"`+elsewhere+`/keys"}`, good), "key not found", notVerified},
		{"A3", "long kid", f.sign(`{"alg":"ES256","kid":"`+strings.Repeat("k", 257)+`"}`, good), malformed, notToken},
		{"A3", "kid as a number", f.sign(`{"alg":"ES256","kid":1}`, good), malformed, notToken},
		{"A3", "kid with a control character", f.sign(`{"alg":"ES256","kid":"a\u0000"}`, good), malformed, notToken},
		{"A4", "jku", header(`,"jku":"` + elsewhere + `/keys"`), malformed, notToken},
		{"A4", "x5u", header(`,"x5u":"` + elsewhere + `/keys"`), malformed, notToken},
		{"A4", "jwk", header(`,"jwk":{"kty":"EC"}`), malformed, notToken},
		{"A5", "five segments", plain + ".x.y", malformed, notToken},
		{"A5", "nested", header(`,"cty":"JWT"`), malformed, notToken},
		{"A5", "compressed", header(`,"zip":"DEF"`), malformed, notToken},
		{"A5", "encrypted", header(`,"enc":"A256GCM"`), malformed, notToken},
		{"A5", "as JSON", `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, malformed, notToken},
		{"A6", "dots", strings.Repeat(".", 50_000), malformed, notToken},
		{"A6", "long header", f.sign(`{"alg":"ES256","x":"`+strings.Repeat("x", 5000)+`"}`, good), malformed, notToken},
		{"A7", "zeros", resigned(make([]byte, 64)), signature, notVerified},
		{"A7", "ones", resigned(slices.Repeat([]byte{255}, 64)), signature, notVerified},
		{"A7", "short", resigned(make([]byte, 63)), signature, notVerified},
		{"A8", "padded", plain + "==", malformed, notToken},
		{"A8", "line end", plain + "\n", malformed, notToken},
		{"A8", "line end inside", parts[0] + "." + parts[1] + ".\r\n" + parts[2], malformed, notToken},
		{"A8", "space", " " + plain, malformed, notToken},
		{"A8", "trailing bits", plain[:len(plain)-1] + nextLetter(plain[len(plain)-1]), malformed, notToken},
		{"A12", "crit", header(`,"crit":["exp"]`), malformed, notToken},
		{"A12", "empty crit", header(`,"crit":[]`), malformed, notToken},
		{"A12", "b64", header(`,"b64":false`), malformed, notToken},
		{"A13", "alg twice", header(`,"alg":"ES256"`), malformed, notToken},
		{"A13", "sub twice", raw(`"sub":"victim"`), malformed, notToken},
		{"A13", "twice, deeper", raw(`"x":{"a":[{"b":1,"b":2}]}`), malformed, notToken},
		{"A13", "not UTF-8", raw("\"x\":\"\xff\""), malformed, notToken},
		{"A13", "half a surrogate", raw(`"x":"\ud800"`), malformed, notToken},
		{"A13", "something after it", f.sign(f.header(), good+"{}"), malformed, notToken},
		{"A14", "another issuer", claim("iss", elsewhere), "issuer mismatch", notIssuer},
		{"A14", "a slash more", claim("iss", f.url+"/"), "issuer mismatch", notIssuer},
		{"A14", "no scheme", claim("iss", f.key), "issuer mismatch", notIssuer},
		{"A14", "https", claim("iss", "https://"+f.key), "issuer mismatch", notIssuer},
		{"A14", "a longer host", claim("iss", f.url+".evil.example"), "issuer mismatch", notIssuer},
		{"A14", "user information", claim("iss", "http://"+f.key+"@evil.example"), "issuer mismatch", notIssuer},
		{"A14", "upper case", claim("iss", strings.ToUpper(f.url)), "issuer mismatch", notIssuer},
		{"A14", "an array", claim("iss", []string{f.url}), claims, notToken},
		{"A14", "none", claim("iss", nil), "missing claim", missing("iss")},
		{"A16", "another client", claim("aud", "other"), "audience mismatch", notClient},
		{"A16", "another case", claim("aud", strings.ToUpper(setup.DevAudience)), "audience mismatch", notClient},
		{"A16", "no azp among several", claim("aud", []string{setup.DevAudience, "other"}), "audience mismatch", notClient},
		{"A16", "another azp", raw(`"azp":"other"`), "audience mismatch", notClient},
		{"A16", "empty", claim("aud", ""), "missing claim", missing("aud")},
		{"A16", "empty array", claim("aud", []string{}), "missing claim", missing("aud")},
		{"A16", "object", claim("aud", object{"a": 1}), claims, notToken},
		{"A16", "numbers", claim("aud", []int{1}), claims, notToken},
		{"A17", "access token of a user pool", f.token("mallory", object{"aud": nil, "client_id": setup.DevAudience, "token_use": "access"}), "missing claim", missing("aud")},
		{"A17", "access token", raw(`"token_use":"access"`), kind, notToken},
		{"A17", "at+jwt", header(`,"typ":"at+jwt"`), kind, notToken},
		{"A17", "logout token", raw(`"events":{"http://schemas.openid.net/event/backchannel-logout":{}}`), kind, notToken},
		{"A18", "expired", f.token("mallory", object{"exp": now, "iat": now - 60}), "expired", fmt.Sprintf("Invalid login token. Token expired: %d >= %d", now, now)},
		{"A18", "long expired", f.token("mallory", object{"exp": 1, "iat": 0}), "expired", fmt.Sprintf("Invalid login token. Token expired: %d >= 1", now)},
		{"A18", "no exp", claim("exp", nil), "missing claim", missing("exp")},
		{"A18", "no iat", claim("iat", nil), "missing claim", missing("iat")},
		{"A18", "exp as text", claim("exp", fmt.Sprint(now+60)), claims, notToken},
		{"A18", "exp with a fraction", claim("exp", json.Number(fmt.Sprintf("%d.5", now+60))), claims, notToken},
		{"A18", "exp with an exponent", claim("exp", json.Number("2e9")), claims, notToken},
		{"A18", "exp without end", claim("exp", math.MaxInt64), claims, notToken},
		{"A18", "exp before time", claim("exp", -1), claims, notToken},
		{"A18", "nbf null", raw(`"nbf":null`), claims, notToken},
		{"A18", "iat ahead", claim("iat", now+301), "not yet valid", notToken},
		{"A18", "nbf ahead", claim("nbf", now+301), "not yet valid", notToken},
		{"A18", "a month and a second", claim("exp", now+30*86400+1), "too long", notToken},
		{"A21", "no sub", claim("sub", nil), "missing claim", missing("sub")},
		{"A21", "empty sub", claim("sub", ""), "missing claim", missing("sub")},
		{"A21", "long sub", claim("sub", strings.Repeat("s", 256)), claims, notToken},
		{"A21", "control character", claim("sub", "a\x00b"), claims, notToken},
		{"A21", "number", claim("sub", 1), claims, notToken},
	}
}

// nextLetter changes the last bit of a letter of base64url, which in a signature of 64 bytes means nothing.
func nextLetter(c byte) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(letters[strings.IndexByte(letters, c)^1])
}

// TestBadTokens sends each token that is no login through every operation that takes logins: nobody gets in, nothing is
// written, nobody else is asked, and the event names the check that failed (security A1–A18, A21).
func TestBadTokens(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Clock: newClock().Now})
	f := startForge(t, "1", s.Clock)
	s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience)
	trap := startForge(t, "trap", s.Clock)
	alice := s.mustIdentity("GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{f.key: f.token("alice", nil), s.IdP.Key: s.token("alice", nil)}})
	guest := s.MustGetID("")
	asked := f.asked.Load()
	rows := map[string]int{}
	for _, bad := range badTokens(f, trap.url) {
		rows[bad.row]++
		logins := object{f.key: bad.token, s.IdP.Key: s.token("alice", nil)} // one good login does not help
		for operation, in := range map[string]object{
			"GetId":                     {"IdentityPoolId": s.Dev.PoolID, "Logins": object{f.key: bad.token}},
			"GetCredentialsForIdentity": {"IdentityId": alice, "Logins": logins},
			"GetOpenIdToken":            {"IdentityId": guest, "Logins": object{f.key: bad.token}},
			"UnlinkIdentity":            {"IdentityId": alice, "Logins": logins, "LoginsToRemove": []string{s.IdP.Key}},
		} {
			name := bad.row + " " + bad.name + ", " + operation
			record := s.refuses(t, name, 400, refused{"NotAuthorizedException", bad.message}, func() *answer { return s.call(operation, nil, in) })
			if len(record.Steps) == 0 {
				t.Errorf("%s: got no steps in the event", name)
				continue
			}
			last := record.Steps[len(record.Steps)-1]
			if last.OK || last.Name != "verify" || last.Subject != f.key || last.Expected == "" || !strings.HasPrefix(last.Found, bad.reason+": ") {
				t.Errorf("%s: got the step %+v, want %s", name, last, bad.reason)
			}
		}
	}
	for _, row := range strings.Fields("A1 A2 A3 A4 A5 A6 A7 A8 A12 A13 A14 A16 A17 A18 A21") {
		if rows[row] == 0 {
			t.Errorf("no token of row %s", row)
		}
	}
	// An unknown key id may have the keys loaded once more, which are two documents; nothing else may ask for anything.
	if n := f.asked.Load() - asked; n > 2 {
		t.Errorf("the provider was asked for %d documents, want one more load at most", n)
	}
	if n := trap.asked.Load(); n != 0 {
		t.Errorf("got %d requests at an address that a token named, want none", n)
	}
	if got := s.mustIdentity("GetCredentialsForIdentity", object{"IdentityId": alice, "Logins": object{f.key: f.token("alice", nil)}}); got != alice {
		t.Errorf("after all that the good login leads to %s, want %s", got, alice)
	}
}

// TestGoodTokens are the neighbours of bad ones: names that are no claims of ours, times at the edge.
func TestGoodTokens(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Clock: newClock().Now})
	f := startForge(t, "1", s.Clock)
	s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience, "other-app")
	now := noon.Unix()
	alice := s.mustIdentity("GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{f.key: f.token("alice", nil)}})
	good := f.claims("alice", nil)
	for name, token := range map[string]string{
		"no typ":              f.sign(`{"alg":"ES256","kid":"1"}`, good),
		"no kid":              f.sign(`{"alg":"ES256"}`, good),
		"x5t":                 f.sign(`{"alg":"ES256","kid":"1","x5t":"x"}`, good),
		"Sub is not sub":      f.sign(f.header(), good[:len(good)-1]+`,"Sub":"victim","\u017fub":"victim"}`),
		"the last second":     f.token("alice", object{"exp": now + 1, "iat": now - 60}),
		"iat 300 s ahead":     f.token("alice", object{"iat": now + 300}),
		"nbf 300 s ahead":     f.token("alice", object{"nbf": now + 300}),
		"a month":             f.token("alice", object{"exp": now + 30*86400}),
		"several clients":     f.token("alice", object{"aud": []string{"x", setup.DevAudience}, "azp": "other-app"}),
		"one in an array":     f.token("alice", object{"aud": []string{setup.DevAudience}}),
		"the same again":      f.token("alice", nil),
		"its last bit, again": f.sign(f.header(), good),
	} {
		if got := s.mustIdentity("GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{f.key: token}}); got != alice {
			t.Errorf("%s: got %s, want %s", name, got, alice)
		}
	}
}

// TestSubjects: a subject is bytes; what looks alike is not the same person (security A21).
func TestSubjects(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	f := startForge(t, "1", s.Clock)
	s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience)
	seen := map[string]string{}
	for _, sub := range []string{"a", "A", "a ", " a", "é", "e\u0301", "a:b", "b", "a:", ":b", "a\u200b", "%61", "a%", "_", "'", "ａ", strings.Repeat("s", 255), strings.Repeat("é", 127)} {
		for range 2 {
			id := s.mustIdentity("GetId", object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{f.key: f.token(sub, nil)}})
			if before, ok := seen[id]; ok && before != sub {
				t.Errorf("%q and %q are one identity", before, sub)
			}
			seen[id] = sub
		}
	}
	if len(seen) != 18 {
		t.Errorf("got %d identities for 18 subjects", len(seen))
	}
}

// TestTokenOfAnotherProvider: each provider's tokens are good under its own key alone, whatever key ids they share
// (security A15).
func TestTokenOfAnotherProvider(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	forges := []*forge{startForge(t, "1", s.Clock), startForge(t, "1", s.Clock), startForge(t, "3", s.Clock)}
	for i, f := range forges {
		s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience, fmt.Sprint("client-", i))
	}
	for i, of := range forges {
		for j, under := range forges {
			for what, token := range map[string]string{
				"": of.token("sam", nil), " with its issuer": of.token("sam", object{"iss": under.url}), " for its client": of.token("sam", object{"iss": under.url, "aud": fmt.Sprint("client-", j)}),
			} {
				call := func() *answer {
					return s.call("GetId", nil, object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{under.key: token}})
				}
				name := fmt.Sprintf("token %d%s under key %d", i, what, j)
				switch {
				case i == j:
					if got := call(); got.status != 200 {
						t.Errorf("%s: got %d %s", name, got.status, got.body)
					}
				case what == "":
					s.refuses(t, name, 400, refused{"NotAuthorizedException", notIssuer}, call)
				default:
					s.refuses(t, name, 400, refused{"NotAuthorizedException", notVerified}, call)
				}
			}
		}
	}
	// The keys of a Logins map are compared byte for byte, and no provider is made up from them.
	f := forges[0]
	for _, key := range []string{f.url, "http://" + f.key, f.key + "/", strings.ToUpper("x" + f.key), f.key + " ", " " + f.key, "", strings.TrimPrefix(f.key, "127.0.0.1")} {
		want := refused{"NotAuthorizedException", loginsMismatch}
		if key == "" {
			want = refused{"ValidationException", "1 validation error detected: Value at 'logins' failed to satisfy constraint: " +
				"Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]"}
		}
		s.refuses(t, "key "+key, 400, want, func() *answer {
			return s.call("GetId", nil, object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{key: f.token("sam", nil)}})
		})
	}
}

// TestKeysOfAProvider: keys that the provider withdrew or that are too weak or not for signing verify nothing
// (security A9, A10); a rotated key works on its first token.
func TestKeysOfAProvider(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	token := func(sub string) string { return s.MustMint(testidp.TokenRequest{Sub: sub, Aud: setup.DevAudience}) }
	in := func(token string) object { return object{"IdentityPoolId": s.Dev.PoolID, "Logins": s.Logins(token)} }
	alice := s.mustIdentity("GetId", in(token("alice")))
	if err := s.IdP.Rotate(testidp.Drop); err != nil {
		t.Fatal(err)
	}
	if got := s.mustIdentity("GetId", in(token("alice"))); got != alice {
		t.Errorf("the first token of a new key: got %s, want %s", got, alice)
	}
	for name, members := range map[string]string{
		"use enc": `"use":"enc"`, "key_ops sign": `"key_ops":["sign"]`, "another alg": `"alg":"ES384"`, "oct": `"kty":"oct","k":"AAAA"`,
	} {
		f := startForge(t, "1", s.Clock)
		point, err := f.secret.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		key := object{"kty": "EC", "crv": "P-256", "kid": "1", "x": b64(point[1:33]), "y": b64(point[33:])}
		var more object
		if err := json.Unmarshal([]byte("{"+members+"}"), &more); err != nil {
			t.Fatal(err)
		}
		maps.Copy(key, more)
		web := httptest.NewServer(nil)
		t.Cleanup(web.Close)
		f.url, f.key = web.URL, web.Listener.Addr().String()
		web.Config.Handler = documents(web.URL, mustJSON(t, object{"keys": []object{key}}))
		s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience)
		got := s.call("GetId", nil, object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{f.key: f.token("alice", nil)}})
		if want := (refused{"ExternalServiceException", silence}); got.status != 400 || got.refusal() != want {
			t.Errorf("%s: got %d %s, want %+v: a provider without a usable key is none", name, got.status, got.body, want)
		}
	}
}

// documents serves an issuer's discovery document and key set.
func documents(issuer, keys string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			_, _ = w.Write([]byte(keys))
			return
		}
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuer, issuer+"/keys")
	})
}

// lineage is the D1 matrix: who may use which identity with which logins, and what becomes of all of them. Rows are the
// identity that the request names: a guest; one that holds the caller's own login; one that holds another's; one that was
// merged away; none; a guest of another pool. Columns are the logins that it brings.
var lineage = map[string]map[string]string{
	"guest": {
		"": "guest", "own": "A: T>A", "other": "B: T>B", "new": "T: T=new", "own new": "A: A=own+new T>A", "own other": "A: A=other+own B>A T>A",
	},
	"own": {
		"": "forbidden", "own": "A", "other": "mismatch", "new": "mismatch", "own new": "A: A=own+new", "own other": "A: A=other+own B>A",
	},
	"another's": {
		"": "forbidden", "own": "mismatch", "other": "B", "new": "mismatch", "own new": "mismatch", "own other": "A: A=other+own B>A",
	},
	"disabled": {
		"": "forbidden", "own": "forbidden", "other": "forbidden", "new": "forbidden", "own new": "forbidden", "own other": "forbidden",
	},
	"unknown": {
		"": "unknown", "own": "unknown", "other": "unknown", "new": "unknown", "own new": "unknown", "own other": "unknown",
	},
	"elsewhere": {
		"": "roles", "own": "mismatch", "other": "mismatch", "new": "mismatch", "own new": "mismatch", "own other": "mismatch",
	},
}

// TestLineage plays the matrix, cell by cell, each with identities of its own (security D1, D2, D6).
func TestLineage(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := Start(t, Options{Clock: c.Now})
	providers := map[string]*forge{"own": startForge(t, "1", s.Clock), "other": startForge(t, "1", s.Clock), "new": startForge(t, "1", s.Clock)}
	for _, f := range providers {
		s.mustProvider(s.Dev.PoolID, f.url, setup.DevAudience)
	}
	elsewhere := s.mustPool(object{"AllowUnauthenticatedIdentities": true, "SupportedLoginProviders": object{"accounts.google.com": "g"}})
	cells := 0
	for target, row := range lineage {
		for columns, want := range row {
			cells++
			cell := fmt.Sprintf("%s × %q", target, columns)
			login := func(kinds string) object {
				out := object{}
				for kind := range strings.FieldsSeq(kinds) {
					out[providers[kind].key] = providers[kind].token(cell, nil)
				}
				return out
			}
			get := func(poolID, kinds string) string {
				c.millis.Add(1) // so that A is older than B
				return s.mustIdentity("GetId", object{"IdentityPoolId": poolID, "Logins": login(kinds)})
			}
			cast := map[string]string{"A": get(s.Dev.PoolID, "own"), "B": get(s.Dev.PoolID, "other")}
			switch target {
			case "guest", "disabled":
				cast["T"] = get(s.Dev.PoolID, "")
			case "own":
				cast["T"] = cast["A"]
			case "another's":
				cast["T"] = cast["B"]
			case "unknown":
				cast["T"] = unknownID
			case "elsewhere":
				cast["T"] = get(elsewhere, "")
			}
			if target == "disabled" {
				s.mustIdentity("GetCredentialsForIdentity", object{"IdentityId": cast["T"], "Logins": login("own")})
			}
			in := object{"IdentityId": cast["T"], "Logins": login(columns)}
			call := func() *answer { return s.call("GetCredentialsForIdentity", nil, in) }
			refusal := map[string]refused{
				"forbidden": {"NotAuthorizedException", forbidden(cast["T"])},
				"mismatch":  {"NotAuthorizedException", loginsMismatch},
				"unknown":   {"ResourceNotFoundException", "Identity '" + cast["T"] + "' not found."},
				"roles":     {"InvalidIdentityPoolConfigurationException", badRoles},
			}
			if no, ok := refusal[want]; ok {
				s.refuses(t, cell, 400, no, call)
				continue
			}
			s.plays(t, cell, cast, want, call())
		}
	}
	if cells != 36 {
		t.Errorf("got %d cells, want 36", cells)
	}
}

// plays compares who answered, and what became of A, B and T, with a cell: "A: T>A" is that A answered, and T was merged
// into it; "A=own+new" is that A holds these logins now. What is not named is as before.
func (s *Server) plays(t *testing.T, cell string, cast map[string]string, want string, got *answer) {
	t.Helper()
	who, changes, _ := strings.Cut(want, ": ")
	if who == "guest" {
		who = "T"
	}
	var out struct{ IdentityId string }
	if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.status != 200 || out.IdentityId != cast[who] {
		t.Errorf("%s: got %d %s, want %s", cell, got.status, got.body, who)
		return
	}
	holds := map[string]int{"A": 1, "B": 1, "T": 0}
	if cast["T"] == cast["A"] || cast["T"] == cast["B"] {
		holds["T"] = 1
	}
	merged := map[string]string{}
	for change := range strings.FieldsSeq(changes) {
		if from, to, ok := strings.Cut(change, ">"); ok {
			merged[from], holds[from] = cast[to], 0
			continue
		}
		name, logins, _ := strings.Cut(change, "=")
		holds[name] = len(strings.Split(logins, "+"))
	}
	all := map[string]identity.Identity{}
	for _, i := range s.MustIdentities(s.Dev.PoolID) {
		all[i.ID] = i
	}
	for name, id := range cast {
		if name == "T" && (id == cast["A"] || id == cast["B"]) {
			continue
		}
		if i := all[id]; len(i.Logins) != holds[name] || i.MergedInto != merged[name] || i.Disabled != (merged[name] != "") {
			t.Errorf("%s: %s: got %+v, want %d logins, merged into %q", cell, name, i, holds[name], merged[name])
		}
	}
}

// TestOneGuestTwoLogins: of two that link their logins to one guest at once, one gets him (security D3).
func TestOneGuestTwoLogins(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for range 5 {
		guest := s.MustGetID("")
		var both sync.WaitGroup
		answers := make([]*answer, 2)
		for i := range answers {
			in := mustJSON(t, object{"IdentityId": guest, "Logins": s.logins(fmt.Sprint(guest, i))})
			both.Go(func() { answers[i] = s.post("GetCredentialsForIdentity", nil, in) })
		}
		both.Wait()
		var won int
		for _, a := range answers {
			busy := a.refusal().code == "TooManyRequestsException" // on a machine with much to do
			if a.status == 200 {
				won++
			} else if want := (refused{"NotAuthorizedException", loginsMismatch}); a.refusal() != want && !busy {
				t.Errorf("the loser: got %d %+v, want %+v", a.status, a.refusal(), want)
			}
		}
		if won > 1 {
			t.Errorf("got %d winners, want 1", won)
		}
	}
	linked := 0
	for _, i := range s.MustIdentities(s.Dev.PoolID) {
		if linked += len(i.Logins); len(i.Logins) > 1 || i.Disabled {
			t.Errorf("got %+v, want one login at most", i)
		}
	}
	if linked == 0 {
		t.Error("nobody ever won")
	}
}

// TestOneLoginManyRequests: one login makes one identity, however many ask at once (security D13).
func TestOneLoginManyRequests(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	in := mustJSON(t, object{"IdentityPoolId": s.Dev.PoolID, "Logins": s.logins("alice")})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got := s.post("GetId", nil, in); got.status != 200 && got.refusal().code != "TooManyRequestsException" {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	all.Wait()
	s.MustGetID("alice") // in case that all were told to come back
	if got := s.MustIdentities(s.Dev.PoolID); len(got) != 1 || len(got[0].Logins) != 1 {
		t.Errorf("got %+v, want one identity with one login", got)
	}
}

// TestRolesOfAnotherPool: a role that trusts one pool is nothing to the identities of another (security D6, E4).
func TestRolesOfAnotherPool(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	other := s.mustPool(object{"AllowUnauthenticatedIdentities": true})
	s.mustChangePool(other, func(p *pool.Pool) {
		p.Roles = map[string]string{pool.Unauthenticated: s.Dev.GuestRoleARN, pool.Authenticated: s.Dev.AuthenticatedRoleARN}
	})
	guest := s.mustIdentity("GetId", object{"IdentityPoolId": other})
	s.refuses(t, "a role of another pool", 400, refused{"InvalidIdentityPoolConfigurationException", badRoles},
		func() *answer { return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": guest}) })
	own := s.mustRole("own", trust(other, "unauthenticated"))
	s.refuses(t, "a role that was asked for", 400, refused{"NotAuthorizedException", "Access to Role '" + own + "' is forbidden."},
		func() *answer {
			return s.call("GetCredentialsForIdentity", nil, object{"IdentityId": guest, "CustomRoleArn": own})
		})
	s.mustChangePool(other, func(p *pool.Pool) { p.Roles = map[string]string{pool.Unauthenticated: own} })
	if got := s.call("GetCredentialsForIdentity", nil, object{"IdentityId": guest, "CustomRoleArn": own}); got.status != 200 {
		t.Errorf("the pool's own role: got %d %s", got.status, got.body)
	}
}
