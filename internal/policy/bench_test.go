package policy

import (
	"fmt"
	"strings"
	"testing"
)

// manyStatements has n statements of which only the last matches, with two variables, one in a resource and one in a
// condition's value.
func manyStatements(t testing.TB, n int) *Document {
	all := make([]string, 0, n)
	for i := range n - 1 {
		all = append(all, allow(fmt.Sprintf("s3:GetObject,s3:List*,svc%d:*", i), fmt.Sprintf("%s/%d/${aws:PrincipalTag/team}/*,arn:aws:s3:::other%d", b, i, i),
			cond("StringEquals", "aws:PrincipalTag/team", "blue")))
	}
	all = append(all, allow("s3:Get*", b+"/home/${aws:userid}/*", cond("StringLike", "aws:PrincipalTag/team", "${aws:PrincipalTag/other}*", "x")))
	return mustParse(t, KindIdentity, doc(all...))
}

func benchRequest() *Request {
	ctx := context("aws:PrincipalTag/team", "red-team", "aws:PrincipalTag/other", "red", "aws:userid", "AROAX:s", "aws:SourceIp", "203.0.113.7",
		"aws:CurrentTime", "2026-11-22T10:00:00Z", "a:number", "10", "a:bool", "true", "aws:PrincipalArn", roleARN)
	return &Request{Action: "s3:GetObject", Resource: b + "/home/AROAX:s/a/b/c.jpg", Principal: caller(), Context: ctx}
}

func BenchmarkDecide(bench *testing.B) {
	for _, n := range []int{1, 10, 100} {
		bench.Run(fmt.Sprint(n), func(bench *testing.B) {
			p := &Policies{Identity: []Named{{"p", manyStatements(bench, n)}}}
			r := benchRequest()
			bench.ReportAllocs()
			for bench.Loop() {
				if !p.Decide(r).Allowed {
					bench.Fatal("not allowed")
				}
			}
		})
	}
}

func BenchmarkDecideGuest(bench *testing.B) {
	p := &Policies{Identity: []Named{{"p", manyStatements(bench, 3)}}, ScopeDown: GuestScopeDown()}
	r := benchRequest()
	bench.ReportAllocs()
	for bench.Loop() {
		if !p.Decide(r).Allowed {
			bench.Fatal("not allowed")
		}
	}
}

func BenchmarkParse(bench *testing.B) {
	text := []byte(manyStatements(bench, 10).Text())
	bench.ReportAllocs()
	for bench.Loop() {
		if _, err := Parse(KindIdentity, text); err != nil {
			bench.Fatal(err)
		}
	}
}

func BenchmarkContext(bench *testing.B) {
	bench.ReportAllocs()
	for bench.Loop() {
		benchRequest()
	}
}

func BenchmarkWorstPattern(bench *testing.B) {
	for name, text := range map[string]string{"stars": "*a*a*a*a*b", "stretch": "*" + strings.Repeat("a", 20) + "?b", "plain": "*" + strings.Repeat("a", 20) + "b*"} {
		for _, n := range []int{1 << 10, 1 << 14} {
			bench.Run(fmt.Sprintf("%s/%d", name, n), func(bench *testing.B) {
				p, err := compilePattern(text, true, true)
				if err != nil {
					bench.Fatal(err)
				}
				subject := strings.Repeat("a", n)
				bench.SetBytes(int64(n))
				for bench.Loop() {
					if p.match(exact, subject, nil) {
						bench.Fatal("matches")
					}
				}
			})
		}
	}
}

// TestDecideAllocatesNothing: after compiling, decisions of every kind and operator live on the stack.
func TestDecideAllocatesNothing(t *testing.T) {
	ten := []Named{{"p", manyStatements(t, 10)}}
	every := []Named{{"p", mustParse(t, KindIdentity, doc(allow("s3:*", "*", `"Condition":{
		"StringEquals":{"aws:userid":"AROAX:s"},
		"StringEqualsIgnoreCase":{"aws:PrincipalTag/team":"${aws:PrincipalTag/other}-TEAM"},
		"StringNotLike":{"aws:userid":"x*"},
		"NumericLessThan":{"a:number":10.5},
		"DateLessThan":{"aws:CurrentTime":"2027"},
		"Bool":{"a:bool":["false","${a:bool}"]},
		"BinaryEquals":{"a:number":"MTA="},
		"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},
		"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/*"]},
		"Null":{"a:none":"true"},
		"ForAllValues:StringLike":{"aws:PrincipalTag/team":"red*"},
		"ForAnyValue:StringNotEqualsIfExists":{"aws:PrincipalTag/team":"${a:none}"}}`)))}}
	everything := []Named{{"p", mustParse(t, KindIdentity, doc(allow("*", "*")))}}
	onBucket := []Named{{"p", mustParse(t, KindResource, doc(allow(get, b+"/*", principal("AWS", roleARN)), deny("*", "*", principal("AWS", userARN))))}}
	trust := mustParse(t, KindTrust, doc(allow(assume, "", principal("AWS", roleARN), cond("StringLike", "aws:PrincipalTag/team", "${aws:PrincipalTag/other}*"))))
	r := benchRequest()
	assuming := *r
	assuming.Action, assuming.Resource = assume, roleARN
	for name, decide := range map[string]func() bool{
		"ten statements": func() bool { return (&Policies{Identity: ten}).Decide(r).Allowed },
		"every operator": func() bool { return (&Policies{Identity: every}).Decide(r).Allowed },
		"every kind": func() bool {
			return (&Policies{ten, everything, everything, GuestScopeDown(), onBucket}).Decide(r).Allowed
		},
		"resource":        func() bool { return (&Policies{Resource: onBucket}).Decide(r).Allowed },
		"implicit deny":   func() bool { return !(&Policies{}).Decide(r).Allowed },
		"trust":           func() bool { return Trust(trust, &assuming).Allowed },
		"assuming a role": func() bool { return (&Policies{Identity: ten}).AssumeRole(trust, &assuming).Allowed },
	} {
		if !decide() {
			t.Errorf("%s: got the other decision", name)
		}
		if got := testing.AllocsPerRun(200, func() { decide() }); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}
