package idpooltest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"idpool/internal/config"
	"idpool/internal/operation"
	"idpool/internal/pool"
	"idpool/internal/shape"
	"idpool/internal/shape/shapetest"
	"idpool/internal/sigv4"
)

const unreadable = "The request body is not the JSON object that the operation expects."

// corpus reads the files of a folder of the JSON test suite.
func corpus(t *testing.T, folder string, want int) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(shapetest.Corpus(t, "json", folder), "*.json"))
	if err != nil || len(paths) != want {
		t.Fatalf("got %d files, %v, want %d", len(paths), err, want)
	}
	out := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = string(text)
	}
	return out
}

// TestJSONSuite sends the files of the JSON test suite as bodies of an anonymous and of a signed operation, and as a
// member of a body that is good otherwise (security I2). What is no JSON is never read as some.
func TestJSONSuite(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	all := corpus(t, "test_parsing", 318)
	maps.Copy(all, corpus(t, "test_transform", 22))
	known := `{"IdentityPoolId":"` + s.Dev.PoolID + `","New":`
	missing := refused{"ValidationException", "1 validation error detected: Value null at 'identityPoolId' failed to satisfy constraint: Member must not be null"}
	got := map[string]int{}
	for name, text := range all {
		kind, _, _ := strings.Cut(name, "_")
		for how, a := range map[string]*answer{
			"body":        s.post("GetId", nil, text),
			"signed body": s.post("DescribeIdentityPool", s.Admin(), text),
			"member":      s.post("GetId", nil, known+text+"}"),
		} {
			bad := a.refusal() == refused{"SerializationException", unreadable} && a.status == 400
			good := how == "member" && a.status == 200 || how != "member" && a.status == 400 && a.refusal() == missing
			empty := name == "n_structure_no_data.json" && how != "member" // nothing is {}
			if bad == good || kind == "n" && bad == empty {
				t.Errorf("%s as a %s: got %d %.200s", name, how, a.status, a.body)
			}
			if good {
				got[kind+" "+how]++
			}
		}
	}
	want := map[string]int{"y body": 10, "y signed body": 10, "n body": 1, "n signed body": 1, "y member": 93, "i member": 10,
		// of the transforms: names in several spellings, big numbers in a member that nobody reads
		"object body": 2, "object signed body": 2, "object member": 2, "number member": 10, "string member": 1}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("read (-got +want):\n%s", d)
	}
}

// TestOneReading: what two parsers could read in two ways is refused, and nothing of it happens (security I1).
func TestOneReading(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	open := s.Dev.PoolID
	closed := s.mustPool(nil)
	bodies := []string{
		`{"IdentityPoolId":"CLOSED","IdentityPoolId":"OPEN"}`, `{"IdentityPoolId":"OPEN","IdentityPoolId":"OPEN"}`,
		`{"IdentityPoolId":"OPEN","identityPoolId":"CLOSED"}`, `{"IDENTITYPOOLID":"OPEN"}`, `{"IdentityPoolId":"OPEN","\u0049dentityPoolId":"CLOSED"}`,
		`{"IdentityPoolId":"OPEN","Login\u017f":{"a":"b"}}`, `{"IdentityPoolId":"OPEN","logins":{}}`,
		`{"IdentityPoolId":"OPEN","Logins":{"a":"1"},"Logins":{"b":"2"}}`, `{"IdentityPoolId":"OPEN","Logins":{"a":"1","a":"2"}}`,
		`{"IdentityPoolId":"OPEN","Logins":{"a":"1","\u0061":"2"}}`, `{"IdentityPoolId":"OPEN","x":{"a":1,"a":2}}`, `{"IdentityPoolId":"OPEN","x":[{"a":1,"a":2}]}`,
		`{"IdentityPoolId":"OPEN","Logins":null,"Logins":{}}`, `{"IdentityPoolId":"OPEN"}{"IdentityPoolId":"CLOSED"}`, `{"IdentityPoolId":"OPEN"} x`,
		"\xef\xbb\xbf" + `{"IdentityPoolId":"OPEN"}`, `{"IdentityPoolId":"OPEN","x":"` + "\xff" + `"}`, `{"IdentityPoolId":"OPEN","x":"\ud800"}`,
		`{"IdentityPoolId":"OPEN",}`, `{"IdentityPoolId":"OPEN"/**/}`, `{'IdentityPoolId':"OPEN"}`, `{"IdentityPoolId":["OPEN"]}`, `{"IdentityPoolId":1}`,
		`{"IdentityPoolId":{"x":"OPEN"}}`, `{"IdentityPoolId":true}`, `["OPEN"]`, `"OPEN"`, `null`, `{"IdentityPoolId":"OPEN","Logins":[]}`, `{"IdentityPoolId":"OPEN","Logins":{"a":1}}`,
		`{"IdentityPoolId":"OPEN","Logins":{"a":null}}`, `{"IdentityPoolId":"OPEN","x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`,
		`{"IdentityPoolId":"OPEN","x":[` + strings.Repeat("1,", 2000) + `1]}`, `{"IdentityPoolId":"OPEN","x":` + strings.Repeat("[", 100_000),
	}
	if len(bodies) < 20 {
		t.Fatalf("got %d bodies, want 20 and more", len(bodies))
	}
	for _, body := range bodies {
		body = strings.NewReplacer("OPEN", open, "CLOSED", closed).Replace(body)
		s.refuses(t, body[:min(len(body), 100)], 400, refused{"SerializationException", unreadable}, func() *answer { return s.post("GetId", nil, body) })
	}
	for _, body := range []string{
		`{"IdentityPoolId":"OPEN","x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `}`, ` {"IdentityPoolId":"OPEN","New":{"Logins":1}} `, `{"IdentityPoolId":"OPEN","Logins":null}`,
	} {
		if got := s.post("GetId", nil, strings.ReplaceAll(body, "OPEN", open)); got.status != 200 {
			t.Errorf("%s: got %d %s", body, got.status, got.body)
		}
	}
	var loose struct{ Strict bool }
	if got := s.post("CreateIdentityPool", s.Admin(), `{"IdentityPoolName":"p","AllowUnauthenticatedIdentities":"true"}`); got.refusal().code != "SerializationException" || loose.Strict {
		t.Errorf("a boolean as text: got %d %s", got.status, got.body)
	}
}

// TestBodySize: the limit on bodies is exact, and beyond it nothing is read.
func TestBodySize(t *testing.T) {
	t.Parallel()
	const limit = 4096
	s := Start(t, Options{Configure: func(c *config.Config) { c.Limits.BodyBytes = limit }})
	body := func(size int) string {
		start := `{"IdentityPoolId":"` + s.Dev.PoolID + `","x":"`
		return start + strings.Repeat("x", size-len(start)-2) + `"}`
	}
	if got := s.post("GetId", nil, body(limit)); got.status != 200 {
		t.Errorf("%d bytes: got %d %s", limit, got.status, got.body)
	}
	guests := len(s.MustIdentities(s.Dev.PoolID))
	got := s.post("GetId", nil, body(limit+1))
	if want := (refused{"SerializationException", "The request's body is too large."}); got.status != http.StatusRequestEntityTooLarge || got.refusal() != want {
		t.Errorf("%d bytes: got %d %+v, want 413 %+v", limit+1, got.status, got.refusal(), want)
	}
	if n := len(s.MustIdentities(s.Dev.PoolID)); n != guests {
		t.Errorf("got %d identities, want %d", n, guests)
	}
}

// hostile are strings that mean something to a database, a shell, a template, a log or a terminal.
var hostile = []string{
	`' OR '1'='1' --`, `"; DROP TABLE identities; --`, `%s%n%x`, `${jndi:ldap://127.0.0.1/x}`, `{{7*7}}$(id)`,
	"x\r\nSet-Cookie: a=b", "x\x00y", "\x1b[2J\u202e\u2028", "../../etc/passwd", `\u0022`, "$1", "😀",
}

// example is a value of a shape with every member there.
func example(s *shape.Shape, valid map[string]any, depth int) any {
	switch s.Kind {
	case shape.KindBool:
		return false
	case shape.KindInteger:
		return 1
	case shape.KindList:
		return []any{example(s.Elem, valid, depth)}
	case shape.KindMap:
		return object{"x": example(s.Elem, valid, depth)}
	case shape.KindStructure:
		out := object{}
		for i := range s.Members {
			m := &s.Members[i]
			v, ok := valid[m.Name]
			if !ok {
				v = example(m.Shape, valid, depth+1)
			}
			if out[m.Name] = v; v == nil {
				delete(out, m.Name)
			}
		}
		return out
	}
	return "x"
}

// variants are copies of a value in each of which one string, a name or a value, is replaced.
func variants(v any, with string) []any {
	var out []any
	switch v := v.(type) {
	case string:
		return []any{with}
	case []any:
		for i := range v {
			for _, one := range variants(v[i], with) {
				again := slices.Clone(v)
				again[i] = one
				out = append(out, again)
			}
		}
	case object:
		for k := range v {
			for _, one := range variants(v[k], with) {
				again := maps.Clone(v)
				again[k] = one
				out = append(out, again)
			}
			if k == "x" { // the name of an entry of a map
				again := maps.Clone(v)
				delete(again, k)
				again[with] = v[k]
				out = append(out, again)
			}
		}
	}
	return out
}

// TestHostileStrings puts each hostile string into each string of each operation, while the rest is good (security I8,
// I13): never a fault of ours, nothing executed, no header of theirs, no line of the log broken.
func TestHostileStrings(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.mustChangePool(s.Dev.PoolID, func(p *pool.Pool) {
		p.DeveloperProvider = developer
		p.LoginProviders = map[string]string{"accounts.google.com": "g"}
	})
	alice := s.MustGetID("alice")
	victim := s.mustPool(nil)
	valid := map[string]any{
		"IdentityPoolId": victim, "IdentityId": alice, "IdentityIdsToDelete": []any{unknownID}, "ResourceArn": poolARN(victim),
		"DeveloperProviderName": developer, "OpenIdConnectProviderARNs": nil, "SamlProviderARNs": nil, "CognitoIdentityProviders": nil, "SupportedLoginProviders": nil,
		"AllowClassicFlow": nil, "NextToken": nil, "IdentityProviderName": "accounts.google.com", "Type": "Rules", "AmbiguousRoleResolution": "Deny", "MatchType": "Equals",
		"RoleARN": s.Dev.GuestRoleARN, "CustomRoleArn": nil, "AccountId": nil, "Roles": object{"authenticated": s.Dev.AuthenticatedRoleARN},
	}
	tried := 0
	for _, service := range services() {
		for _, row := range service.Rows {
			if service.Protocol != operation.JSON {
				continue
			}
			var signer *sigv4.Credentials
			if row.Access != operation.Anonymous {
				signer = s.Admin()
			}
			for _, text := range hostile {
				in := example(row.In, valid, 0)
				everything := example(row.In, nil, 0) // also what is left out above
				for _, variant := range slices.Concat(variants(in, text), variants(everything, text)) {
					tried++
					got := s.call(row.Name, signer, variant)
					if got.status != 200 && got.status != 400 || got.header.Get("Set-Cookie") != "" || strings.Trim(got.header.Get("X-Amzn-Errormessage"), printableASCII) != "" || !json.Valid([]byte(got.body)) && got.body != "" {
						t.Errorf("%s %s: got %d %v %s", row.Name, mustJSON(t, variant), got.status, got.header, got.body)
					}
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("tried %d bodies, want 1000 and more", tried)
	}
	if got := s.MustGetID("alice"); got != alice {
		t.Errorf("alice became %s", got)
	}
	for _, text := range []string{"\x1b", "\x00", "\u202e", "\u2028", "\r"} {
		if strings.Contains(s.Output(), text) {
			t.Errorf("events or log hold %q as it is", text)
		}
	}
	if n := len(s.Records()); n < tried {
		t.Errorf("got %d events for %d requests", n, tried)
	}
}

// boundary is a value at the edge of a constraint; an empty constraint is one that holds.
type boundary struct {
	operation, member string
	in                object
	constraint        string
}

func boundaries(s *Server) []boundary {
	const (
		idPattern = `regular expression pattern: [\w-]+:[0-9a-f-]+`
		atMost    = "have length less than or equal to "
		atLeast   = "have length greater than or equal to "
	)
	long := func(n int) string { return strings.Repeat("a", n) }
	pools := func(id string) object { return object{"IdentityPoolId": id} }
	id := func(id string) object { return object{"IdentityId": id} }
	list := func(n any) object { return object{"MaxResults": n} }
	logins := func(n int, token string) object {
		m := object{}
		for i := range n {
			m[fmt.Sprintf("p%02d", i)] = token
		}
		return object{"IdentityPoolId": s.Dev.PoolID, "Logins": m}
	}
	name := func(n string) object {
		return object{"IdentityPoolName": n, "AllowUnauthenticatedIdentities": false}
	}
	account := func(n string) object { return object{"IdentityPoolId": s.Dev.PoolID, "AccountId": n} }
	role := func(n int) object { return object{"IdentityId": unknownID, "CustomRoleArn": long(n)} }
	next := func(token string) object { return object{"MaxResults": 1, "NextToken": token} }
	ids := func(n int) object { return object{"IdentityIdsToDelete": slices.Repeat([]string{unknownID}, n)} }
	duration := func(n int) object {
		return object{"IdentityPoolId": s.Dev.PoolID, "Logins": object{"x": "y"}, "TokenDuration": n}
	}
	return []boundary{
		{"GetId", "identityPoolId", pools("a:" + long(53)), ""},
		{"GetId", "identityPoolId", pools("a:" + long(54)), atMost + "55"},
		{"GetId", "identityPoolId", pools("us-east-1_abc"), "satisfy " + idPattern},
		{"GetId", "identityPoolId", pools("a:0\n"), "satisfy " + idPattern},
		{"GetId", "identityPoolId", pools("a:A"), "satisfy " + idPattern},
		{"GetId", "identityPoolId", object{}, "not be null"},
		{"GetId", "accountId", account(strings.Repeat("1", 15)), ""},
		{"GetId", "accountId", account(strings.Repeat("1", 16)), atMost + "15"},
		{"GetId", "accountId", account("12a"), `satisfy regular expression pattern: \d+`},
		{"GetId", "logins", logins(10, "x"), ""},
		{"GetId", "logins", logins(11, "x"), "*" + atMost + "10"},
		{"GetId", "logins", logins(1, long(50_000)), ""},
		{"GetId", "logins", logins(1, long(50_001)), "*Map value"},
		{"GetId", "logins", logins(1, ""), "*Map value"},
		{"GetCredentialsForIdentity", "identityId", id("a:" + long(54)), atMost + "55"},
		{"GetCredentialsForIdentity", "identityId", id("x"), "satisfy " + idPattern},
		{"GetCredentialsForIdentity", "customRoleArn", role(20), ""},
		{"GetCredentialsForIdentity", "customRoleArn", role(19), atLeast + "20"},
		{"GetCredentialsForIdentity", "customRoleArn", role(2048), ""},
		{"GetCredentialsForIdentity", "customRoleArn", role(2049), "…" + atMost + "2048"},
		{"ListIdentityPools", "maxResults", list(1), ""},
		{"ListIdentityPools", "maxResults", list(60), ""},
		{"ListIdentityPools", "maxResults", list(0), "have value greater than or equal to 1"},
		{"ListIdentityPools", "maxResults", list(61), "have value less than or equal to 60"},
		{"ListIdentityPools", "maxResults", list(-1), "have value greater than or equal to 1"},
		{"ListIdentityPools", "maxResults", list(json.Number("9223372036854775807")), "have value less than or equal to 60"},
		{"ListIdentityPools", "maxResults", list(nil), "not be null"},
		{"ListIdentityPools", "nextToken", next(long(65535)), ""},
		{"ListIdentityPools", "nextToken", next(long(65536)), "…" + atMost + "65535"},
		{"ListIdentityPools", "nextToken", next("a b"), `satisfy regular expression pattern: [\S]+`},
		{"CreateIdentityPool", "identityPoolName", name(long(128)), ""},
		{"CreateIdentityPool", "identityPoolName", name(long(129)), atMost + "128"},
		{"CreateIdentityPool", "identityPoolName", name("a/b"), `satisfy regular expression pattern: [\w\s+=,.@-]+`},
		{"CreateIdentityPool", "allowUnauthenticatedIdentities", object{"IdentityPoolName": "p"}, "not be null"},
		{"DeleteIdentities", "identityIdsToDelete", ids(60), ""},
		{"DeleteIdentities", "identityIdsToDelete", ids(0), atLeast + "1"},
		{"GetOpenIdTokenForDeveloperIdentity", "tokenDuration", duration(86400), ""},
		{"GetOpenIdTokenForDeveloperIdentity", "tokenDuration", duration(86401), "have value less than or equal to 86400"},
		{"GetOpenIdTokenForDeveloperIdentity", "tokenDuration", duration(0), "have value greater than or equal to 1"},
	}
}

// TestBoundaries: one below, at and one above, each with AWS's sentence (security I14).
func TestBoundaries(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	public := map[string]bool{"GetId": true, "GetCredentialsForIdentity": true}
	for _, b := range boundaries(s) {
		signer := s.Admin()
		if public[b.operation] {
			signer = nil
		}
		name := b.operation + " " + mustJSON(t, b.in)
		name = name[:min(len(name), 120)]
		call := func() *answer { return s.call(b.operation, signer, b.in) }
		if b.constraint == "" {
			if got := call(); got.refusal().code == "ValidationException" || got.status == 500 {
				t.Errorf("%s: got %d %.300s, want no objection to its length", name, got.status, got.body)
			}
			continue
		}
		member := strings.ToUpper(b.member[:1]) + b.member[1:]
		value := fmt.Sprintf("Value '%v'", b.in[member])
		constraint := "Member must " + b.constraint
		switch {
		case b.in[member] == nil:
			value = "Value null"
		case member == "IdentityIdsToDelete":
			value = "Value '[]'"
		case b.constraint == "*Map value": // a token is not repeated
			value, constraint = "Value", "Map value must satisfy constraint: [Member must have length less than or equal to 50000, Member must have length greater than or equal to 1]"
		case b.constraint[0] == '*':
			value, constraint = "Value", "Member must "+b.constraint[1:]
		case strings.HasPrefix(b.constraint, "…"):
			value, constraint = "Value '"+strings.Repeat("a", 1024)+"…'", "Member must "+strings.TrimPrefix(b.constraint, "…")
		}
		want := "1 validation error detected: " + value + " at '" + b.member + "' failed to satisfy constraint: " + constraint
		s.refuses(t, name, 400, refused{"ValidationException", want}, call)
	}
	want := "2 validation errors detected: Value null at 'identityPoolName' failed to satisfy constraint: Member must not be null; " +
		"Value null at 'allowUnauthenticatedIdentities' failed to satisfy constraint: Member must not be null"
	s.refuses(t, "two", 400, refused{"ValidationException", want}, func() *answer { return s.post("CreateIdentityPool", s.Admin(), "{}") })
	got := s.call("DeleteIdentities", s.Admin(), object{"IdentityIdsToDelete": slices.Repeat([]string{unknownID}, 61)})
	if r := got.refusal(); r.code != "ValidationException" || !strings.HasSuffix(r.sentence, "at 'identityIdsToDelete' failed to satisfy constraint: Member must have length less than or equal to 60") {
		t.Errorf("61 ids: got %+v", r)
	}
}
