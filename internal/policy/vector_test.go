package policy

import (
	"fmt"
	"testing"
)

// vector is a row of the table of spec §2.9.
type vector struct {
	n                int
	id, sp, bd, rp   []string // documents
	trust            string
	action, resource string
	ctx              *Context
	principal        *Principal // nil: the session of the role R
	want             string     // "ALLOW", "DENY", "DENY explicit", or the sentence of a malformed document
}

const (
	get  = "s3:GetObject"
	put  = "s3:PutObject"
	list = "s3:ListBucket"
	del  = "s3:DeleteObject"
	b    = bucket

	allowed  = "ALLOW"
	denied   = "DENY"
	explicit = "DENY explicit"

	cognito     = "cognito-identity.amazonaws.com"
	webIdentity = "sts:AssumeRoleWithWebIdentity"
)

// under writes an Allow of s3:GetObject on the bucket under a condition.
func under(operator, key string, values ...string) []string {
	return []string{doc(allow(get, b, cond(operator, key, values...)))}
}

func old(statements ...string) string {
	return `{"Version":"2008-10-17",` + doc(statements...)[len(`{"Version":"2012-10-17",`):]
}

func vectors() []vector {
	var (
		v2  = []string{doc(allow(get, b+"/*"))}
		v6  = []string{doc(allow("s3:*", "*"), deny(del, b+"/keep/*"))}
		v11 = []string{doc(allow("!iam:*", "*"))}
		v14 = []string{doc(allow(get, "!"+b+"/secret/*"))}
		v17 = []string{doc(allow(get, b+"/*/test/*"))}
		all = []string{doc(allow("s3:*", "*"))}
		v31 = []string{doc(allow(list, b, cond("StringLike", "s3:prefix", "home/${aws:userid}/*")))}
		v34 = []string{doc(allow(get, b+"/${"+cognito+":sub}/*"))}
		v37 = []string{doc(allow(get, b+"/${aws:PrincipalTag/team}/*"))}
		// The default of a variable holds a comma, which the shorthand would split at.
		v39 = []string{doc(`{"Effect":"Allow","Action":"s3:*","Resource":"` + b + `-${aws:PrincipalTag/team, 'company-wide'}/*"}`)}
		v41 = []string{doc(allow(get, b+"/${*}.txt"))}
		v43 = []string{old(allow(get, b+"/${aws:userid}/*"))}
		v53 = under("ForAllValues:StringEquals", "aws:TagKeys", "a", "b")
		v57 = doc(allow(webIdentity, "", principal("Federated", cognito), cond("ForAnyValue:StringLike", cognito+":amr", "authenticated")))
		v73 = doc(allow(webIdentity, "", principal("Federated", cognito), cond("StringEquals", cognito+":aud", "pool1")))

		any12    = []string{doc(allow("*", "*"), deny("*", "*", cond("BoolIfExists", "aws:MultiFactorAuthPresent", "false")))}
		any12b   = []string{doc(allow("*", "*"), deny("*", "*", cond("Bool", "aws:MultiFactorAuthPresent", "false")))}
		byRole   = []string{doc(allow(get, b+"/*", principal("AWS", roleARN)))}
		bySess   = []string{doc(allow(get, b+"/*", principal("AWS", sessionARN)))}
		fed      = &Principal{Federated: cognito}
		user     = &Principal{AWS: []string{userARN}, Account: account, UserID: "AIDAX"}
		userid   = context("aws:userid", "AROAX:s")
		max10    = under("NumericLessThanEquals", "s3:max-keys", "10")
		addr     = `"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"NotIpAddress":{"aws:SourceIp":"203.0.113.77"}}`
		twoKeys  = `"Condition":{"StringEquals":{"a:x":"1","a:y":"2"}}`
		nullToo  = `"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]},"Null":{"aws:TagKeys":"false"}}`
		twoOf    = []string{doc(allow(get, "*")), doc(allow(put, "*"))}
		arnRole  = "arn:aws:iam::*:role/Admin*"
		arnThree = "arn:aws:svc:*:111122223333:fin/*"
	)
	return []vector{
		{n: 1, action: get, resource: b + "/x", want: denied},
		{n: 2, id: v2, action: get, resource: b + "/x", want: allowed},
		{n: 3, id: v2, action: get, resource: b, want: denied},
		{n: 4, id: []string{doc(allow("S3:GETOBJECT", b+"/*"))}, action: "s3:getobject", resource: b + "/x", want: allowed},
		{n: 5, id: []string{doc(allow(get, "arn:aws:s3:::B/*"))}, action: get, resource: b + "/x", want: denied},
		{n: 6, id: v6, action: del, resource: b + "/keep/1", want: explicit},
		{n: 7, id: v6, action: del, resource: b + "/k", want: allowed},
		{n: 8, id: []string{doc(allow("s3:Get*", "*"))}, action: "s3:GetBucketAcl", resource: b, want: allowed},
		{n: 9, id: []string{doc(allow("s3:Get?bject", b+"/*"))}, action: get, resource: b + "/x", want: allowed},
		{n: 10, id: []string{doc(allow("s3:Get?bject", "*"))}, action: "s3:GetObjectAcl", resource: b + "/x", want: denied},
		{n: 11, id: v11, action: put, resource: b + "/x", want: allowed},
		{n: 12, id: v11, action: "iam:GetRole", resource: roleARN, want: denied},
		{n: 13, id: []string{doc(allow("s3:*", "*"), deny("!s3:Get*,s3:List*", "*"))}, action: put, resource: b + "/x", want: explicit},
		{n: 14, id: v14, action: get, resource: b + "/open/1", want: allowed},
		{n: 15, id: v14, action: get, resource: b + "/secret/1", want: denied},
		{n: 16, id: v14, action: get, resource: "arn:aws:s3:::other/x", want: allowed},
		{n: 17, id: v17, action: get, resource: b + "/1/2/test/3/o.jpg", want: allowed},
		{n: 18, id: v17, action: get, resource: b + "//test/o.jpg", want: allowed},
		{n: 19, id: v17, action: get, resource: b + "/test/o.jpg", want: denied},
		{n: 20, id: v17, action: get, resource: b + "/1-test/o.jpg", want: denied},
		{n: 21, id: all, sp: v2, action: put, resource: b + "/x", want: denied},
		{n: 22, id: v2, sp: all, action: put, resource: b + "/x", want: denied},
		{n: 23, id: all, sp: v2, action: get, resource: b + "/x", want: allowed},
		{n: 24, id: all, sp: twoOf, action: put, resource: b + "/x", want: allowed},
		{n: 25, id: all, sp: []string{doc(allow("s3:*", "*"), deny("s3:*", b+"/x"))}, action: get, resource: b + "/x", want: explicit},
		{n: 26, rp: byRole, action: get, resource: b + "/x", want: allowed},
		{n: 27, rp: byRole, sp: []string{doc(allow(put, "*"))}, action: get, resource: b + "/x", want: denied},
		{n: 28, rp: bySess, sp: []string{doc(allow(put, "*"))}, action: get, resource: b + "/x", want: allowed},
		{n: 29, id: []string{doc(deny(get, "*"))}, rp: bySess, action: get, resource: b + "/x", want: explicit},
		{n: 30, id: all, bd: []string{doc(allow("s3:Get*", "*"))}, action: put, resource: b + "/x", want: denied},
		{n: 31, id: v31, action: list, resource: b, ctx: context("s3:prefix", "home/AROAX:s/q", "aws:userid", "AROAX:s"), want: allowed},
		{n: 32, id: v31, action: list, resource: b, ctx: context("s3:prefix", "", "aws:userid", "AROAX:s"), want: denied},
		{n: 33, id: []string{doc(allow(list, b, cond("StringEquals", "s3:prefix", "", "home/")))}, action: list, resource: b,
			ctx: context("s3:prefix", ""), want: allowed},
		{n: 34, id: v34, action: get, resource: b + "/us-east-1:1111/f", ctx: context(cognito+":sub", "us-east-1:1111"), want: allowed},
		{n: 35, id: v34, action: get, resource: b + "/us-east-1:1111/f", ctx: context(cognito+":sub", "us-east-1:2222"), want: denied},
		{n: 36, id: v34, action: get, resource: b + "//f", want: denied},
		{n: 37, id: v37, action: get, resource: b + "/other/f", ctx: context("aws:PrincipalTag/team", "*"), want: denied},
		{n: 38, id: v37, action: get, resource: b + "/*/f", ctx: context("aws:PrincipalTag/team", "*"), want: allowed},
		{n: 39, id: v39, action: get, resource: b + "-company-wide/x", want: allowed},
		{n: 40, id: v39, action: get, resource: b + "-company-wide/x", ctx: context("aws:PrincipalTag/team", "yellow"), want: denied},
		{n: 41, id: v41, action: get, resource: b + "/a.txt", want: denied},
		{n: 42, id: v41, action: get, resource: b + "/*.txt", want: allowed},
		{n: 43, id: v43, action: get, resource: b + "/AROAX:s/f", ctx: userid, want: denied},
		{n: 44, id: v43, action: get, resource: b + "/${aws:userid}/f", ctx: userid, want: allowed},
		{n: 45, id: under("StringEquals", "aws:PrincipalTag/Dept", "Eng"), action: get, resource: b, ctx: context("aws:PrincipalTag/dept", "Eng"), want: allowed},
		{n: 46, id: under("StringEquals", "aws:PrincipalTag/Dept", "eng"), action: get, resource: b, ctx: context("aws:PrincipalTag/dept", "Eng"), want: denied},
		{n: 47, id: under("StringEqualsIgnoreCase", "aws:PrincipalTag/Dept", "eng"), action: get, resource: b, ctx: context("aws:PrincipalTag/dept", "Eng"), want: allowed},
		{n: 48, id: under("StringEquals", "a:x", "a*"), action: get, resource: b, ctx: context("a:x", "abc"), want: denied},
		{n: 49, id: under("StringNotEquals", "aws:PrincipalTag/Dept", "Eng"), action: get, resource: b, want: allowed},
		{n: 50, id: under("StringEqualsIfExists", "aws:PrincipalTag/Dept", "Eng"), action: get, resource: b, want: allowed},
		{n: 51, id: any12, action: get, resource: b, want: explicit},
		{n: 52, id: any12b, action: get, resource: b, want: allowed},
		{n: 53, id: v53, action: get, resource: b, ctx: listContext("aws:TagKeys", "a"), want: allowed},
		{n: 54, id: v53, action: get, resource: b, ctx: listContext("aws:TagKeys", "a", "c"), want: denied},
		{n: 55, id: v53, action: get, resource: b, want: allowed},
		{n: 56, id: []string{doc(allow(get, b, nullToo))}, action: get, resource: b, want: denied},
		{n: 57, trust: v57, action: webIdentity, principal: fed, ctx: listContext(cognito+":amr", "authenticated", "idp", "idp:x:y"), want: allowed},
		{n: 58, trust: v57, action: webIdentity, principal: fed, ctx: listContext(cognito+":amr", "unauthenticated"), want: denied},
		{n: 59, id: under("ForAnyValue:StringNotEquals", "a:k", "a"), action: get, resource: b, ctx: listContext("a:k", "a", "b"), want: allowed},
		{n: 60, id: under("ForAllValues:StringNotEquals", "a:k", "a"), action: get, resource: b, ctx: listContext("a:k", "a", "b"), want: denied},
		{n: 61, id: under("StringNotEquals", "a:k", "a", "b"), action: get, resource: b, ctx: context("a:k", "c"), want: allowed},
		{n: 62, id: under("StringNotEquals", "a:k", "a", "b"), action: get, resource: b, ctx: context("a:k", "b"), want: denied},
		{n: 63, id: max10, action: get, resource: b, ctx: context("s3:max-keys", "10"), want: allowed},
		{n: 64, id: max10, action: get, resource: b, ctx: context("s3:max-keys", "abc"), want: denied},
		{n: 65, id: under("DateLessThan", "aws:CurrentTime", "2026-12-01T00:00:00Z"), action: get, resource: b,
			ctx: context("aws:CurrentTime", "2026-11-22T09:30:00Z"), want: allowed},
		{n: 66, id: under("DateGreaterThan", "aws:TokenIssueTime", "1700000000"), action: get, resource: b,
			ctx: context("aws:TokenIssueTime", "2026-11-22T09:30:00Z"), want: allowed},
		{n: 67, id: under("IpAddress", "aws:SourceIp", "203.0.113.0/24"), action: get, resource: b, ctx: context("aws:SourceIp", "203.0.113.77"), want: allowed},
		{n: 68, id: []string{doc(allow(get, b, addr))}, action: get, resource: b, ctx: context("aws:SourceIp", "203.0.113.77"), want: denied},
		{n: 69, id: under("IpAddress", "aws:SourceIp", "2001:db8::/32"), action: get, resource: b, ctx: context("aws:SourceIp", "::ffff:203.0.113.1"), want: denied},
		{n: 70, id: under("ArnLike", "aws:PrincipalArn", arnRole), action: get, resource: b, ctx: context("aws:PrincipalArn", "arn:aws:iam::1:role/path/Admin"), want: denied},
		{n: 71, id: under("ArnLike", "a:arn", arnThree), action: get, resource: b,
			ctx: context("a:arn", "arn:aws:svc:us-east-2:9:store/abc:111122223333:fin/d"), want: denied},
		{n: 72, id: []string{doc(allow(get, b, twoKeys))}, action: get, resource: b, ctx: context("a:x", "1", "a:y", "3"), want: denied},
		{n: 73, trust: v73, action: webIdentity, principal: fed, ctx: context(cognito+":aud", "pool2"), want: denied},
		{n: 74, trust: v73, action: "sts:TagSession", principal: fed, ctx: context(cognito+":aud", "pool1"), want: denied},
		{n: 75, trust: doc(allow("sts:AssumeRole", "", principal("AWS", account))), action: "sts:AssumeRole", resource: roleARN, principal: user, want: denied},
		{n: 76, trust: doc(allow("sts:AssumeRole", "", principal("AWS", userARN))), action: "sts:AssumeRole", resource: roleARN, principal: user, want: allowed},
		{n: 77, id: []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}`}, want: sentenceSyntax},
		{n: 78, id: []string{doc(stmt("allow", "*", "*"))}, want: sentenceSyntax},
		{n: 79, id: []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[],"Resource":"*"}]}`}, want: sentenceNoActions},
		{n: 80, id: []string{doc(allow("*", "*"))}, action: "any:Thing", resource: "arn:aws:any:eu-west-1:1:thing/x:y", want: allowed},
	}
}

func TestVectors(t *testing.T) {
	rows := vectors()
	if got, want := len(rows), 80; got != want {
		t.Fatalf("got %d vectors, want %d", got, want)
	}
	for i, v := range rows {
		if v.n != i+1 {
			t.Fatalf("vector %d stands at place %d", v.n, i+1)
		}
		t.Run(fmt.Sprint(v.n), v.run)
	}
}

func (v vector) run(t *testing.T) {
	if v.action == "" {
		_, err := Parse(KindIdentity, []byte(v.id[0]))
		wantMalformed(t, err, v.want)
		return
	}
	r := &Request{Action: v.action, Resource: v.resource, Principal: caller(), Context: v.ctx}
	if v.principal != nil {
		r.Principal = *v.principal
	}
	d := v.decide(t, r)
	got := denied
	switch {
	case d.Allowed:
		got = allowed
	case d.Explicit:
		got = explicit
	}
	if got != v.want {
		t.Errorf("got %s (%+v), want %s", got, d, v.want)
	}
}

func (v vector) decide(t *testing.T, r *Request) Decision {
	p := &Policies{
		Identity: set(t, KindIdentity, v.id), Session: set(t, KindSession, v.sp), Boundary: set(t, KindBoundary, v.bd),
		Resource: set(t, KindResource, v.rp),
	}
	switch {
	case v.trust == "":
		return p.Decide(r)
	case r.Resource != "":
		return p.AssumeRole(mustParse(t, KindTrust, v.trust), r)
	}
	return Trust(mustParse(t, KindTrust, v.trust), r)
}

// TestVectorsOtherReadings holds the second half of vectors that name two requests.
func TestVectorsOtherReadings(t *testing.T) {
	missing := vector{id: under("NumericLessThanEquals", "s3:max-keys", "10"), action: get, resource: b, want: denied}
	t.Run("64 missing", missing.run)
	like := vector{id: under("StringLike", "a:arn", "arn:aws:svc:*:111122223333:fin/*"), action: get, resource: b,
		ctx: context("a:arn", "arn:aws:svc:us-east-2:9:store/abc:111122223333:fin/d"), want: allowed}
	t.Run("71 StringLike", like.run)
}
