package policy

import (
	"fmt"
	"strings"
	"testing"
)

// sample gives, for one base operator, a value of a policy and values of a request that are known to match it, or not, by
// the positive reading of the operator (spec §2.3, third column). The engine has no part in saying so.
type sample struct {
	base    string
	policy  string
	match   [2]string
	differ  [2]string
	negated bool
}

// samples has every operator but Null.
var samples = []sample{
	{base: "StringEquals", policy: "Eng", match: [2]string{"Eng", "Eng"}, differ: [2]string{"eng", "En*"}},
	{base: "StringNotEquals", policy: "Eng", match: [2]string{"Eng", "Eng"}, differ: [2]string{"eng", "Engx"}, negated: true},
	{base: "StringEqualsIgnoreCase", policy: "Straße", match: [2]string{"straße", "STRAßE"}, differ: [2]string{"strasse", "straß"}},
	{base: "StringNotEqualsIgnoreCase", policy: "Eng", match: [2]string{"eng", "ENG"}, differ: [2]string{"en", "engx"}, negated: true},
	{base: "StringLike", policy: "a?c*", match: [2]string{"abc", "aécdef"}, differ: [2]string{"ac", "Abc"}},
	{base: "StringNotLike", policy: "a?c*", match: [2]string{"abc", "aécdef"}, differ: [2]string{"ac", "Abc"}, negated: true},
	{base: "NumericEquals", policy: "10.50", match: [2]string{"10.5", "+010.500"}, differ: [2]string{"10.51", "ten"}},
	{base: "NumericNotEquals", policy: "10", match: [2]string{"10", "10.0"}, differ: [2]string{"11", "1e1"}, negated: true},
	{base: "NumericLessThan", policy: "10", match: [2]string{"9.999", "-11"}, differ: [2]string{"10", "NaN"}},
	{base: "NumericLessThanEquals", policy: "10", match: [2]string{"10", "9"}, differ: [2]string{"10.01", "0x1"}},
	{base: "NumericGreaterThan", policy: "10", match: [2]string{"10.01", "100"}, differ: [2]string{"10", "Inf"}},
	{base: "NumericGreaterThanEquals", policy: "10", match: [2]string{"10", "11"}, differ: [2]string{"9", "1_000"}},
	{base: "DateEquals", policy: "2026-11-22T10:00:00Z", match: [2]string{"2026-11-22T11:00:00+01:00", "1795341600"}, differ: [2]string{"2026-11-22", "yesterday"}},
	{base: "DateNotEquals", policy: "2026-11-22", match: [2]string{"2026-11-22", "2026-11-22T00:00Z"}, differ: [2]string{"2026-11-23", "2026-02-30"}, negated: true},
	{base: "DateLessThan", policy: "2026-11-22", match: [2]string{"2026-11-21T23:59:59.999Z", "2026"}, differ: [2]string{"2026-11-22", "2026-11-20T00:00:00"}},
	{base: "DateLessThanEquals", policy: "2026-11-22", match: [2]string{"2026-11-22", "0"}, differ: [2]string{"2026-12", "-1"}},
	{base: "DateGreaterThan", policy: "2026-11-22", match: [2]string{"2026-11-22T00:00:00.1Z", "2027"}, differ: [2]string{"2026-11-22", "99999999999999999999"}},
	{base: "DateGreaterThanEquals", policy: "2026-11-22", match: [2]string{"2026-11-22", "2026-12"}, differ: [2]string{"2026-11", "2026-13"}},
	{base: "Bool", policy: "True", match: [2]string{"true", "TRUE"}, differ: [2]string{"false", "1"}},
	{base: "BinaryEquals", policy: "QmluYXJ5", match: [2]string{"Binary", "Binary"}, differ: [2]string{"QmluYXJ5", "binary"}},
	{base: "IpAddress", policy: "203.0.113.9/24", match: [2]string{"203.0.113.255", "::ffff:203.0.113.1"}, differ: [2]string{"203.0.114.0", "203.0.113.01"}},
	{base: "NotIpAddress", policy: "2001:db8::/32", match: [2]string{"2001:db8::1", "2001:DB8:0::2"}, differ: [2]string{"2001:db9::1", "2001:db8::1%eth0"}, negated: true},
	{base: "ArnEquals", policy: "arn:aws:iam::*:role/A*", match: [2]string{"arn:aws:iam::1:role/A", "arn:aws:iam::1:role/A:b/c"}, differ: [2]string{"arn:aws:iam::1:role/a", "role/A"}},
	{base: "ArnLike", policy: "arn:aws:s?:*", match: [2]string{"arn:aws:s3:::b", "arn:aws:s4:r:a:x/y:z"}, differ: [2]string{"arn:aws:sqs:::b", "arn:aws:s3"}},
	{base: "ArnNotEquals", policy: "arn:aws:s3:::b/*", match: [2]string{"arn:aws:s3:::b/x", "arn:aws:s3:::b/"}, differ: [2]string{"arn:aws:s3:::b", "*"}, negated: true},
	{base: "ArnNotLike", policy: "arn:aws:s3:::b", match: [2]string{"arn:aws:s3:::b", "arn:aws:s3:::b"}, differ: [2]string{"arn:aws:s3:::B", "arn:aws:s3::1:b"}, negated: true},
}

// request is what a request says of the key: nothing at all, or values of which it is known whether they match.
type requestKey struct {
	name    string
	missing bool
	values  []string
	matches []bool
}

func (s *sample) states() []requestKey {
	m, d := s.match, s.differ
	return []requestKey{
		{name: "missing", missing: true},
		{name: "no value"},
		{name: "empty value", values: []string{""}, matches: []bool{false}},
		{name: "matching", values: []string{m[0]}, matches: []bool{true}},
		{name: "other matching", values: []string{m[1]}, matches: []bool{true}},
		{name: "differing", values: []string{d[0]}, matches: []bool{false}},
		{name: "other differing", values: []string{d[1]}, matches: []bool{false}},
		{name: "two matching", values: []string{m[0], m[1]}, matches: []bool{true, true}},
		{name: "one of two", values: []string{m[0], d[0]}, matches: []bool{true, false}},
		{name: "none of two", values: []string{d[0], d[1]}, matches: []bool{false, false}},
	}
}

// truth is spec §2.3 in the order of its sentences.
func truth(negated bool, prefix string, ifExists bool, k requestKey) bool {
	if k.missing && ifExists {
		return true // "With IfExists → true for every operator", and with both prefix and IfExists as well
	}
	matching, differing, empty := 0, 0, 0
	for i, m := range k.matches {
		if m {
			matching++
		} else {
			differing++
		}
		if k.values[i] == "" {
			empty++
		}
	}
	null := k.missing || len(k.values) == empty
	switch {
	case prefix == "ForAllValues:" && null:
		return true // "true when key is missing or empty"
	case prefix == "ForAllValues:" && negated:
		return matching == 0 // "every request value matches none"
	case prefix == "ForAllValues:":
		return differing == 0
	case prefix == "ForAnyValue:" && null:
		return false // "false when missing/empty"
	case prefix == "ForAnyValue:" && negated:
		return differing > 0 // "some value that matches none of the policy values"
	case prefix == "ForAnyValue:":
		return matching > 0
	case negated:
		return matching == 0 // "true only if no value matches"; missing → true
	}
	return matching > 0 // missing → false
}

func TestOperators(t *testing.T) {
	if got, want := len(samples)+1, len(operators); got != want {
		t.Errorf("got samples of %d operators, want %d", got, want)
	}
	rows := 0
	for _, s := range samples {
		for _, prefix := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			for _, suffix := range []string{"", "IfExists"} {
				operator := prefix + s.base + suffix
				permit := mustParse(t, KindIdentity, doc(allow(get, b, cond(operator, "a:k", s.policy))))
				refuse := mustParse(t, KindIdentity, doc(allow("*", "*"), deny(get, b, cond(operator, "A:K", s.policy))))
				for _, k := range s.states() {
					rows++
					want := truth(s.negated, prefix, suffix != "", k)
					name := operator + " " + k.name
					r := &Request{Action: get, Resource: b, Context: k.context()}
					checkCondition(t, name, permit, refuse, r, want)
				}
			}
		}
	}
	if want := len(samples) * 3 * 2 * 10; rows != want || rows < 300 {
		t.Errorf("got %d rows, want %d", rows, want)
	}
}

// checkCondition asks an Allow and a Deny under the same condition.
func checkCondition(t *testing.T, name string, permit, refuse *Document, r *Request, want bool) {
	t.Helper()
	if got := decideOne(permit, r).Allowed; got != want {
		t.Errorf("%s: Allow got %v, want %v", name, got, want)
	}
	if got := decideOne(refuse, r).Explicit; got != want {
		t.Errorf("%s: Deny got %v, want %v", name, got, want)
	}
}

func decideOne(d *Document, r *Request) Decision {
	return (&Policies{Identity: []Named{{"p", d}}}).Decide(r)
}

func (k *requestKey) context() *Context {
	c := &Context{}
	if !k.missing {
		c.Set("a:k", k.values...)
	}
	return c
}

func TestNull(t *testing.T) {
	for _, row := range []struct {
		values []string // of the policy
		key    requestKey
		want   bool
	}{
		{[]string{"true"}, requestKey{missing: true}, true},
		{[]string{"true"}, requestKey{}, true},
		{[]string{"true"}, requestKey{values: []string{""}}, true},
		{[]string{"true"}, requestKey{values: []string{"", ""}}, true},
		{[]string{"true"}, requestKey{values: []string{"", "x"}}, false},
		{[]string{"TRUE"}, requestKey{values: []string{"x"}}, false},
		{[]string{"false"}, requestKey{missing: true}, false},
		{[]string{"false"}, requestKey{}, false},
		{[]string{"False"}, requestKey{values: []string{""}}, false},
		{[]string{"false"}, requestKey{values: []string{"x"}}, true},
		{[]string{"false"}, requestKey{values: []string{"", "x"}}, true},
		{[]string{"true", "false"}, requestKey{missing: true}, true},
		{[]string{"true", "false"}, requestKey{values: []string{"x"}}, true},
	} {
		permit := mustParse(t, KindIdentity, doc(allow(get, b, cond("Null", "a:k", row.values...))))
		refuse := mustParse(t, KindIdentity, doc(allow("*", "*"), deny(get, b, cond("Null", "a:k", row.values...))))
		r := &Request{Action: get, Resource: b, Context: row.key.context()}
		checkCondition(t, fmt.Sprint(row), permit, refuse, r, row.want)
	}
}

// TestConditionValues holds single values against each other, several policy values among them.
func TestConditionValues(t *testing.T) {
	for _, row := range []struct {
		operator string
		policy   string // values separated by |
		value    string
		want     bool
	}{
		{"StringEquals", "", "", true},
		{"StringEquals", "|home/", "", true},
		{"StringLike", "", "", true},
		{"StringLike", "*", "", true},
		{"StringLike", "?", "", false},
		{"StringEquals", "a|b|c", "c", true},
		{"StringNotEquals", "a|b|c", "c", false},
		{"StringNotEquals", "a|b|c", "d", true},
		{"StringEqualsIgnoreCase", "ÄÖ", "äö", true},
		{"StringEqualsIgnoreCase", "k", "\u212a", true}, // the Kelvin sign is a K
		{"StringEqualsIgnoreCase", "ss", "ß", false},
		{"StringEqualsIgnoreCase", "\ufffd", "\xff", false}, // what stands for a bad byte is not that byte
		{"StringLike", "a*${a:none, ''}", "ab", true},
		{"StringLike", "a*${a:none, ''}?", "ab", true},
		{"StringLike", "日?", "日本", true},
		{"StringLike", "*?", "日", true},
		{"StringLike", "*??", "日", false}, // one character of three bytes
		{"StringLike", "????", "日本", false},
		{"StringLike", "a${*}b", "a*b", true},
		{"StringLike", "a${*}b", "axb", false},
		{"StringEquals", "a${?}${$}b", "a?$b", true},
		{"StringLike", "${$}{x}", "${x}", true},
		{"StringEquals", "cost $5", "cost $5", true},
		{"NumericEquals", "9007199254740993", "9007199254740992", false}, // the same float64
		{"NumericEquals", "-0", "0.00", true},
		{"NumericLessThan", "-1.5", "-1.51", true},
		{"NumericLessThan", "0.1", "0.09", true},
		{"NumericGreaterThan", "99", "100", true},
		{"NumericEquals", "1", "", false},
		{"NumericEquals", "1", "1.", false},
		{"NumericEquals", "1", " 1", false},
		{"NumericEquals", "1", "--1", false},
		{"NumericNotEquals", "1", "one", true},
		{"DateEquals", "2026", "2026-01-01T00:00:00Z", true},
		{"DateEquals", "2026-11", "2026-11-01", true},
		{"DateEquals", "2026-11-22T10:00:00.25Z", "2026-11-22T10:00:00.250000000Z", true},
		{"DateEquals", "2026-11-22T00:30:00+01:00", "2026-11-21T23:30:00Z", true},
		{"DateEquals", "2026-11-22T00:00:00.5+01:00", "2026-11-21T23:00:00.5Z", true},
		{"DateEquals", "2026-11-21T23:00:00-01:30", "2026-11-22T00:30Z", true},
		{"DateLessThan", "2000", "999999999", false}, // seconds: 2001
		{"DateEquals", "2024-02-29", "1709164800", true},
		{"DateEquals", "2023-02-28", "2023-02-29", false},
		{"DateNotEquals", "2023", "2023-02-29", true},
		{"DateGreaterThan", "1970", "2026-01-99", false},
		{"DateGreaterThan", "1970", "2026-01-00", false},
		{"DateGreaterThan", "1970", "2026-00-01", false},
		{"DateGreaterThan", "1970", "2026-99-01", false},
		{"DateEquals", "1970-01-01T00:00:00Z", "0", true},
		{"DateGreaterThan", "1970", "1969-12-31T23:59:60Z", false},
		{"DateGreaterThan", "1970", "2026-11-22T24:00:00Z", false},
		{"DateGreaterThan", "1970", "2026-11-22t10:00:00z", false},
		{"DateGreaterThan", "1970", "2026-11T10:00Z", false},
		{"DateGreaterThan", "1970", "2026-11-22T10Z", false},
		{"DateGreaterThan", "1970", "2026-11-22T10:00:00.Z", false},
		{"DateGreaterThan", "1970", "2026-11-22T10:00:00,5Z", false},
		{"DateGreaterThan", "1970", "2026-11-22T10:00:00Z ", false},
		{"DateGreaterThan", "1970", "2026-11-22T10:00:00+0100", false},
		{"DateGreaterThan", "1970", "+2026", false},
		{"Bool", "true|false", "false", true},
		{"Bool", "false", "0", false},
		{"Bool", "false", "", false},
		{"BinaryEquals", "/wA=", "\xff\x00", true},
		{"BinaryEquals", "/wA=|AA==", "\x00", true},
		{"IpAddress", "10.0.0.1", "10.0.0.1", true},
		{"IpAddress", "10.0.0.1", "10.0.0.2", false},
		{"IpAddress", "10.1.2.3/8", "10.255.0.1", true},
		{"IpAddress", "0.0.0.0/0", "1.2.3.4", true},
		{"IpAddress", "0.0.0.0/0", "::1", false},
		{"IpAddress", "::/0", "1.2.3.4", false},
		{"IpAddress", "::/0", "::1", true},
		{"IpAddress", "::ffff:10.0.0.0/104", "10.9.9.9", true},
		{"IpAddress", "::ffff:10.0.0.1", "10.0.0.1", true},
		{"IpAddress", "10.0.0.0/8|2001:db8::/32", "2001:db8::9", true},
		{"NotIpAddress", "10.0.0.0/8", "garbage", true},
		{"NotIpAddress", "10.0.0.0/8", "::ffff:10.1.1.1", false},
		{"IpAddress", "10.0.0.0/8", "10.0.0.0/8", false},
		{"ArnLike", "*", "arn:aws:s3:::b", true},
		{"ArnLike", "*", "no arn", false},
		{"ArnLike", "arn:*", "arn:aws:s3:::b", true},
		{"ArnLike", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/a/b:c", true},
		{"ArnLike", "arn:aws:*:role/x:*:*:*", "arn:aws:a:b:role/x:c", false}, // the * is held by its part
		{"StringLike", "arn:aws:*:role/x:*", "arn:aws:a:b:role/x:c", true},
		{"ArnEquals", "arn:aws:iam::?:role/x", "arn:aws:iam::1:role/x", true},
		{"ArnEquals", "arn:aws:iam::1:role/${*}", "arn:aws:iam::1:role/x", false},
		{"ArnEquals", "arn:aws:iam::1:role/${*}", "arn:aws:iam::1:role/*", true},
	} {
		d := mustParse(t, KindIdentity, doc(allow(get, b, cond(row.operator, "a:k", strings.Split(row.policy, "|")...))))
		got := decideOne(d, &Request{Action: get, Resource: b, Context: context("a:k", row.value)}).Allowed
		if got != row.want {
			t.Errorf("%s %q on %q: got %v, want %v", row.operator, row.policy, row.value, got, row.want)
		}
	}
}

// TestConditionVariables puts variables into the values of operators.
func TestConditionVariables(t *testing.T) {
	ctx := context("a:name", "Ann", "a:star", "*", "a:yes", "TRUE", "a:empty", "", "a:bad", "\xff",
		"a:arn", "arn:aws:s3:::b", "a:account", "1:2", "a:var", "${a:name}")
	ctx.SetList("a:one", "Ann")
	ctx.Set("a:two", "Ann", "Bob")
	for _, row := range []struct {
		operator, policy, value string
		want                    bool
	}{
		{"StringEquals", "${a:name}", "Ann", true},
		{"StringEquals", "${A:NAME}", "Ann", true},
		{"StringEquals", "${a:name}", "ann", false},
		{"StringEqualsIgnoreCase", "x-${a:name}", "X-aNN", true},
		{"StringLike", "${a:name}*", "Anna", true},
		{"StringLike", "${a:star}", "Ann", false},
		{"StringLike", "${a:star}", "*", true},
		{"StringLike", "${a:var}", "Ann", false}, // a value is not read again
		{"StringLike", "${a:var}", "${a:name}", true},
		{"StringEquals", "${a:none}", "", false},
		{"StringNotEquals", "${a:none}", "Ann", true},
		{"StringEquals", "${a:none, 'x'}", "x", true},
		{"StringEquals", "${a:none,'x'}", "x", true},
		{"StringLike", "${a:none, '*'}", "Ann", false},
		{"StringEquals", "${a:none, ''}", "", true},
		{"StringEquals", "${a:name, 'x'}", "x", false},
		{"StringEquals", "${a:empty}", "", false},
		{"StringLike", "${a:empty}*", "anything", false},
		{"StringEquals", "${a:empty, 'x'}", "x", true},
		{"StringEquals", "${a:one}", "Ann", false},
		{"StringEquals", "${a:two}", "Ann", false},
		{"StringEquals", "${a:two, 'x'}", "x", true},
		{"StringEquals", "${a:bad}", "\xff", false},
		{"StringNotEquals", "${a:name}", "Ann", false},
		{"Bool", "${a:yes}", "true", true},
		{"Bool", "${a:yes}", "false", false},
		{"Bool", "${a:name}", "Ann", false},
		{"Bool", "${a:none, 'false'}", "FALSE", true},
		{"ArnEquals", "arn:aws:s3:::${a:name}", "arn:aws:s3:::Ann", true},
		{"ArnLike", "arn:aws:s3:::${a:star}", "arn:aws:s3:::Ann", false},
		{"ArnLike", "arn:aws:iam::${a:account}:x", "arn:aws:iam::1:2:x", false},
		{"ArnEquals", "${a:arn}", "arn:aws:s3:::b", true},
		{"ArnEquals", "${a:arn}", "arn:aws:s3:::c", false},
		{"ArnNotEquals", "${a:none}", "arn:aws:s3:::c", true},
	} {
		d := mustParse(t, KindIdentity, doc(allow(get, b, cond(row.operator, "a:k", row.policy))))
		ctx.Set("a:k", row.value)
		got := decideOne(d, &Request{Action: get, Resource: b, Context: ctx}).Allowed
		if got != row.want {
			t.Errorf("%s %q on %q: got %v, want %v", row.operator, row.policy, row.value, got, row.want)
		}
	}
}
