package cognito_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"idpool/internal/awsjson"
	"idpool/internal/cognito"
	"idpool/internal/event"
	"idpool/internal/idpooltest"
	"idpool/internal/operation"
)

// model are the operations of the API with the errors that each declares.
var model = idpooltest.Declared()

// undeclared are the errors that every operation may answer besides (spec §1.5).
const undeclared = "Validation Serialization AccessDenied MissingAuthenticationToken UnrecognizedClient InvalidSignature IncompleteSignature ExpiredToken"

// declares reports whether an operation may answer with the code.
func declares(op, code string) bool {
	return slices.Contains(strings.Fields(model[op]+" "+undeclared), strings.TrimSuffix(code, "Exception"))
}

const operationsPage = "../../docs/operations.md"

// page reads the table of the documentation: its cells by operation, without back quotes.
func page(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(operationsPage)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.ReplaceAll(line, "`", ""), "| \n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if _, ok := out[cells[0]]; ok {
			t.Errorf("%s stands twice in %s", cells[0], operationsPage)
		}
		out[cells[0]] = cells[1:]
	}
	return out
}

// samples are inputs of the signed operations, in which POOL, ARN, IDENTITY, ROLE and OIDC stand for what is there.
var samples = map[string]string{
	"CreateIdentityPool":                 `{"IdentityPoolName":"p","AllowUnauthenticatedIdentities":false,"IdentityPoolTags":{"k":"v"}}`,
	"DeleteIdentities":                   `{"IdentityIdsToDelete":["IDENTITY"]}`,
	"DeleteIdentityPool":                 `{"IdentityPoolId":"POOL"}`,
	"DescribeIdentity":                   `{"IdentityId":"IDENTITY"}`,
	"DescribeIdentityPool":               `{"IdentityPoolId":"POOL"}`,
	"GetIdentityPoolRoles":               `{"IdentityPoolId":"POOL"}`,
	"GetOpenIdTokenForDeveloperIdentity": `{"IdentityPoolId":"POOL","Logins":{"login.corp.app":"u"}}`,
	"GetPrincipalTagAttributeMap":        `{"IdentityPoolId":"POOL","IdentityProviderName":"OIDC"}`,
	"ListIdentities":                     `{"IdentityPoolId":"POOL","MaxResults":1}`,
	"ListIdentityPools":                  `{"MaxResults":1}`,
	"ListTagsForResource":                `{"ResourceArn":"ARN"}`,
	"LookupDeveloperIdentity":            `{"IdentityPoolId":"POOL","IdentityId":"IDENTITY"}`,
	"MergeDeveloperIdentities":           `{"IdentityPoolId":"POOL","DeveloperProviderName":"login.corp.app","SourceUserIdentifier":"a","DestinationUserIdentifier":"b"}`,
	"SetIdentityPoolRoles":               `{"IdentityPoolId":"POOL","Roles":{"authenticated":"ROLE"}}`,
	"SetPrincipalTagAttributeMap":        `{"IdentityPoolId":"POOL","IdentityProviderName":"OIDC","UseDefaults":true}`,
	"TagResource":                        `{"ResourceArn":"ARN","Tags":{"k":"w"}}`,
	"UnlinkDeveloperIdentity":            `{"IdentityPoolId":"POOL","DeveloperProviderName":"login.corp.app","IdentityId":"IDENTITY","DeveloperUserIdentifier":"u"}`,
	"UntagResource":                      `{"ResourceArn":"ARN","TagKeys":["k"]}`,
	"UpdateIdentityPool":                 `{"IdentityPoolId":"POOL","IdentityPoolName":"p","AllowUnauthenticatedIdentities":false,"IdentityPoolTags":{"new":"v"}}`,
}

// names fills in a sample, or finds in a text what stands for what.
func (w *world) names(id string) *strings.Replacer {
	return strings.NewReplacer("POOL", w.pool, "ARN", poolARN(w.pool), "IDENTITY", id, "ROLE", w.Dev.GuestRoleARN, "OIDC", w.idp.arn(0))
}

// TestOperations: the table of the operations, the specification's and the documentation's have the same ones, with the
// same access, and what the policies are asked for each is what the documentation says.
func TestOperations(t *testing.T) {
	w := newWorld(t, options{})
	w.ok("TagResource", object{"ResourceArn": poolARN(w.pool), "Tags": object{"k": "v"}})
	id := w.getID(w.idp.login(0, "alice"))
	documented := page(t)
	service := &cognito.Service{Identities: w.Store.Identities}
	var names []string
	for _, row := range service.Table().Rows {
		names = append(names, row.Name)
		want := []string{"anyone", "–", "–", "–", "–"}
		if row.Access != operation.Anonymous {
			want = w.asked(t, &row, w.names(id).Replace(samples[row.Name]))
		}
		if got := documented[row.Name]; !slices.Equal(got, want) {
			t.Errorf("%s has for %s\n%q, want\n| `%s` | %s |", operationsPage, row.Name, got, row.Name, strings.Join(want, " | "))
		}
		if got := row.Access == operation.Anonymous; got != slices.Contains(public, row.Name) {
			t.Errorf("%s: anonymous %v, which the specification has otherwise", row.Name, got)
		}
	}
	slices.Sort(names)
	if d := gocmp.Diff(names, slices.Sorted(maps.Keys(model))); d != "" || len(names) != 23 {
		t.Errorf("%d operations (-table +specification):\n%s", len(names), d)
	}
	if d := gocmp.Diff(slices.Sorted(maps.Keys(documented)), names); d != "" {
		t.Errorf("operations (-%s +table):\n%s", operationsPage, d)
	}
}

// asked is what the policies are asked for an input, as the documentation has it: access, action, resource, condition
// keys, and what else is asked.
func (w *world) asked(t *testing.T, row *operation.Row, body string) []string {
	t.Helper()
	in := row.New()
	if err := awsjson.Decode([]byte(body), row.In, in); err != nil {
		t.Fatalf("%s: %v", row.Name, err)
	}
	target, err := row.Target(t.Context(), &operation.Call{Snapshot: w.snapshot(), Now: w.clock.Now(), Event: &event.Record{}}, in)
	if err != nil {
		t.Fatalf("%s: %v", row.Name, err)
	}
	resource := map[string]string{"*": "*", poolARN(w.pool): "the pool"}[target[0].Resource]
	var keys, more []string
	for _, list := range []map[string]string{target[0].Keys, single(target[0].Lists)} {
		for key := range list {
			if at := strings.Index(key, "Tag/"); at >= 0 {
				key = key[:at] + "Tag/${TagKey}"
			}
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, check := range target[1:] {
		more = append(more, check.Action)
	}
	access := "policies"
	if row.Writes {
		access = "policies, and on record before the answer"
	}
	return []string{access, "cognito-identity:" + row.Name, resource, orDash(keys), orDash(more)}
}

func single(lists map[string][]string) map[string]string {
	out := map[string]string{}
	for key := range lists {
		out[key] = ""
	}
	return out
}

func orDash(list []string) string {
	if len(list) == 0 {
		return "–"
	}
	return strings.Join(slices.Compact(list), ", ")
}

// TestNoPolicyNoAnswer: every signed operation refuses who has no policy, an administrator of another pool, and who is
// denied (security G12); nobody gets in without a signature.
func TestNoPolicyNoAnswer(t *testing.T) {
	w := newWorld(t, options{})
	id := w.getID(w.idp.login(0, "alice"))
	other := w.newPool(nil)
	nobody := w.user("nobody")
	elsewhere := w.user("elsewhere", allow("*", poolARN(other), ""), allow("*", roleARN("*"), ""),
		allow("*", "*", fmt.Sprintf(`{"StringEquals":{"cognito-identity:IdentityPoolArn":%q}}`, poolARN(other))))
	rows := slices.DeleteFunc(table().Rows, func(r operation.Row) bool { return r.Access == operation.Anonymous })
	slices.SortFunc(rows, func(a, b operation.Row) int { // those that delete go last
		return cmp.Compare(strings.Count(a.Name, "Delete"), strings.Count(b.Name, "Delete"))
	})
	for _, row := range rows {
		in := rawJSON(w.names(id).Replace(samples[row.Name]))
		w.refuse(t, "no policy", denied, "", ask{nobody, row.Name, in})
		w.refuse(t, "another pool's", denied, "", ask{elsewhere, row.Name, in})
		if err := w.Call(row.Name, nil, in, nil); err == nil || !strings.HasPrefix(err.Error(), "MissingAuthenticationTokenException") {
			t.Errorf("%s: got %v without a signature", row.Name, err)
		}
		alone := w.user("alone-"+row.Name, allow("cognito-identity:"+row.Name, "*", ""), allow("iam:PassRole", "*", ""), allow("cognito-identity:*tagResource", "*", ""))
		if _, err := w.as(alone, row.Name, in); err != nil && strings.Contains(err.Error(), denied) {
			t.Errorf("%s: got %v for who has this policy", row.Name, err)
		}
	}
}

// rawJSON is an input that was written as JSON.
type rawJSON string

// MarshalJSON returns the text.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }
