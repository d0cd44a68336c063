package policy

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestExplain tells which part of each near statement did not match.
func TestExplain(t *testing.T) {
	id := mustParse(t, KindIdentity, doc(
		allow(get, b+"/*", `"Sid":"Match"`),
		allow(put, b+"/*"),               // the action alone
		allow(put, "arn:aws:s3:::other"), // action and resource: not near
		allow(get, "arn:aws:s3:::other"), // the resource
		allow(get, "*", `"Sid":"Cond"`, `"Condition":{"StringEquals":{"aws:PrincipalTag/Dept":["Eng","Ops"]},"Bool":{"aws:SecureTransport":"true"},"Null":{"a:k":"false"}}`),
		deny("!s3:Get*", "*"),
	))
	bucketPolicy := mustParse(t, KindResource, doc(deny(get, "*", principal("AWS", userARN))))
	p := &Policies{Identity: []Named{{"Inline", id}}, Resource: []Named{{"b", bucketPolicy}}}
	r := &Request{Action: get, Resource: b + "/secret-object", Principal: caller(),
		Context: context("aws:principaltag/dept", "hidden-value", "aws:SecureTransport", "true")}
	var got []string
	for _, s := range p.Explain(r) {
		got = append(got, s.String())
	}
	want := []string{
		`resource-based policy "b", statement 0: Deny does not match: principal`,
		`identity-based policy "Inline", statement 0 (Match): Allow matches`,
		`identity-based policy "Inline", statement 1: Allow does not match: action`,
		`identity-based policy "Inline", statement 3: Allow does not match: resource`,
		`identity-based policy "Inline", statement 4 (Cond): Allow does not match: condition StringEquals on aws:PrincipalTag/Dept with ["Eng" "Ops"]; condition Null on a:k with ["false"], a key that the request does not have`,
		`identity-based policy "Inline", statement 5: Deny does not match: action`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, secret := range []string{"hidden-value", "secret-object", sessionARN} {
		if strings.Contains(strings.Join(got, "\n"), secret) {
			t.Errorf("the explanation shows %q of the request", secret)
		}
	}
	steps := p.Explain(r)
	steps[4].Misses[0].Values[0] = "changed"
	if again := p.Explain(r)[4].Misses[0].Values[0]; again != "Eng" {
		t.Errorf("got %q after a caller's change, want Eng", again)
	}
}

// TestConcurrentUse is for the race detector: one document, one context, many goroutines.
func TestConcurrentUse(t *testing.T) {
	p := &Policies{Identity: []Named{{"p", manyStatements(t, 10)}}, ScopeDown: GuestScopeDown()}
	r := benchRequest()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if d := p.Decide(r); !d.Allowed || len(p.Explain(r)) == 0 {
					t.Errorf("got %+v, want allowed and explained", d)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestExplainTrust(t *testing.T) {
	d := mustParse(t, KindTrust, doc(allow(webIdentity, "", principal("Federated", cognito), cond("StringEquals", cognito+":aud", "pool1"))))
	steps := ExplainTrust(d, &Request{Action: webIdentity, Principal: Principal{Federated: cognito}, Context: context(cognito+":aud", "a-claim")})
	if len(steps) != 1 {
		t.Fatalf("got %d steps, want 1", len(steps))
	}
	want := `role trust policy, statement 0: Allow does not match: condition StringEquals on cognito-identity.amazonaws.com:aud with ["pool1"]`
	if got := steps[0].String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if steps = ExplainTrust(nil, &Request{}); len(steps) != 1 || steps[0].Statement != -1 {
		t.Errorf("got %v of no document, want one step", steps)
	}
}

func TestContext(t *testing.T) {
	c := &Context{}
	if !c.SetNew("host/realm:aud", "pool1") || c.SetNew("HOST/Realm:AUD", "pool2") || c.SetNew("host/realm:\u0061ud", "pool3") {
		t.Error("SetNew must take a new name and refuse one that is there in another case")
	}
	if got, ok := c.substitute(foldKey("Host/realm:Aud")); !ok || got != "pool1" {
		t.Errorf("got %q, %v, want pool1", got, ok)
	}
	c.Set("HOST/realm:aud", "pool4")
	if got, _ := c.substitute("host/realm:aud"); got != "pool4" {
		t.Errorf("got %q, want pool4: Set replaces in any case", got)
	}
	for _, pair := range [][2]string{{"aws:SourceIp", "AWS:SOURCEIP"}, {"t/straße", "T/STRAßE"}, {"t/É", "t/é"}, {"t/k", "t/\u212a"}, {"t/s", "t/ſ"}, {"t/Σ", "t/ς"}} {
		c := &Context{}
		c.Set(pair[0], "x")
		if !c.Has(pair[1]) || !strings.EqualFold(pair[0], pair[1]) {
			t.Errorf("%q and %q must be one key", pair[0], pair[1])
		}
		c.Set(pair[1], "y")
		if e, _ := c.lookup(foldKey(pair[0])); !slices.Equal(e.values, []string{"y"}) || len(c.few) != 1 {
			t.Errorf("%q must have been replaced", pair[0])
		}
	}
	values := []string{"a", "b"}
	c.Set("a:k", values...)
	values[0] = "changed"
	if e, _ := c.lookup("a:k"); e.values[0] != "a" {
		t.Error("the context must not share the caller's slice")
	}
	c.Set("a:empty")
	if !c.Has("a:empty") {
		t.Error("a key without values is there")
	}
	var none *Context
	if none.Has("a:k") {
		t.Error("a nil context has no keys")
	}
}

func TestContextKeys(t *testing.T) {
	d := mustParse(t, KindIdentity, doc(
		allow(get, b+"/${aws:PrincipalTag/Team}/${aws:userid}"),
		allow(get, "*", `"Condition":{"StringLike":{"s3:ExistingObjectTag/X":"${saml:sub}"},"Bool":{"aws:SecureTransport":"${a:b}"},
			"ArnLike":{"aws:SourceArn":["arn:aws:s3:::${a:c}","${a:d}"]},"Null":{"AWS:UserID":"true"}}`)))
	want := []string{"a:b", "a:c", "a:d", "aws:principaltag/team", "aws:securetransport", "aws:sourcearn", "aws:userid", "s3:existingobjecttag/x", "saml:sub"}
	if got := d.ContextKeys(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestGuestScopeDown holds the built-in scope-down to the lists of spec cognito-identity §11.5.
func TestGuestScopeDown(t *testing.T) {
	down := GuestScopeDown()
	if len(down) != 2 || down[1].Name != "arn:aws:iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy" {
		t.Fatalf("got %v", down)
	}
	for i, want := range []int{32, 26} {
		s := down[i].Document.Statements()
		if len(s) != 1 || len(s[0].Actions) != want || !slices.Equal(s[0].Resources, []string{"*"}) {
			t.Errorf("%s: got %+v, want one statement of %d actions on *", down[i].Name, s, want)
		}
	}
	if got, want := down[1].Document.Statements()[0].Sid, "CognitoUnAuthedIdentitiesSessionPolicy"; got != want {
		t.Errorf("got sid %q, want %q", got, want)
	}
	everything := []Named{{"all", mustParse(t, KindIdentity, doc(allow("*", "*")))}}
	p := &Policies{Identity: everything, ScopeDown: down}
	for _, row := range []struct {
		action string
		want   bool
	}{
		{"s3:GetObject", true}, {"S3:putobject", true}, {"dynamodb:Query", true}, {"cognito-identity:DescribeIdentity", true},
		{"sagemaker:InvokeEndpoint", true}, {"sagemaker:CreateEndpoint", false}, {"textract:AnalyzeDocument", true}, {"textract:StartDocumentAnalysis", false},
		{"rum:PutRumEvents", true}, {"rum:DeleteAppMonitor", false}, {"kms:Encrypt", true}, {"kms:CreateKey", false}, {"geo:GetMapTile", true},
		{"geo:PutGeofence", true}, {"geo:BatchPutGeofenceX", false}, {"geo:CreateMap", false}, {"iam:PassRole", false}, {"sts:AssumeRole", false},
		{"ec2:RunInstances", false}, {"secretsmanager:GetSecretValue", false}, {"ssm:GetParameter", false}, {"idpool:Revoke", false},
	} {
		d := p.Decide(&Request{Action: row.action, Resource: "*", Principal: caller()})
		if d.Allowed != row.want || !row.want && d.Kind != KindScopeDown {
			t.Errorf("%s: got %+v, want allowed %v", row.action, d, row.want)
		}
	}
}
