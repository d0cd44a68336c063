package policy

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

var (
	pairs = flag.Int("policy.pairs", envInt("IDPOOL_POLICY_PAIRS", 40_000), "random pairs of policies and request to hold against the reference")
	seed  = flag.Uint64("policy.seed", 20261122, "seed of the random pairs")
)

func envInt(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// dice draws policies and requests from words that are likely to meet.
type dice struct{ *rand.Rand }

func (d dice) of(words ...string) string { return words[d.IntN(len(words))] }

// one in n.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

// some draws one to n words.
func (d dice) some(n int, words ...string) []string {
	all := make([]string, 1+d.IntN(n))
	for i := range all {
		all[i] = d.of(words...)
	}
	return all
}

var (
	wordActions = []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket", "S3:getobject", "iam:GetRole", "s3:GetObjectAcl", assume, "sts:TagSession"}
	wordGlobs   = []string{"s3:GetObject", "s3:*", "*", "*", "s3:*", "s3:Get*", "S3:?etObject", "s3:*Object", "iam:*", "s3:*t*", "*:Get*", "s?:List*", "sts:*", assume}
	wordTexts   = []string{"red", "Red", "RED", "*", "", "r?d", "blue", "ré", "RÉ", "${aws:userid}", "a/b", "..", "reded", "日本", "\xff", "\u212a", "k"}
	wordValues  = []string{"red", "RED", "r*", "*", "?ed", "${aws:userid}", "${AWS:principaltag/TEAM}", "x${aws:PrincipalTag/team}", "${a:none, 'red'}",
		"${a:none}", "r${*}", "${*}", "${?}ed", "r?d", "", "*d", "*e*d", "r*e*", "ré", "${a:list}", "${a:list, '*'}", "日?", "k", "*${aws:PrincipalTag/team}*", "${$}{aws:userid}"}
	wordResources = []string{b, b + "/x", b + "/red/x", b + "/red", b + "/*/x", b + "//x", b + "2", "arn:aws:s3:::c/x", "*", "", "arn:aws:iam::111122223333:role/R",
		"arn:aws:iam::444455556666:role/T", b + "/a/b/x", b + "/ré/x", b + "/a:b/x", "arn:aws:sqs:eu-west-1:111122223333:red", b + "/${aws:userid}/x", b + "/blue/日", b + "/\xff/x"}
	wordPatterns = []string{"*", "*", "*", b, b + "/*", b + "*", b + "/x", b + "/*/x", b + "/${aws:PrincipalTag/team}/*", b + "/${aws:PrincipalTag/team}*", b + "/${aws:userid, 'red'}/x",
		b + "/${a:list}/*", b + "/?*/x", b + "/r?d*", b + "/${*}/x", "arn:aws:s3:*", "arn:*", "arn:aws:iam::*:role/*", "arn:aws:sqs:*:*:r*", "arn:*:s3:::?", b + "/*a*b*", b + "/${aws:userid}/*",
		"arn:aws:iam::111122223333:role/R", b + "/*/?"}
	wordPrincipals = []string{"*", account, "arn:aws:iam::111122223333:root", roleARN, sessionARN, userARN, "444455556666", "AROAABCDEFGHIJKLMNOPQ", "AIDAABCDEFGHIJKLMNOPQ",
		"arn:aws:sts::111122223333:federated-user/Bob", "arn:aws:sts::111122223333:assumed-role/R/t"}
)

// wordKeys has, for each kind of operator, values of requests and of policies, under a key of its own.
var wordKeys = []struct {
	operators []string
	key       string
	request   []string
	policy    []string
}{
	{[]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"}, "aws:PrincipalTag/team", wordTexts, wordValues},
	{[]string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"}, "aws:userid", wordTexts, wordValues},
	{[]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike"}, "a:list", wordTexts, wordValues},
	{[]string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"}, "a:number",
		[]string{"10", "010", "10.0", "9.99", "-1", "-0", "0", "+1", "1e1", "", "ten", "10.", "9007199254740993", "100"}, []string{"10", "9", "-1", "0.00", "10.5", "9007199254740992", "99.9"}},
	{[]string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"}, "aws:CurrentTime",
		[]string{"2026-11-22T10:00:00Z", "2026-11-22T11:00:00+01:00", "2026-11-22", "2026", "1795341600", "now", "", "2026-02-30", "2026-11-22T10:00Z", "2026-11-22T09:59:59.999Z"},
		[]string{"2026-11-22T10:00:00Z", "2026-11", "1795341600", "2026-11-22T10:00:00.5Z", "2027"}},
	{[]string{"Bool"}, "a:bool", []string{"true", "FALSE", "", "1", "True"}, []string{"true", "false", "TRUE", "${a:bool2}", "${a:bool2, 'true'}"}},
	{[]string{"BinaryEquals"}, "a:binary", []string{"Binary", "QmluYXJ5", "", "\xff"}, []string{"QmluYXJ5", "/w==", ""}},
	{[]string{"IpAddress", "NotIpAddress"}, "aws:SourceIp", []string{"203.0.113.77", "::ffff:203.0.113.1", "2001:db8::1", "10.1.2.3", "", "x", "fe80::1%e"},
		[]string{"203.0.113.0/24", "203.0.113.77", "2001:db8::/32", "0.0.0.0/0", "::/0", "10.9.9.9/8", "::ffff:203.0.113.0/120"}},
	{[]string{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"}, "aws:PrincipalArn", []string{roleARN, userARN, "arn:aws:iam::1:role/path/R", "role/R", "", "arn:aws:s3:::red", "arn:a:b:c:d:e:f"},
		[]string{"arn:aws:iam::*:role/R*", "*", "arn:*", roleARN, "arn:aws:iam::${a:account}:*", "${aws:PrincipalArn}", "arn:aws:s3:::${aws:PrincipalTag/team}", "arn:*:*:*:*:*:f", "arn:aws:iam::?:role/*"}},
}

var otherKeys = []struct {
	key    string
	values []string
}{{"a:bool2", []string{"true", "FALSE", "x"}}, {"a:account", []string{"111122223333", "*", "1"}}}

func (d dice) condition() map[string]any {
	block := map[string]any{}
	for range 1 + d.IntN(2) {
		w := wordKeys[d.IntN(len(wordKeys))]
		if d.one(12) {
			block["Null"] = map[string]any{d.key(w.key): d.of("true", "false", "True")}
			continue
		}
		operator := d.of("", "", "ForAllValues:", "ForAnyValue:") + d.of(w.operators...) + d.of("", "", "IfExists")
		block[operator] = map[string]any{d.key(w.key): d.some(3, w.policy...)}
	}
	return block
}

// key writes a name in one case or another.
func (d dice) key(name string) string {
	switch d.IntN(3) {
	case 0:
		return strings.ToLower(name)
	case 1:
		return strings.ToUpper(name)
	}
	return name
}

func (d dice) statement(kind Kind) map[string]any {
	s := map[string]any{"Effect": d.of("Allow", "Allow", "Allow", "Allow", "Deny")}
	if kind == KindTrust {
		s["Action"] = d.some(2, assume, "sts:*", "sts:Tag*", webIdentity)
	} else {
		s[d.of("Action", "Action", "Action", "NotAction")] = d.some(3, wordGlobs...)
		s[d.of("Resource", "Resource", "Resource", "NotResource")] = d.some(3, wordPatterns...)
	}
	if kind == KindTrust || kind == KindResource {
		s["Principal"] = d.principal()
		if kind == KindResource && s["Effect"] == "Deny" && d.one(3) {
			s["NotPrincipal"] = s["Principal"]
			delete(s, "Principal")
		}
	}
	if d.one(2) {
		s["Condition"] = d.condition()
	}
	return s
}

func (d dice) principal() any {
	switch d.IntN(6) {
	case 0:
		return "*"
	case 1:
		return map[string]any{"Federated": d.some(2, cognito, "idp.example"), "Service": "ec2.amazonaws.com"}
	}
	return map[string]any{"AWS": d.some(2, wordPrincipals...)}
}

func (d dice) document(kind Kind) string {
	all := make([]map[string]any, 1+d.IntN(3))
	for i := range all {
		all[i] = d.statement(kind)
	}
	document := map[string]any{"Statement": all}
	if !d.one(8) {
		document["Version"] = newVersion
	}
	return quote(document)
}

// documents draws nil, an empty list, or up to two documents, in both forms. An old document takes a variable for text, and
// then some values do not fit their operator, so it is drawn again until the engine takes it.
func (d dice) documents(t *testing.T, kind Kind, none int) ([]Named, []refDocument) {
	if d.IntN(10) < none {
		return nil, nil
	}
	set, ref := []Named{}, []refDocument{}
	for range (d.IntN(8) + 3) / 4 {
		document, text := d.parsed(t, kind)
		set, ref = append(set, Named{fmt.Sprint(len(set)), document}), append(ref, refParse(text))
	}
	return set, ref
}

func (d dice) parsed(t *testing.T, kind Kind) (*Document, string) {
	for range 100 {
		text := d.document(kind)
		document, err := Parse(kind, []byte(text))
		if err == nil {
			return document, text
		}
		if strings.Contains(text, newVersion) {
			t.Fatalf("Parse: %v\n%s", err, text)
		}
	}
	t.Fatal("no document in a hundred draws")
	return nil, ""
}

func (d dice) request() refRequest {
	r := refRequest{action: d.of(wordActions...), resource: d.of(wordResources...)}
	switch d.IntN(7) {
	case 0:
		r.who = Principal{AWS: []string{userARN}, Account: account, UserID: "AIDAABCDEFGHIJKLMNOPQ"}
	case 1:
		r.who = Principal{AWS: []string{"arn:aws:sts::111122223333:federated-user/Bob"}, Account: account, UserID: account + ":Bob"}
	case 2:
		r.who = Principal{Federated: cognito}
	case 3:
		r.who = Principal{}
	default:
		r.who = Principal{AWS: []string{sessionARN, roleARN}, Account: account, UserID: "AROAABCDEFGHIJKLMNOPQ:s"}
	}
	for _, w := range wordKeys {
		if d.one(4) {
			continue
		}
		k := refKey{name: d.key(w.key), values: d.some(1, w.request...)}
		if w.key == "a:list" || d.one(8) {
			k.list, k.values = true, d.some(3, w.request...)
		}
		if d.one(20) {
			k.list, k.values = true, nil
		}
		r.keys = append(r.keys, k)
	}
	for _, o := range otherKeys {
		if d.one(2) {
			r.keys = append(r.keys, refKey{name: d.key(o.key), values: d.some(1, o.values...)})
		}
	}
	return r
}

func (r *refRequest) build() *Request {
	c := &Context{}
	for _, k := range r.keys {
		if k.list {
			c.SetList(k.name, k.values...)
		} else {
			c.Set(k.name, k.values...)
		}
	}
	return &Request{Action: r.action, Resource: r.resource, Principal: r.who, Context: c}
}

// verdict writes a decision as the reference does.
func verdict(d Decision) string {
	kind := map[Kind]string{KindIdentity: "identity", KindTrust: "trust", KindSession: "session", KindBoundary: "boundary", KindResource: "resource", KindScopeDown: "scope-down"}
	switch {
	case d.Allowed:
		return "allow"
	case d.Explicit:
		return "explicit " + kind[d.Kind]
	}
	return "implicit " + kind[d.Kind]
}

// TestAgainstReference holds the engine against the reference on random pairs. CI asks for a million of them.
func TestAgainstReference(t *testing.T) {
	t.Logf("seed %d, %d pairs", *seed, *pairs)
	const perSet = 12 // requests for one set of policies, of which a third are asked of a trust policy
	d := dice{rand.New(rand.NewPCG(*seed, 0))}
	seen := map[string]int{}
	for done := 0; done < *pairs; done += perSet {
		var p Policies
		var ref refPolicies
		p.Identity, ref.identity = d.documents(t, KindIdentity, 1)
		p.Session, ref.session = d.documents(t, KindSession, 6)
		p.Boundary, ref.boundary = d.documents(t, KindBoundary, 8)
		p.ScopeDown, ref.scopeDown = d.documents(t, KindScopeDown, 8)
		p.Resource, ref.resource = d.documents(t, KindResource, 5)
		trust, text := d.parsed(t, KindTrust)
		refTrust := refParse(text)
		for i := range perSet {
			r := d.request()
			var got, want string
			if i%3 == 0 {
				r.action = d.of(assume, assume, "sts:TagSession", webIdentity)
				got, want = verdict(p.AssumeRole(trust, r.build())), refAssume(refTrust, ref, r)
			} else {
				got, want = verdict(p.Decide(r.build())), refDecide(ref, r)
			}
			if got != want {
				t.Fatalf("got %s, want %s\nrequest %+v\npolicies %s\ntrust %s", got, want, r, ref, text)
			}
			checkExplained(t, &p, &r, got, i%3 != 0)
			seen[want]++
		}
	}
	t.Log(seen)
	for _, v := range []string{"allow", "explicit resource", "explicit identity", "explicit session", "explicit boundary", "explicit scope-down", "explicit trust",
		"implicit identity", "implicit session", "implicit boundary", "implicit scope-down", "implicit trust"} {
		if seen[v] < *pairs/500 {
			t.Errorf("got %d times %q in %d pairs: the draw has lost its variety", seen[v], v, *pairs)
		}
	}
}

// checkExplained: the explanation has a Deny that matches where and only where the decision is explicit.
func checkExplained(t *testing.T, p *Policies, r *refRequest, got string, own bool) {
	t.Helper()
	if !own || len(got)%4 != 0 { // now and then: it is slow
		return
	}
	denied := false
	for _, s := range p.Explain(r.build()) {
		denied = denied || s.Matched && s.Effect == "Deny"
	}
	if denied != strings.HasPrefix(got, "explicit") {
		t.Fatalf("explanation says %v of a Deny, decision says %s", denied, got)
	}
}
