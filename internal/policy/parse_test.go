package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// lone wraps the members of one statement.
func lone(members string) string { return `{"Version":"2012-10-17","Statement":{` + members + `}}` }

// TestParseRefuses has a row for each sentence and for each way to be malformed.
func TestParseRefuses(t *testing.T) {
	const (
		ea = `"Effect":"Allow","Action":"s3:GetObject"`
		er = `"Effect":"Allow","Resource":"*"`
		ok = ea + `,"Resource":"*"`
		tr = `"Effect":"Allow","Principal":{"AWS":"*"}`
	)
	withCondition := func(c string) string { return lone(ok + `,"Condition":` + c) }
	for _, row := range []struct {
		name string
		kind Kind
		text string
		want string
	}{
		{"empty", KindIdentity, "", sentenceSyntax},
		{"space", KindIdentity, " \n", sentenceSyntax},
		{"not JSON", KindIdentity, "{", sentenceSyntax},
		{"array", KindIdentity, "[]", sentenceSyntax},
		{"null", KindIdentity, "null", sentenceSyntax},
		{"trailing text", KindIdentity, lone(ok) + "x", sentenceSyntax},
		{"second document", KindIdentity, lone(ok) + lone(ok), sentenceSyntax},
		{"comment", KindIdentity, lone(ok) + "// x", sentenceSyntax},
		{"byte order mark", KindIdentity, "\ufeff" + lone(ok), sentenceSyntax},
		{"not UTF-8", KindIdentity, lone(ok + `,"Sid":"` + "\xff" + `"`), sentenceSyntax},
		{"lone surrogate", KindIdentity, lone(ok + `,"Sid":"\ud800"`), sentenceSyntax},
		{"character above U+00FF", KindIdentity, strings.Replace(lone(ok), "*", b+"/日", 1), sentenceSyntax},
		{"control character", KindIdentity, strings.Replace(lone(ok), "*", b+"/\x01", 1), sentenceSyntax},
		{"form feed", KindIdentity, "\f" + lone(ok), sentenceSyntax},
		{"too long", KindIdentity, lone(ok) + strings.Repeat(" ", maxDocument), sentenceSyntax},
		{"duplicate member of the document", KindIdentity, `{"Version":"2012-10-17","Version":"2012-10-17","Statement":{` + ok + `}}`, sentenceSyntax},
		{"duplicate Statement", KindIdentity, `{"Statement":{` + ok + `},"Statement":{` + ok + `}}`, sentenceSyntax},
		{"duplicate element, escaped", KindIdentity, lone(ok + `,"\u0045ffect":"Allow"`), sentenceSyntax},
		{"duplicate operator", KindIdentity, withCondition(`{"Null":{"a:k":"true"},"Null":{"a:j":"true"}}`), sentenceSyntax},
		{"duplicate key", KindIdentity, withCondition(`{"Null":{"a:k":"true","a:k":"false"}}`), sentenceSyntax},
		{"duplicate principal type", KindTrust, lone(`"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*","AWS":"*"}`), sentenceSyntax},
		{"unknown member of the document", KindIdentity, `{"Comment":"x","Statement":{` + ok + `}}`, sentenceSyntax},
		{"unknown element", KindIdentity, lone(ok + `,"Comment":"x"`), sentenceSyntax},
		{"element in lower case", KindIdentity, lone(`"effect":"Allow","Action":"*","Resource":"*"`), sentenceSyntax},
		{"Id is no text", KindIdentity, `{"Id":1,"Statement":{` + ok + `}}`, sentenceSyntax},
		{"no Statement", KindIdentity, `{"Version":"2012-10-17"}`, sentenceSyntax},
		{"no statements", KindIdentity, `{"Version":"2012-10-17","Statement":[]}`, sentenceSyntax},
		{"Statement null", KindIdentity, `{"Version":"2012-10-17","Statement":null}`, sentenceSyntax},
		{"Statement of text", KindIdentity, `{"Version":"2012-10-17","Statement":["x"]}`, sentenceSyntax},
		{"Statement in two arrays", KindIdentity, `{"Version":"2012-10-17","Statement":[[{` + ok + `}]]}`, sentenceSyntax},
		{"Version is no text", KindIdentity, `{"Version":2012,"Statement":{` + ok + `}}`, sentenceSyntax},
		{"Version unknown", KindIdentity, `{"Version":"2013-10-17","Statement":{` + ok + `}}`, sentenceSyntax},
		{"Version empty", KindIdentity, `{"Version":"","Statement":{` + ok + `}}`, sentenceSyntax},
		{"Version too old", KindIdentity, `{"Version":"2007-01-01","Statement":{` + ok + `}}`, sentenceVersion},
		{"Effect missing", KindIdentity, lone(`"Action":"*","Resource":"*"`), sentenceSyntax},
		{"Effect in capitals", KindIdentity, lone(`"Effect":"ALLOW","Action":"*","Resource":"*"`), sentenceSyntax},
		{"Effect is a list", KindIdentity, lone(`"Effect":["Allow"],"Action":"*","Resource":"*"`), sentenceSyntax},
		{"Effect null", KindIdentity, lone(`"Effect":null,"Action":"*","Resource":"*"`), sentenceSyntax},
		{"Sid twice", KindIdentity, doc(allow(get, "*", `"Sid":"A"`), allow(put, "*", `"Sid":"A"`)), sentenceSidUnique},
		{"Sid with a space", KindIdentity, lone(ok + `,"Sid":"A b"`), sentenceSidForm},
		{"Sid with a letter of another script", KindIdentity, lone(ok + `,"Sid":"\u00e9"`), sentenceSidForm},
		{"Sid is a number", KindIdentity, lone(ok + `,"Sid":1`), sentenceSyntax},
		{"no Action", KindIdentity, lone(er), sentenceNoActions},
		{"no NotAction", KindIdentity, lone(er + `,"NotAction":[]`), sentenceNoActions},
		{"Action and NotAction", KindIdentity, lone(ok + `,"NotAction":"s3:*"`), sentenceSyntax},
		{"Action null", KindIdentity, lone(er + `,"Action":null`), sentenceSyntax},
		{"Action of numbers", KindIdentity, lone(er + `,"Action":[1]`), sentenceSyntax},
		{"Action in two arrays", KindIdentity, lone(er + `,"Action":[["*"]]`), sentenceSyntax},
		{"Action without vendor", KindIdentity, lone(er + `,"Action":"GetObject"`), sentenceNoVendor},
		{"Action empty", KindIdentity, lone(er + `,"Action":""`), sentenceNoVendor},
		{"Action of stars", KindIdentity, lone(er + `,"Action":"**"`), sentenceNoVendor},
		{"Action with two colons", KindIdentity, lone(er + `,"Action":"s3:Get:Object"`), sentenceTwoColons},
		{"Action with a bad vendor", KindIdentity, lone(er + `,"Action":"s 3:Get"`), "Vendor s 3 is not valid"},
		{"Action with an empty vendor", KindIdentity, lone(er + `,"Action":":Get"`), "Vendor  is not valid"},
		{"Action without a name", KindIdentity, lone(er + `,"Action":"s3:"`), sentenceSyntax},
		{"Action with a variable", KindIdentity, lone(er + `,"Action":"s3:${aws:userid}"`), sentenceTwoColons},
		{"Action with an escape", KindIdentity, lone(er + `,"Action":"s3:Get${*}"`), sentenceSyntax},
		{"Action with the Kelvin sign", KindIdentity, lone(er + `,"Action":"s3:\u212aey"`), sentenceSyntax},
		{"Action with a line feed", KindIdentity, lone(er + `,"Action":"s3:Get\n"`), sentenceSyntax},
		{"no Resource", KindIdentity, lone(ea), sentenceNoResources},
		{"Resource empty list", KindIdentity, lone(ea + `,"Resource":[]`), sentenceNoResources},
		{"NotResource empty list", KindSession, lone(ea + `,"NotResource":[]`), sentenceNoResources},
		{"Resource and NotResource", KindIdentity, lone(ok + `,"NotResource":"*"`), sentenceSyntax},
		{"Resource is no ARN", KindIdentity, lone(ea + `,"Resource":"bucket"`), `Resource bucket must be in ARN format or "*".`},
		{"Resource empty", KindIdentity, lone(ea + `,"Resource":""`), `Resource  must be in ARN format or "*".`},
		{"Resource of stars", KindIdentity, lone(ea + `,"Resource":"**"`), `Resource ** must be in ARN format or "*".`},
		{"Resource with a wild beginning", KindIdentity, lone(ea + `,"Resource":"a*:aws:s3:::b"`), `Resource a*:aws:s3:::b must be in ARN format or "*".`},
		{"Resource lacks parts", KindIdentity, lone(ea + `,"Resource":"arn:aws:sqs:*:q"`), `Resource arn:aws:sqs:*:q must be in ARN format or "*".`},
		{"Resource lacks its last part", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::"`), `Resource arn:aws:s3::: must be in ARN format or "*".`},
		{"Resource with a variable too early", KindIdentity, lone(ea + `,"Resource":"arn:aws:sqs:${aws:RequestedRegion}:1:q"`), `Resource arn:aws:sqs:${aws:RequestedRegion}:1:q must be in ARN format or "*".`},
		{"Resource with a variable as account", KindIdentity, lone(ea + `,"Resource":"arn:aws:sqs:r:${a}:q"`), `Resource arn:aws:sqs:r:${a}:q must be in ARN format or "*".`},
		{"Resource of a bad partition", KindIdentity, lone(ea + `,"Resource":"arn:error:s3:::b"`), `Partition "error" is not valid for resource "arn:error:s3:::b".`},
		{"Resource without service", KindIdentity, lone(ea + `,"Resource":"arn:aws::::b"`), sentenceResourceVendor},
		{"Resource with a wild service", KindIdentity, lone(ea + `,"Resource":"arn:aws:s*:::b"`), sentenceResourceVendor},
		{"Resource with any service", KindIdentity, lone(ea + `,"Resource":"arn:aws:*:::b"`), sentenceResourceVendor},
		{"Resource with a service in capitals", KindIdentity, lone(ea + `,"Resource":"arn:aws:S3:::b"`), sentenceResourceVendor},
		{"IAM resource with a region", KindIdentity, lone(ea + `,"Resource":"arn:aws:iam:eu-west-1::role/R"`), "IAM resource arn:aws:iam:eu-west-1::role/R cannot contain region information."},
		{"IAM resource with a bad path", KindIdentity, lone(ea + `,"Resource":"arn:aws:iam::1:rolex/R"`), sentenceIAMPath},
		{"S3 resource with a region", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:eu-west-1::b"`), "Resource arn:aws:s3:eu-west-1::b can not contain region information."},
		{"Resource with an open variable", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::b/${aws:userid"`), sentenceSyntax},
		{"Resource with an empty variable", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::b/${}"`), sentenceSyntax},
		{"Resource with a nested variable", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::b/${a:${b:c}}"`), sentenceSyntax},
		{"default without quotes", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::b/${a:b, x}"`), sentenceSyntax},
		{"default left open", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::b/${a:b, 'x}"`), sentenceSyntax},
		{"default with more after it", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::b/${a:b, 'x' }"`), sentenceSyntax},
		{"default with a variable", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::b/${a:b, '${c:d}'}"`), sentenceSyntax},
		{"default of an escape", KindIdentity, lone(ea + `,"Resource":"arn:aws:s3:::b/${*, 'x'}"`), sentenceSyntax},
		{"Principal in an identity policy", KindIdentity, lone(ok + `,"Principal":"*"`), sentenceWantedPrincipal},
		{"NotPrincipal in a boundary", KindBoundary, lone(ok + `,"NotPrincipal":"*"`), sentenceWantedPrincipal},
		{"Principal in a session policy", KindSession, lone(ok + `,"Principal":"*"`), sentenceWantedPrincipal},
		{"Principal in a scope-down", KindScopeDown, lone(ok + `,"Principal":"*"`), sentenceWantedPrincipal},
		{"no Principal in a trust policy", KindTrust, lone(`"Effect":"Allow","Action":"sts:AssumeRole"`), sentenceNoPrincipal},
		{"no Principal in a bucket policy", KindResource, lone(ok), sentenceNoPrincipal},
		{"no Resource in a bucket policy", KindResource, lone(ea + `,"Principal":"*"`), sentenceNoResources},
		{"Resource in a trust policy", KindTrust, lone(tr + `,"Action":"sts:AssumeRole","Resource":"*"`), sentenceTrustResource},
		{"NotResource in a trust policy", KindTrust, lone(tr + `,"Action":"sts:AssumeRole","NotResource":"*"`), "Has prohibited field NotResource."},
		{"NotPrincipal in a trust policy", KindTrust, lone(`"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"111122223333"}`), sentenceSyntax},
		{"NotPrincipal with Allow", KindResource, lone(ok + `,"NotPrincipal":{"AWS":"111122223333"}`), sentenceSyntax},
		{"Principal and NotPrincipal", KindResource, lone(ok + `,"Principal":"*","NotPrincipal":"*"`), sentenceSyntax},
		{"trust in other actions", KindTrust, lone(tr + `,"Action":"s3:GetObject"`), sentenceTrustActions},
		{"trust in all actions", KindTrust, lone(tr + `,"Action":"*"`), sentenceTrustActions},
		{"trust in other actions of sts", KindTrust, lone(tr + `,"Action":"sts:GetCallerIdentity"`), sentenceTrustActions},
		{"trust by a wild vendor", KindTrust, lone(tr + `,"Action":"s*:AssumeRole"`), sentenceTrustActions},
		{"trust by NotAction", KindTrust, lone(tr + `,"NotAction":"sts:AssumeRole"`), sentenceTrustActions},
		{"Condition is a list", KindIdentity, withCondition(`[]`), sentenceSyntax},
		{"Condition null", KindIdentity, withCondition(`null`), sentenceSyntax},
		{"operator unknown", KindIdentity, withCondition(`{"StringMatches":{"a:k":"x"}}`), sentenceSyntax},
		{"operator in lower case", KindIdentity, withCondition(`{"stringequals":{"a:k":"x"}}`), sentenceSyntax},
		{"operator with two suffixes", KindIdentity, withCondition(`{"StringEqualsIfExistsIfExists":{"a:k":"x"}}`), sentenceSyntax},
		{"operator with two prefixes", KindIdentity, withCondition(`{"ForAllValues:ForAnyValue:StringEquals":{"a:k":"x"}}`), sentenceSyntax},
		{"operator with a prefix alone", KindIdentity, withCondition(`{"ForAllValues:":{"a:k":"x"}}`), sentenceSyntax},
		{"Null with IfExists", KindIdentity, withCondition(`{"NullIfExists":{"a:k":"true"}}`), sentenceSyntax},
		{"Null with a set prefix", KindIdentity, withCondition(`{"ForAnyValue:Null":{"a:k":"true"}}`), sentenceSyntax},
		{"operator without keys", KindIdentity, withCondition(`{"StringEquals":{}}`), sentenceSyntax},
		{"key without values", KindIdentity, withCondition(`{"StringNotEquals":{"a:k":[]}}`), sentenceSyntax},
		{"key without vendor", KindIdentity, withCondition(`{"StringEquals":{"k":"x"}}`), sentenceNoVendor},
		{"key with an empty vendor", KindIdentity, withCondition(`{"StringEquals":{":k":"x"}}`), sentenceNoVendor},
		{"key without a name", KindIdentity, withCondition(`{"StringEquals":{"a:":"x"}}`), sentenceNoVendor},
		{"value null", KindIdentity, withCondition(`{"StringEquals":{"a:k":null}}`), sentenceSyntax},
		{"value is an object", KindIdentity, withCondition(`{"StringEquals":{"a:k":{}}}`), sentenceSyntax},
		{"value with an open variable", KindIdentity, withCondition(`{"StringEquals":{"a:k":"${a:b"}}`), sentenceSyntax},
		{"number that is none", KindIdentity, withCondition(`{"NumericEquals":{"a:k":"ten"}}`), sentenceLegacy},
		{"number with an exponent", KindIdentity, withCondition(`{"NumericEquals":{"a:k":1e3}}`), sentenceLegacy},
		{"number from a variable", KindIdentity, withCondition(`{"NumericEquals":{"a:k":"${a:b}"}}`), sentenceLegacy},
		{"date that is none", KindIdentity, withCondition(`{"DateEquals":{"a:k":"2026-02-30"}}`), sentenceLegacy},
		{"date with a wildcard", KindIdentity, withCondition(`{"DateEquals":{"a:k":"2026-*"}}`), sentenceLegacy},
		{"Bool that is none", KindIdentity, withCondition(`{"Bool":{"a:k":"yes"}}`), sentenceLegacy},
		{"Bool of an escape", KindIdentity, withCondition(`{"Bool":{"a:k":"${*}"}}`), sentenceLegacy},
		{"Null that is none", KindIdentity, withCondition(`{"Null":{"a:k":"yes"}}`), sentenceLegacy},
		{"Binary that is none", KindIdentity, withCondition(`{"BinaryEquals":{"a:k":"Q"}}`), sentenceLegacy},
		{"Binary with stray bits", KindIdentity, withCondition(`{"BinaryEquals":{"a:k":"QR=="}}`), sentenceLegacy},
		{"block that is none", KindIdentity, withCondition(`{"IpAddress":{"a:k":"10.0.0.0/33"}}`), sentenceLegacy},
		{"address that is none", KindIdentity, withCondition(`{"IpAddress":{"a:k":"10.0.0"}}`), sentenceLegacy},
		{"address with a zone", KindIdentity, withCondition(`{"IpAddress":{"a:k":"fe80::1%eth0"}}`), sentenceLegacy},
		{"address with zeros", KindIdentity, withCondition(`{"IpAddress":{"a:k":"010.0.0.1"}}`), sentenceLegacy},
		{"block of mapped addresses and more", KindIdentity, withCondition(`{"IpAddress":{"a:k":"::ffff:10.0.0.0/90"}}`), sentenceLegacy},
		{"address with a wildcard", KindIdentity, withCondition(`{"IpAddress":{"a:k":"10.*"}}`), sentenceLegacy},
		{"ARN that is none", KindIdentity, withCondition(`{"ArnLike":{"a:k":"role/R"}}`), sentenceSyntax},
		{"ARN of a variable and a wildcard", KindIdentity, withCondition(`{"ArnLike":{"a:k":"*${a:b}"}}`), sentenceSyntax},
	} {
		t.Run(row.name, func(t *testing.T) {
			d, err := Parse(row.kind, []byte(row.text))
			if d != nil {
				t.Errorf("got a document")
			}
			wantMalformed(t, err, row.want)
		})
	}
}

// TestInvalidPrincipals: Terraform retries on the beginning of the sentence.
func TestInvalidPrincipals(t *testing.T) {
	for _, row := range []struct{ kind, name string }{
		{"AWS", ""}, {"AWS", "11112222333"}, {"AWS", "1111222233334"}, {"AWS", "11112222333x"}, {"AWS", "1111*"}, {"AWS", "**"},
		{"AWS", "arn:aws:iam::111122223333:role/*"}, {"AWS", "arn:aws:iam::111122223333:role/R?"}, {"AWS", "arn:aws:iam::*:root"},
		{"AWS", "arn:*:iam::111122223333:root"}, {"AWS", "arn:error:iam::111122223333:root"}, {"AWS", "arn:aws:iam:r:111122223333:root"},
		{"AWS", "arn:aws:iam::111122223333:root/"}, {"AWS", "arn:aws:iam::111122223333:group/G"}, {"AWS", "arn:aws:iam::111122223333:role/"},
		{"AWS", "arn:aws:iam::111122223333:role"}, {"AWS", "arn:aws:iam::111122223333:user/"}, {"AWS", "arn:aws:iam::111122223333:user/${aws:username}"},
		{"AWS", "arn:aws:sts::111122223333:assumed-role/R"}, {"AWS", "arn:aws:sts::111122223333:assumed-role/R/"},
		{"AWS", "arn:aws:sts::111122223333:assumed-role//s"}, {"AWS", "arn:aws:sts::111122223333:assumed-role/R/s/t"},
		{"AWS", "arn:aws:sts::111122223333:federated-user/"}, {"AWS", "arn:aws:sts::111122223333:federated-user/a/b"},
		{"AWS", "arn:aws:s3:::b"}, {"AWS", "role/R"}, {"AWS", "arn:aws:iam::111122223333:role/R "}, {"AWS", "arn:aws:iam::111122223333:role/R\\n"},
		{"AWS", "AROA"}, {"AWS", "AROAabcdefghijklmnop"}, {"AWS", "AKIAABCDEFGHIJKLMNOP"}, {"AWS", "ec2.amazonaws.com"},
		{"Federated", "*"}, {"Federated", ""}, {"Federated", "cognito-identity.*"}, {"Federated", "a b"}, {"Federated", "${a:b}"},
		{"Service", "*"}, {"Service", ""}, {"Service", "ec2.?"}, {"CanonicalUser", "abc"}, {"Other", "x"}, {"aws", "*"},
	} {
		text := doc(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"` + row.kind + `":"` + row.name + `"}}`)
		_, err := Parse(KindTrust, []byte(text))
		name := strings.ReplaceAll(row.name, `\n`, "\n")
		wantMalformed(t, err, `Invalid principal in policy: "`+row.kind+`":"`+name+`"`)
	}
	for _, members := range []string{`{}`, `{"AWS":[]}`, `"x"`, `[]`, `{"AWS":{"x":"y"}}`, `{"AWS":1}`, `null`, `["*"]`, `{"*":"*"}`} {
		_, err := Parse(KindTrust, []byte(doc(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":`+members+`}`)))
		wantMalformed(t, err, sentenceSyntax)
	}
}

// TestCheckOrder: of several faults the first in AWS's order is told (spec §2.7).
func TestCheckOrder(t *testing.T) {
	faults := []struct{ statement, want string }{
		{`{"Effect":"allow","Action":"s3:*","Resource":"*"}`, sentenceSyntax},
		{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}`, sentenceWantedPrincipal},
		{`{"Effect":"Allow","Action":"s3:*","Resource":"x"}`, `Resource x must be in ARN format or "*".`},
		{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Sid":"-"}`, sentenceSidForm},
		{`{"Effect":"Allow","Resource":"*"}`, sentenceNoActions},
		{`{"Effect":"Allow","Action":"s3:*"}`, sentenceNoResources},
		{`{"Effect":"Allow","Action":"x","Resource":"*"}`, sentenceNoVendor},
		{`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateEquals":{"a:k":"x"}}}`, sentenceLegacy},
	}
	for i := range faults {
		_, err := Parse(KindIdentity, []byte(doc(faults[i].statement)))
		wantMalformed(t, err, faults[i].want)
		for j := range i {
			_, err := Parse(KindIdentity, []byte(doc(faults[i].statement, faults[j].statement)))
			wantMalformed(t, err, faults[j].want)
		}
	}
	_, err := Parse(KindIdentity, []byte(`{"Version":"2001-01-01","Statement":`+faults[0].statement+`}`))
	wantMalformed(t, err, sentenceVersion)
}

// TestParseAccepts has forms that are unusual and right.
func TestParseAccepts(t *testing.T) {
	for _, row := range []struct {
		kind Kind
		text string
	}{
		{KindIdentity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`},
		{KindIdentity, `{"Id":"x y","Version":"2008-10-17","Statement":[{"Sid":"","Effect":"Deny","NotAction":["*"],"NotResource":["*"]},{"Sid":"","Effect":"Deny","Action":"*","Resource":"*"}]}`},
		{KindIdentity, lone(`"Resource":"*","Action":"*:*","Effect":"Allow","Condition":{}`)},
		{KindIdentity, lone(`"Effect":"Allow","Action":["execute-api:Invoke","s?:Get*","*:Get"],"Resource":["arn:aws:iam::*:role*","arn:aws:iam::1:*","arn:aws:iam::1:${aws:userid}","arn:aws:iam::aws:policy/X"]`)},
		{KindIdentity, lone(`"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:us-east-1:111122223333:accesspoint/p","arn:aws:s3:*:1:job/*","arn:*","arn:aws:s3:::b/caf` + "é" + `"]`)},
		{KindIdentity, lone(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/\u65e5"`)},
		{KindIdentity, lone(`"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericLessThan":{"a:n":10},"Bool":{"a:b":true},"Null":{"a:c":[false]},"ArnLike":{"a:d":["*","arn:*","${aws:SourceArn}"]},"StringEquals":{"host:8443/realm:aud":"x"}}`)},
		{KindTrust, lone(`"Effect":"Allow","Action":["sts:*","STS:assumerole","sts:TagSession","sts:SetSourceIdentity","sts:AssumeRole?ith*"],"Principal":{"AWS":["*","111122223333"],"Federated":"x","Service":["a.b"]}`)},
		{KindResource, lone(`"Sid":"A sentence – here","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::日","NotPrincipal":{"CanonicalUser":"x"}`)},
	} {
		d, err := Parse(row.kind, []byte(row.text))
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if d.Text() != row.text || d.Kind() != row.kind {
			t.Errorf("got %s %q, want %s %q", d.Kind(), d.Text(), row.kind, row.text)
		}
	}
}

func TestDocument(t *testing.T) {
	text := []byte("{ \"Statement\": [\n\t{\"Sid\":\"A1\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\",\"Service\":[\"a\",\"b\"]},\"NotAction\":\"s3:*\",\r\n" +
		"\"Resource\":[\"arn:aws:s3:::é b\"],\"Condition\":{\"NumericEqualsIfExists\":{\"a:n\":[1.50,2]}}}]}")
	want := string(text)
	d := mustParse(t, KindResource, want)
	d2, err := Parse(KindResource, text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		text[i] = 'x'
	}
	if d2.Text() != want {
		t.Errorf("got text %q, want %q: the document must not share the caller's bytes", d2.Text(), want)
	}
	if got := d.Version(); got != oldVersion {
		t.Errorf("got version %q, want %q", got, oldVersion)
	}
	if got, want := d.SizeWithoutSpace(), len([]rune(strings.Join(strings.Fields(want), ""))); got != want {
		t.Errorf("got size %d, want %d", got, want)
	}
	wantStatement := Statement{
		Sid: "A1", Effect: "Allow", Principals: []PrincipalName{{"AWS", "*"}, {"Service", "a"}, {"Service", "b"}},
		Actions: []string{"s3:*"}, NotAction: true, Resources: []string{"arn:aws:s3:::é b"},
		Conditions: []Condition{{Operator: "NumericEqualsIfExists", Key: "a:n", Values: []string{"1.50", "2"}}},
		has:        hasPrincipal | hasAction | hasResource,
	}
	got := d.Statements()
	if !reflect.DeepEqual(got, []Statement{wantStatement}) {
		t.Errorf("got %+v, want %+v", got, wantStatement)
	}
	got[0].Actions[0], got[0].Conditions[0].Values[0], got[0].Principals[0].Name = "x", "x", "x"
	if again := d.Statements(); !reflect.DeepEqual(again, []Statement{wantStatement}) {
		t.Errorf("got %+v after a caller's change, want %+v", again, wantStatement)
	}
}

// TestClip: a sentence repeats a bounded part of the document.
func TestClip(t *testing.T) {
	_, err := Parse(KindIdentity, []byte(doc(allow(get, "é"+strings.Repeat("é", 4000)))))
	wantMalformed(t, err, "Resource "+strings.Repeat("é", maxEcho/2)+` must be in ARN format or "*".`)
}

// TestNesting: deep nesting is refused where it begins, so it costs no stack.
func TestNesting(t *testing.T) {
	for _, depth := range []int{2, 17, 1000, maxDocument/2 - 100} {
		for _, open := range []string{"[", `{"x":`} {
			deep := strings.Repeat(open, depth/len(open)+1)
			for _, format := range []string{"%s", `{"Statement":%s`, `{"Statement":[{"Action":%s`, `{"Statement":[{"Condition":{"StringEquals":{"a:k":%s`, `{"Statement":[{"Principal":%s`} {
				_, err := Parse(KindTrust, []byte(fmt.Sprintf(format, deep)))
				wantMalformed(t, err, sentenceSyntax)
			}
		}
	}
}

// TestLargestDocument: the largest documents of different shapes take a bounded time.
func TestLargestDocument(t *testing.T) {
	fill := func(prefix, item, suffix string) string {
		return prefix + strings.Repeat(item, (maxDocument-len(prefix)-len(suffix))/len(item)) + suffix
	}
	head := `{"Version":"2012-10-17","Statement":[`
	statement := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for name, text := range map[string]string{
		"statements": fill(head, statement+",", statement+"]}"),
		"actions":    fill(head+`{"Effect":"Allow","Resource":"*","Action":[`, `"*",`, `"*"]}]}`),
		"variables":  fill(head+`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::`, `${a}`, `"}]}`),
		"open":       fill(head+`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::`, `${`, `"}]}`),
		"stars":      fill(head+`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::`, `*a`, `"}]}`),
		"colons":     fill(head+`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnLike":{"a:k":"`, `:${a`, `"}}}]}`),
	} {
		begin := time.Now()
		_, err := Parse(KindIdentity, []byte(text))
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if bad := name == "open" || name == "colons"; (err != nil) != bad {
			t.Errorf("%s: got error %v, want one: %v", name, err, bad)
		}
	}
}

// TestJSONCorpus puts each file of the JSON test suite in the place of a document and of a condition's value. No file is a
// policy; as a value only a plain scalar or a list of them may pass, and nothing that the suite calls wrong.
func TestJSONCorpus(t *testing.T) {
	dir := os.Getenv("IDPOOL_CORPORA")
	if dir == "" {
		if os.Getenv("IDPOOL_REQUIRE") == "all" {
			t.Fatal("IDPOOL_CORPORA is not set and IDPOOL_REQUIRE=all")
		}
		t.Skip("IDPOOL_CORPORA is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "json", "test_parsing", "*.json"))
	if err != nil || len(files) != 318 {
		t.Fatalf("got %d files, %v, want 318", len(files), err)
	}
	passed := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(KindResource, text); err == nil {
			t.Errorf("%s: got a document", filepath.Base(file))
		}
		// The line feed ends what would otherwise run on into the rest of the document.
		value := string(text) + "\n}}}]}"
		_, err = Parse(KindResource, []byte(`{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*","Condition":{"StringEquals":{"a:k":`+value))
		if err == nil {
			passed++
			if !strings.HasPrefix(filepath.Base(file), "y_") && !strings.HasPrefix(filepath.Base(file), "i_") {
				t.Errorf("%s: got a document with it as a value", filepath.Base(file))
			}
		}
	}
	if passed != 86 {
		t.Errorf("got %d files that pass as a value, want 86", passed)
	}
}
