package account

import (
	"strings"
	"testing"

	"idpool/internal/policy"
)

const (
	ann   = "arn:aws:iam::111122223333:user/ann"
	annID = "AIDAAAAAAAAAAAAAAAAAA"
	app   = "arn:aws:iam::111122223333:role/app"
	appID = "AROAAAAAAAAAAAAAAAAAA"
)

var bound = map[string]string{ann: annID, app: appID}

// TestTrustPolicy: ids take the place of ARNs where principals stand, however they are written, and nowhere else.
func TestTrustPolicy(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"one":             {`{"Statement":{"Principal":{"AWS":"` + ann + `"}}}`, `{"Statement":{"Principal":{"AWS":"` + annID + `"}}}`},
		"a list":          {`{"Statement":[{"Principal":{"AWS":["` + ann + `" , "` + app + `"]}}]}`, `{"Statement":[{"Principal":{"AWS":["` + annID + `" , "` + appID + `"]}}]}`},
		"escaped":         {`{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:user\/a\u006en"}}}`, `{"Statement":{"Principal":{"AWS":"` + annID + `"}}}`},
		"space":           {"\t{ \"Statement\" :\n[ {\"Principal\":{\"AWS\" : \"" + app + "\"\n}}]}\r\n", "\t{ \"Statement\" :\n[ {\"Principal\":{\"AWS\" : \"" + appID + "\"\n}}]}\r\n"},
		"another":         {`{"Statement":{"Principal":{"AWS":"` + ann + `2"}}}`, ``},
		"another type":    {`{"Statement":{"Principal":{"Federated":"` + ann + `"}}}`, ``},
		"a condition":     {`{"Statement":{"Condition":{"ArnEquals":{"aws:PrincipalArn":"` + ann + `"}}}}`, ``},
		"a Sid":           {`{"Statement":{"Sid":"` + ann + `"}}`, ``},
		"a name":          {`{"Statement":{"Principal":{"AWS":{"` + ann + `":1}}}}`, ``},
		"too deep":        {`{"Statement":{"Principal":{"AWS":[["` + ann + `"]]}}}`, ``},
		"an Id":           {`{"Id":"` + ann + `","Statement":[]}`, ``},
		"no JSON":         {`{"Statement":{"Principal":{"AWS":"` + ann + `"`, ``},
		"a broken string": {`{"Statement":{"Principal":{"AWS":"\ud800"}}}`, ``},
		"nothing":         {``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == "" {
				c.want = c.text
			}
			r := Role{Trust: c.text, Principals: bound}
			if got, err := r.bound(); err != nil || string(got) != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

// TestTrustPolicyDecides: who has the name and not the id is not trusted.
func TestTrustPolicyDecides(t *testing.T) {
	text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["` + ann + `","` + app + `"]},"Action":"sts:AssumeRole"}}`
	trust, err := (&Role{Trust: text, Principals: bound}).TrustPolicy()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		arn, id string
		want    bool
	}{
		"ann":                      {ann, annID, true},
		"another ann":              {ann, "AIDABBBBBBBBBBBBBBBBB", false},
		"ann under another name":   {"arn:aws:iam::111122223333:user/anna", annID, true},
		"a session of app":         {app, appID + ":s", true},
		"a session of another app": {app, "AROABBBBBBBBBBBBBBBBB:s", false},
		"nobody":                   {"", "", false},
	} {
		d := policy.Trust(trust, &policy.Request{Action: "sts:AssumeRole", Principal: policy.Principal{AWS: []string{c.arn}, Account: "111122223333", UserID: c.id}})
		if d.Allowed != c.want {
			t.Errorf("%s: got %v, want %v", name, d.Allowed, c.want)
		}
	}
}

// FuzzTrustPolicy: a trust policy that can be read can be read with ids in it, and without them it is as it was.
func FuzzTrustPolicy(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["` + ann + `","*","` + app + `"]},"Action":"sts:AssumeRole"}}`)
	f.Add(`{"Statement":[{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user\/a\u006en"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"a:b":["` + ann + `"]}}}]}`)
	f.Add(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}} x`)
	f.Add("{\"\xff\":")
	f.Fuzz(func(t *testing.T, text string) {
		r := Role{Trust: text, Principals: bound}
		with, err := r.bound()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, "111122223333") && !strings.Contains(text, `\u`) && string(with) != text {
			t.Errorf("got %q, want %q", with, text)
		}
		if _, err := policy.Parse(policy.KindTrust, []byte(text)); err != nil {
			return
		}
		if _, err := r.TrustPolicy(); err != nil {
			t.Errorf("with ids: %v", err)
		}
	})
}
