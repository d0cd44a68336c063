package oidc

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"idpool/internal/login"
)

// outcome is a token with what must become of it; the reason is "" when it passes.
type outcome struct {
	name   string
	token  string
	reason login.Reason
	claim  string
}

// runOutcomes gives every token to one verifier, for which s is the issuer's key, and returns what passed by name.
func runOutcomes(t *testing.T, s signer, p *login.Provider, opts Options, outcomes []outcome) map[string]*login.Login {
	t.Helper()
	w := new(web)
	w.serve(p.Issuer, s)
	v := mustVerifier(t, w, opts)
	passed := map[string]*login.Login{}
	for _, o := range outcomes {
		t.Run(o.name, func(t *testing.T) {
			l, err := v.Verify(t.Context(), p, o.token, t0)
			if o.reason != "" {
				wantRefusal(t, l, err, o.reason, o.claim)
				return
			}
			if err != nil {
				t.Errorf("got %v, want no error", err)
			}
			passed[o.name] = l
		})
	}
	return passed
}

// claimsWith returns good claims as text with more text inside the object.
func claimsWith(changes map[string]any, more string) string {
	return strings.TrimSuffix(goodClaims(changes), "}") + "," + more + "}"
}

// TestPart0: correctly signed tokens with odd content, which libraries read differently (spec security, part 0). Where
// a token passes here, what is read is the member of that very name.
func TestPart0(t *testing.T) {
	s := es256("1")
	header := func(more string) string { return `{"alg":"ES256","kid":"1"` + more + `}` }
	good := s.sign(goodClaims(nil))
	exp := func(text string) string { return claimsWith(map[string]any{"exp": nil}, `"exp":`+text) }
	outcomes := []outcome{
		{"sub twice", s.sign(claimsWith(nil, `"sub":"victim"`)), login.Malformed, ""},
		{"Sub beside sub", s.sign(claimsWith(nil, `"Sub":"victim"`)), "", ""},
		{"ſub beside sub", s.sign(claimsWith(nil, `"ſub":"victim"`)), "", ""},
		{"ſub alone", s.sign(claimsWith(map[string]any{"sub": nil}, `"ſub":"victim"`)), login.MissingClaim, "sub"},
		{"Aud beside a foreign aud", s.sign(claimsWith(map[string]any{"aud": "other"}, `"Aud":"client-1"`)), login.AudienceMismatch, "aud"},
		{"EXP beside an expired exp", s.sign(claimsWith(map[string]any{"exp": 1}, `"EXP":9999999999`)), login.Expired, "exp"},
		{"no exp", s.sign(goodClaims(map[string]any{"exp": nil})), login.MissingClaim, "exp"},
		{"exp as a string", s.sign(exp(fmt.Sprintf(`"%d"`, t0.Unix()+60))), login.InvalidClaim, "exp"},
		{"bytes after the claims", s.sign(goodClaims(nil) + "x"), login.Malformed, ""},
		{"an object after the claims", s.sign(goodClaims(nil) + `{"sub":"victim"}`), login.Malformed, ""},
		{"iat a day ahead", s.sign(goodClaims(map[string]any{"iat": t0.Unix() + 86400, "exp": t0.Unix() + 90000})), login.NotYetValid, "iat"},
		{"two audiences, foreign azp", s.sign(goodClaims(map[string]any{"aud": []string{"other", "client-1"}, "azp": "other"})), login.AudienceMismatch, "azp"},
		{"LF at the end", good + "\n", login.Malformed, ""},
		{"leading space", " " + good, login.Malformed, ""},
		{"padding", good + "=", login.Malformed, ""},
		{"unknown crit", s.signRaw(header(`,"crit":["x"],"x":1`), goodClaims(nil)), login.Malformed, ""},
		{"b64 false", s.signRaw(header(`,"crit":["b64"],"b64":false`), goodClaims(nil)), login.Malformed, ""},
		{"crit empty", s.signRaw(header(`,"crit":[]`), goodClaims(nil)), login.Malformed, ""},
		{"alg twice", s.signRaw(`{"alg":"none","alg":"ES256","kid":"1"}`, goodClaims(nil)), login.Malformed, ""},
		{"at+jwt", s.signRaw(header(`,"typ":"at+jwt"`), goodClaims(nil)), login.WrongTokenType, ""},
		{"logout+jwt", s.signRaw(header(`,"typ":"logout+jwt"`), goodClaims(nil)), login.WrongTokenType, ""},
		{"zip", s.signRaw(header(`,"zip":"DEF"`), goodClaims(nil)), login.Malformed, ""},
	}
	for name, l := range runOutcomes(t, s, provider(), Options{}, outcomes) {
		if l.Subject != "user-1" {
			t.Errorf("%s: got subject %q, want user-1", name, l.Subject)
		}
	}
}

// TestA13Names: names twice at any depth, and text that is not UTF-8.
func TestA13Names(t *testing.T) {
	s := es256("1")
	header := func(text string) string { return s.signRaw(text, goodClaims(nil)) }
	outcomes := []outcome{
		{"header: kid twice", header(`{"alg":"ES256","kid":"1","kid":"1"}`), login.Malformed, ""},
		{"header: twice, deep", header(`{"alg":"ES256","kid":"1","x":[{"y":1,"y":1}]}`), login.Malformed, ""},
		{"header: twice, one escaped", header(`{"alg":"none","\u0061lg":"ES256","kid":"1"}`), login.Malformed, ""},
		{"header: ALG", header(`{"ALG":"ES256","kid":"1"}`), login.Malformed, ""},
		{"header: KID", header(`{"alg":"ES256","KID":"1","kid":"2"}`), login.KeyNotFound, ""},
		{"header: an array", header(`["ES256"]`), login.Malformed, ""},
		{"header: empty", header(`{}`), login.Malformed, ""},
		{"header: trailing", header(`{"alg":"ES256","kid":"1"}{}`), login.Malformed, ""},
		{"header: trailing NUL", header("{\"alg\":\"ES256\",\"kid\":\"1\"}\x00"), login.Malformed, ""},
		{"header: BOM", header("\ufeff" + `{"alg":"ES256","kid":"1"}`), login.Malformed, ""},
		{"header: Latin-1", header("{\"alg\":\"ES256\",\"kid\":\"1\",\"x\":\"\xe9\"}"), login.Malformed, ""},
		{"header: comment", header(`{"alg":"ES256",/**/"kid":"1"}`), login.Malformed, ""},
		{"header: trailing comma", header(`{"alg":"ES256","kid":"1",}`), login.Malformed, ""},
		{"header: single quotes", header(`{'alg':'ES256','kid':'1'}`), login.Malformed, ""},
		{"claims: twice, deep", s.sign(claimsWith(nil, `"a":{"b":[{"c":1,"c":2}]}`)), login.Malformed, ""},
		{"claims: twice, one escaped", s.sign(claimsWith(nil, `"\u0073ub":"victim"`)), login.Malformed, ""},
		{"claims: iss twice", s.sign(claimsWith(nil, `"iss":"`+issuer+`"`)), login.Malformed, ""},
		{"claims: AUD only", s.sign(claimsWith(map[string]any{"aud": nil}, `"AUD":"client-1"`)), login.MissingClaim, "aud"},
		{"claims: name with NUL", s.sign(claimsWith(map[string]any{"sub": nil}, `"sub\u0000":"victim"`)), login.MissingClaim, "sub"},
		{"claims: bad UTF-8 in a value", s.sign(claimsWith(nil, "\"a\":\"\xff\"")), login.Malformed, ""},
		{"claims: bad UTF-8 in a name", s.sign(claimsWith(nil, "\"\xff\":1")), login.Malformed, ""},
		{"claims: overlong UTF-8", s.sign(claimsWith(nil, "\"a\":\"\xc0\x80\"")), login.Malformed, ""},
		{"claims: lone surrogate", s.sign(claimsWith(nil, `"a":"\ud800"`)), login.Malformed, ""},
		{"claims: surrogates swapped", s.sign(claimsWith(nil, `"a":"\udc00\ud800"`)), login.Malformed, ""},
		{"claims: raw control code", s.sign(claimsWith(nil, "\"a\":\"\x01\"")), login.Malformed, ""},
		{"claims: array", s.sign("[" + goodClaims(nil) + "]"), login.Malformed, ""},
		{"claims: string", s.sign(`"x"`), login.Malformed, ""},
		{"claims: null", s.sign("null"), login.Malformed, ""},
		{"claims: NaN", s.sign(claimsWith(nil, `"a":NaN`)), login.Malformed, ""},
		{"claims: leading zero", s.sign(claimsWith(nil, `"a":01`)), login.Malformed, ""},
		{"claims: white space around", s.sign(" \n" + goodClaims(nil) + "\t\r\n "), "", ""},
		{"claims: surrogate pair", s.sign(claimsWith(nil, `"a":"\ud83d\ude00"`)), "", ""},
	}
	runOutcomes(t, s, provider(), Options{}, outcomes)
}

// TestA14Issuers: issuers that look like the configured one.
func TestA14Issuers(t *testing.T) {
	s := es256("1")
	p := provider()
	p.Issuer = "https://login.example.com/tenant"
	var outcomes []outcome
	for _, iss := range []string{
		"https://login.example.com/tenant/", "https://login.example.com/tenant?", "https://login.example.com/tenant#", "https://login.example.com/tenant ",
		" https://login.example.com/tenant", "https://login.example.com/tenan", "https://login.example.com/tenant2", "https://login.example.com/Tenant",
		"https://LOGIN.example.com/tenant", "HTTPS://login.example.com/tenant", "http://login.example.com/tenant", "login.example.com/tenant",
		"https://login.example.com:443/tenant", "https://login.example.com./tenant", "https://user@login.example.com/tenant",
		"https://login.example.com/tenant@evil.example", "https://login.example.com%2ftenant", "https://login.example.com/%74enant",
		"https://login.example.com//tenant", "https://login.example.com/x/../tenant", "https://lоgin.example.com/tenant", "https://evil.example/tenant",
		"https://login.example.com/tenant\x00", "//login.example.com/tenant",
	} {
		outcomes = append(outcomes, outcome{iss, s.sign(goodClaims(map[string]any{"iss": iss})), login.IssuerMismatch, "iss"})
	}
	for name, iss := range map[string]any{"array": []string{p.Issuer}, "number": 1, "null": json.RawMessage("null"), "object": map[string]any{}} {
		outcomes = append(outcomes, outcome{name, s.sign(goodClaims(map[string]any{"iss": iss})), login.InvalidClaim, "iss"})
	}
	outcomes = append(outcomes,
		outcome{"empty", s.sign(goodClaims(map[string]any{"iss": ""})), login.MissingClaim, "iss"},
		outcome{"missing", s.sign(goodClaims(map[string]any{"iss": nil})), login.MissingClaim, "iss"},
		outcome{"escaped, but the same", s.sign(claimsWith(map[string]any{"iss": nil}, `"iss":"https:\/\/login.example.com\/t\u0065nant"`)), "", ""},
		outcome{"the same", s.sign(goodClaims(map[string]any{"iss": p.Issuer})), "", ""})
	runOutcomes(t, s, p, Options{}, outcomes)
}

func TestDescribeIssuer(t *testing.T) {
	for got, want := range map[string]string{
		issuer + "/": "trailing slash", "login.example.com": "without its scheme", "http://login.example.com": "http://", strings.ToUpper(issuer): "case",
		issuer + "x": "begins with", "https://evil.example": "another issuer",
	} {
		if text := describeIssuer(got, issuer); !strings.Contains(text, want) {
			t.Errorf("%q: got %q, want it to hold %q", got, text, want)
		}
	}
}

// TestA16Audience: the rule for aud and azp, and AWS's.
func TestA16Audience(t *testing.T) {
	s := es256("1")
	many := make([]string, maxAudiences+1)
	for i := range many {
		many[i] = "client-1"
	}
	null := json.RawMessage("null")
	for _, test := range []struct {
		name     string
		aud, azp any
		ours     login.Reason // by our rule
		aws      login.Reason // where azp replaces aud
		claim    string
	}{
		{"one", "client-1", nil, "", "", ""},
		{"one, in an array", []string{"client-2"}, nil, "", "", ""},
		{"one, and azp the same", "client-1", "client-1", "", "", ""},
		{"one, and azp another of ours", "client-1", "client-2", "", "", ""},
		{"two and azp", []string{"other", "client-1"}, "client-1", "", "", ""},
		{"two of ours and azp", []string{"client-2", "client-1"}, "client-1", "", "", ""},
		{"two without azp", []string{"other", "client-1"}, nil, login.AudienceMismatch, "", "azp"},
		{"the same twice without azp", []string{"client-1", "client-1"}, nil, login.AudienceMismatch, "", "azp"},
		{"one, foreign azp", "client-1", "other", login.AudienceMismatch, login.AudienceMismatch, "azp"},
		{"two, foreign azp", []string{"other", "client-1"}, "other", login.AudienceMismatch, login.AudienceMismatch, "azp"},
		{"foreign aud, azp ours", "other", "client-1", login.AudienceMismatch, "", "aud"},
		{"foreign", "other", nil, login.AudienceMismatch, login.AudienceMismatch, "aud"},
		{"foreign, in an array", []string{"other", "another"}, nil, login.AudienceMismatch, login.AudienceMismatch, "aud"},
		{"part of ours", "client-", nil, login.AudienceMismatch, login.AudienceMismatch, "aud"},
		{"ours and more", "client-1 ", nil, login.AudienceMismatch, login.AudienceMismatch, "aud"},
		{"ours in capitals", "CLIENT-1", nil, login.AudienceMismatch, login.AudienceMismatch, "aud"},
		{"a list in a string", "client-1 client-2", nil, login.AudienceMismatch, login.AudienceMismatch, "aud"},
		{"missing", nil, nil, login.MissingClaim, login.MissingClaim, "aud"},
		{"missing, azp ours", nil, "client-1", login.MissingClaim, login.MissingClaim, "aud"},
		{"empty", "", nil, login.MissingClaim, login.MissingClaim, "aud"},
		{"empty array", []string{}, "client-1", login.MissingClaim, login.MissingClaim, "aud"},
		{"null", null, nil, login.InvalidClaim, login.InvalidClaim, "aud"},
		{"number", 1, nil, login.InvalidClaim, login.InvalidClaim, "aud"},
		{"object", map[string]any{"client-1": true}, nil, login.InvalidClaim, login.InvalidClaim, "aud"},
		{"empty within", []string{"client-1", ""}, nil, login.InvalidClaim, login.InvalidClaim, "aud"},
		{"number within", []any{"client-1", 1}, nil, login.InvalidClaim, login.InvalidClaim, "aud"},
		{"array within", []any{[]string{"client-1"}}, nil, login.InvalidClaim, login.InvalidClaim, "aud"},
		{"too many", many, "client-1", login.InvalidClaim, login.InvalidClaim, "aud"},
		{"azp empty", "client-1", "", login.InvalidClaim, login.InvalidClaim, "azp"},
		{"azp null", "client-1", null, login.InvalidClaim, login.InvalidClaim, "azp"},
		{"azp array", "client-1", []string{"client-1"}, login.InvalidClaim, login.InvalidClaim, "azp"},
	} {
		token := s.sign(goodClaims(map[string]any{"aud": test.aud, "azp": test.azp}))
		for _, aws := range []bool{false, true} {
			want := test.ours
			if aws {
				want = test.aws
			}
			opts := Options{Issuers: map[string]Settings{issuer: {AZPReplacesAudience: aws}}}
			runOutcomes(t, s, provider(), opts, []outcome{{fmt.Sprintf("%s, AWS's rule %v", test.name, aws), token, want, test.claim}})
		}
	}
}

// TestAudienceOfLogin: the login says for which client id the token was issued.
func TestAudienceOfLogin(t *testing.T) {
	for _, test := range []struct {
		aud  []string
		azp  string
		aws  bool
		want string
	}{
		{[]string{"client-2"}, "", false, "client-2"},
		{[]string{"client-2"}, "client-1", false, "client-2"},
		{[]string{"other", "client-1"}, "client-2", false, "client-1"},
		{[]string{"other"}, "client-2", true, "client-2"},
		{[]string{"other", "client-1"}, "", true, "client-1"},
	} {
		c := &claims{aud: test.aud, azp: test.azp}
		got, refusal := c.checkAudience(provider(), test.aws)
		if refusal != nil || got != test.want {
			t.Errorf("%+v: got %q, %v", test, got, refusal)
		}
	}
}

// TestA17Types: tokens that were issued for something else.
func TestA17Types(t *testing.T) {
	s := es256("1")
	typ := func(text string) string {
		return s.signRaw(`{"alg":"ES256","kid":"1","typ":`+text+`}`, goodClaims(nil))
	}
	runOutcomes(t, s, provider(), Options{}, []outcome{
		{"a user pool's access token", s.sign(goodClaims(map[string]any{"aud": nil, "token_use": "access", "client_id": "client-1"})), login.MissingClaim, "aud"},
		{"token_use access", s.sign(goodClaims(map[string]any{"token_use": "access"})), login.WrongTokenType, "token_use"},
		{"token_use null", s.sign(goodClaims(map[string]any{"token_use": json.RawMessage("null")})), login.WrongTokenType, "token_use"},
		{"token_use array", s.sign(goodClaims(map[string]any{"token_use": []string{"id"}})), login.WrongTokenType, "token_use"},
		{"token_use id", s.sign(goodClaims(map[string]any{"token_use": "id"})), "", ""},
		{"logout", s.sign(goodClaims(map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}})), login.WrongTokenType, "events"},
		{"events null", s.sign(goodClaims(map[string]any{"events": json.RawMessage("null")})), login.WrongTokenType, "events"},
		{"typ at+jwt", typ(`"at+jwt"`), login.WrongTokenType, ""},
		{"typ application/at+jwt", typ(`"application/at+jwt"`), login.WrongTokenType, ""},
		{"typ logout+jwt", typ(`"logout+jwt"`), login.WrongTokenType, ""},
		{"typ dpop+jwt", typ(`"dpop+jwt"`), login.WrongTokenType, ""},
		{"typ JOSE+JSON", typ(`"JOSE+JSON"`), login.WrongTokenType, ""},
		{"typ Jwt", typ(`"Jwt"`), login.WrongTokenType, ""},
		{"typ empty", typ(`""`), login.WrongTokenType, ""},
		{"typ null", typ(`null`), login.WrongTokenType, ""},
		{"typ array", typ(`["JWT"]`), login.WrongTokenType, ""},
		{"typ JWT", typ(`"JWT"`), "", ""},
		{"typ jwt", typ(`"jwt"`), "", ""},
	})
}

// TestA18Times: times as text, at t0.
func TestA18Times(t *testing.T) {
	s := es256("1")
	now := t0.Unix()
	num := func(n int64) string { return fmt.Sprint(n) }
	claim := func(name, text string) string {
		return s.sign(claimsWith(map[string]any{name: nil}, `"`+name+`":`+text))
	}
	iatExp := func(iat, exp int64) string { return s.sign(goodClaims(map[string]any{"iat": iat, "exp": exp})) }
	const day = 86400
	outcomes := []outcome{
		{"exp in a second", claim("exp", num(now+1)), "", ""},
		{"exp now", claim("exp", num(now)), login.Expired, "exp"},
		{"exp a second ago", claim("exp", num(now-1)), login.Expired, "exp"},
		{"exp 0", claim("exp", "0"), login.Expired, "exp"},
		{"nbf now", claim("nbf", num(now)), "", ""},
		{"nbf 300 s ahead", claim("nbf", num(now+300)), "", ""},
		{"nbf 301 s ahead", claim("nbf", num(now+301)), login.NotYetValid, "nbf"},
		{"nbf 0", claim("nbf", "0"), "", ""},
		{"iat 300 s ahead", claim("iat", num(now+300)), "", ""},
		{"iat 301 s ahead", claim("iat", num(now+301)), login.NotYetValid, "iat"},
		{"iat missing", s.sign(goodClaims(map[string]any{"iat": nil})), login.MissingClaim, "iat"},
		{"30 days", iatExp(now-15*day, now+15*day), "", ""},
		{"30 days and a second", iatExp(now-15*day, now+15*day+1), login.TooLong, "exp"},
		{"a hundred years", iatExp(now, now+36500*day), login.TooLong, "exp"},
		{"exp at the limit", claim("exp", "9007199254740991"), login.TooLong, "exp"},
		{"old, and long", iatExp(0, now+60), login.TooLong, "exp"},
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		for _, text := range []string{
			`"` + num(now+60) + `"`, num(now+60) + ".0", num(now+60) + ".5", "1.8e9", "1E300", "1e-1", "-1", "-0", "9007199254740992", "9223372036854775807",
			"9223372036854775808", "18446744073709551616", strings.Repeat("9", 400), "null", "true", "[]", `{"a":1}`, `["1"]`,
		} {
			want := login.InvalidClaim
			if text == "[]" && name != "nbf" {
				want = login.MissingClaim // as empty as can be
			}
			outcomes = append(outcomes, outcome{name + " " + text[:min(len(text), 30)], claim(name, text), want, name})
		}
	}
	runOutcomes(t, s, provider(), Options{}, outcomes)
}

// TestExpired: the refusal carries the times that AWS's sentence names.
func TestExpired(t *testing.T) {
	s, w := es256("1"), new(web)
	w.serve(issuer, s)
	exp := t0.Unix() + 3600
	_, err := mustVerifier(t, w, Options{}).Verify(t.Context(), provider(), s.sign(goodClaims(nil)), t0.Add(time.Hour))
	got := refusalOf(t, err).Fault().Message
	if want := fmt.Sprintf("Invalid login token. Token expired: %d >= %d", exp, exp); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExpiryGrace(t *testing.T) {
	s := es256("1")
	exp := func(ago int64) string {
		return s.sign(goodClaims(map[string]any{"exp": t0.Unix() - ago, "iat": t0.Unix() - 3600}))
	}
	runOutcomes(t, s, provider(), Options{Issuers: map[string]Settings{issuer: {ExpiryGrace: 300 * time.Second}}}, []outcome{
		{"now", exp(0), "", ""},
		{"299 s ago", exp(299), "", ""},
		{"300 s ago", exp(300), login.Expired, "exp"},
	})
	runOutcomes(t, s, provider(), Options{Issuers: map[string]Settings{issuer: {MaxLifetime: time.Hour}}}, []outcome{
		{"an hour", exp(-3600 + 3600), login.Expired, "exp"},
		{"more than an hour", exp(-1), login.TooLong, "exp"},
	})
}

// TestA21Subjects: a subject is opaque bytes, and nothing is done to them.
func TestA21Subjects(t *testing.T) {
	s := es256("1")
	var outcomes []outcome
	add := func(name string, sub any, reason login.Reason) {
		claim := ""
		if reason != "" {
			claim = "sub"
		}
		outcomes = append(outcomes, outcome{name, s.sign(goodClaims(map[string]any{"sub": sub})), reason, claim})
	}
	good := []string{"a", "a:b", "a b", " a", "a ", "A", "é", "e\u0301", "user@example.com", "auth0|x", `"`, `\`, "<b>", "😀", "\u00a0", "\ufffd", "../x", "*", "${a}", strings.Repeat("x", 255)}
	for _, sub := range good {
		add(sub, sub, "")
	}
	add("missing", nil, login.MissingClaim)
	add("empty", "", login.MissingClaim)
	add("256 bytes", strings.Repeat("x", 256), login.InvalidClaim)
	add("256 bytes in fewer characters", strings.Repeat("é", 128), login.InvalidClaim)
	for _, c := range []string{"\x00", "\x01", "\t", "\n", "\r", "\x1f", "\x7f"} {
		add(fmt.Sprintf("%q", c), "user"+c+"1", login.InvalidClaim)
	}
	for name, sub := range map[string]any{"number": 1, "array": []string{"a"}, "object": map[string]any{"a": 1}, "null": json.RawMessage("null"), "true": true} {
		add(name, sub, login.InvalidClaim)
	}
	passed := runOutcomes(t, s, provider(), Options{}, outcomes)
	seen := map[string]bool{}
	for name, l := range passed {
		if l.Subject != name {
			t.Errorf("got subject %q, want %q", l.Subject, name)
		}
		seen[l.Subject] = true
	}
	if len(seen) != len(good) {
		t.Errorf("got %d subjects, want %d: twins must stay two", len(seen), len(good))
	}
}
