package iam_test

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idpool/internal/client"
	"idpool/internal/idpooltest"
	"idpool/internal/sigv4"
)

const (
	account = "arn:aws:iam::" + idpooltest.Account + ":"

	// trust lets the user ann assume a role; trustPool identities of a pool.
	trust     = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + account + `user/people/ann"},"Action":"sts:AssumeRole"}}`
	trustRoot = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + idpooltest.Account + `"},"Action":"sts:AssumeRole"}}`
	readS3    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`
	admin     = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// noon is the present of servers whose answers are compared whole.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// caller calls IAM as somebody.
type caller struct {
	t      testing.TB
	client *client.Client
	signer *sigv4.Credentials
}

// as calls a server's IAM as the administrator, or as the signer.
func as(t testing.TB, s *idpooltest.Server, signer *sigv4.Credentials) caller {
	if signer == nil {
		signer = s.Admin()
	}
	return caller{t, s.Client(), signer}
}

// form makes parameters of pairs.
func form(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

// do calls an operation and returns what stands inside the answer.
func (c caller) do(action string, pairs ...string) (string, error) {
	var out struct {
		XML string `xml:",innerxml"`
	}
	err := c.client.Query(context.Background(), "iam", "2010-05-08", action, form(pairs...), c.signer, &out)
	return out.XML, err
}

// must calls an operation that must succeed.
func (c caller) must(action string, pairs ...string) string {
	c.t.Helper()
	out, err := c.do(action, pairs...)
	if err != nil {
		c.t.Fatalf("%s: %v", action, err)
	}
	return out
}

// refused calls an operation that must be refused with status and code, and returns its sentence.
func (c caller) refused(status int, code, action string, pairs ...string) string {
	c.t.Helper()
	_, err := c.do(action, pairs...)
	f, ok := errors.AsType[*client.Fault](err)
	if !ok || f.Status != status || f.Code != code {
		c.t.Fatalf("%s: got %v, want %d %s", action, err, status, code)
	}
	return f.Message
}

// between returns the texts of all elements of a name, in order.
func between(xml, name string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?s)<`+name+`>(.*?)</`+name+`>`).FindAllStringSubmatch(xml, -1) {
		out = append(out, unescape(m[1]))
	}
	return out
}

// only returns the text of the one element of a name.
func (c caller) only(xml, name string) string {
	c.t.Helper()
	all := between(xml, name)
	if len(all) != 1 {
		c.t.Fatalf("got %d elements %s, want one: %s", len(all), name, xml)
	}
	return all[0]
}

func unescape(xml string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&#x9;", "\t", "&#xA;", "\n", "&#xD;", "\r", "&amp;", "&").Replace(xml)
}

// mustUser makes a user with one policy, none where it is empty, and returns a signer with a key of his.
func (c caller) mustUser(name, policy string) *sigv4.Credentials {
	c.t.Helper()
	c.must("CreateUser", "UserName", name)
	if policy != "" {
		c.must("PutUserPolicy", "UserName", name, "PolicyName", "own", "PolicyDocument", policy)
	}
	return c.mustKey(name)
}

func (c caller) mustKey(name string) *sigv4.Credentials {
	c.t.Helper()
	out := c.must("CreateAccessKey", "UserName", name)
	return &sigv4.Credentials{AccessKeyID: c.only(out, "AccessKeyId"), Secret: c.only(out, "SecretAccessKey")}
}

// allow is a policy that allows actions on a resource.
func allow(resource string, actions ...string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"` + resource + `"}}`
}

// The standing world of tables of tests.
const (
	policyARN   = account + "policy/team/shared"
	fenceARN    = account + "policy/fence"
	issuer      = "https://login.example.com/tenant"
	providerARN = account + "oidc-provider/login.example.com/tenant"
	thumbprint  = "0123456789abcdef0123456789ABCDEF01234567"
)

// world makes one entity of each kind, with something of everything in it, and returns the id of ann's key.
func world(c caller) string {
	c.t.Helper()
	c.must("CreatePolicy", "PolicyName", "shared", "Path", "/team/", "PolicyDocument", readS3, "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	c.must("CreatePolicyVersion", "PolicyArn", policyARN, "PolicyDocument", readS3)
	c.must("CreatePolicy", "PolicyName", "fence", "PolicyDocument", readS3)
	c.must("CreateUser", "UserName", "ann", "Path", "/people/", "PermissionsBoundary", fenceARN, "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	c.must("PutUserPolicy", "UserName", "ann", "PolicyName", "own", "PolicyDocument", readS3)
	c.must("AttachUserPolicy", "UserName", "ann", "PolicyArn", policyARN)
	c.must("CreateRole", "RoleName", "app", "Path", "/service/", "AssumeRolePolicyDocument", trust, "PermissionsBoundary", fenceARN,
		"Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	c.must("PutRolePolicy", "RoleName", "app", "PolicyName", "own", "PolicyDocument", readS3)
	c.must("AttachRolePolicy", "RoleName", "app", "PolicyArn", policyARN)
	c.must("CreateOpenIDConnectProvider", "Url", issuer, "ClientIDList.member.1", "web", "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	c.must("CreateSAMLProvider", "Name", "corp", "SAMLMetadataDocument", metadata("", firstKey), "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	return c.mustKey("ann").AccessKeyID
}

// requests has for every operation a request that succeeds in the standing world; KEY stands for the id of ann's key.
var requests = map[string][]string{
	"CreateRole":                    {"RoleName", "new", "AssumeRolePolicyDocument", trust},
	"GetRole":                       {"RoleName", "app"},
	"UpdateRole":                    {"RoleName", "app", "MaxSessionDuration", "7200"},
	"UpdateRoleDescription":         {"RoleName", "app", "Description", "new"},
	"UpdateAssumeRolePolicy":        {"RoleName", "app", "PolicyDocument", trustRoot},
	"DeleteRole":                    {"RoleName", "bare"},
	"ListRoles":                     {},
	"TagRole":                       {"RoleName", "app", "Tags.member.1.Key", "new", "Tags.member.1.Value", ""},
	"UntagRole":                     {"RoleName", "app", "TagKeys.member.1", "team"},
	"ListRoleTags":                  {"RoleName", "app"},
	"PutRolePolicy":                 {"RoleName", "app", "PolicyName", "new", "PolicyDocument", readS3},
	"GetRolePolicy":                 {"RoleName", "app", "PolicyName", "own"},
	"DeleteRolePolicy":              {"RoleName", "app", "PolicyName", "own"},
	"ListRolePolicies":              {"RoleName", "app"},
	"AttachRolePolicy":              {"RoleName", "app", "PolicyArn", admin},
	"DetachRolePolicy":              {"RoleName", "app", "PolicyArn", policyARN},
	"ListAttachedRolePolicies":      {"RoleName", "app"},
	"PutRolePermissionsBoundary":    {"RoleName", "app", "PermissionsBoundary", admin},
	"DeleteRolePermissionsBoundary": {"RoleName", "app"},
	"ListInstanceProfilesForRole":   {"RoleName", "app"},

	"CreatePolicy":            {"PolicyName", "new", "PolicyDocument", readS3},
	"GetPolicy":               {"PolicyArn", policyARN},
	"DeletePolicy":            {"PolicyArn", account + "policy/bare"},
	"ListPolicies":            {},
	"CreatePolicyVersion":     {"PolicyArn", policyARN, "PolicyDocument", readS3},
	"GetPolicyVersion":        {"PolicyArn", policyARN, "VersionId", "v2"},
	"ListPolicyVersions":      {"PolicyArn", policyARN},
	"DeletePolicyVersion":     {"PolicyArn", policyARN, "VersionId", "v2"},
	"SetDefaultPolicyVersion": {"PolicyArn", policyARN, "VersionId", "v2"},
	"TagPolicy":               {"PolicyArn", policyARN, "Tags.member.1.Key", "new", "Tags.member.1.Value", ""},
	"UntagPolicy":             {"PolicyArn", policyARN, "TagKeys.member.1", "team"},
	"ListPolicyTags":          {"PolicyArn", policyARN},
	"ListEntitiesForPolicy":   {"PolicyArn", policyARN},

	"CreateOpenIDConnectProvider":             {"Url", "https://new.example.com"},
	"GetOpenIDConnectProvider":                {"OpenIDConnectProviderArn", providerARN},
	"DeleteOpenIDConnectProvider":             {"OpenIDConnectProviderArn", providerARN},
	"ListOpenIDConnectProviders":              {},
	"UpdateOpenIDConnectProviderThumbprint":   {"OpenIDConnectProviderArn", providerARN, "ThumbprintList.member.1", thumbprint},
	"AddClientIDToOpenIDConnectProvider":      {"OpenIDConnectProviderArn", providerARN, "ClientID", "new"},
	"RemoveClientIDFromOpenIDConnectProvider": {"OpenIDConnectProviderArn", providerARN, "ClientID", "web"},
	"TagOpenIDConnectProvider":                {"OpenIDConnectProviderArn", providerARN, "Tags.member.1.Key", "new", "Tags.member.1.Value", ""},
	"UntagOpenIDConnectProvider":              {"OpenIDConnectProviderArn", providerARN, "TagKeys.member.1", "team"},
	"ListOpenIDConnectProviderTags":           {"OpenIDConnectProviderArn", providerARN},

	"CreateSAMLProvider":   {"Name", "new", "SAMLMetadataDocument", metadata("", firstKey)},
	"GetSAMLProvider":      {"SAMLProviderArn", samlARN},
	"UpdateSAMLProvider":   {"SAMLProviderArn", samlARN, "SAMLMetadataDocument", metadata("", secondKey)},
	"DeleteSAMLProvider":   {"SAMLProviderArn", samlARN},
	"ListSAMLProviders":    {},
	"TagSAMLProvider":      {"SAMLProviderArn", samlARN, "Tags.member.1.Key", "new", "Tags.member.1.Value", ""},
	"UntagSAMLProvider":    {"SAMLProviderArn", samlARN, "TagKeys.member.1", "team"},
	"ListSAMLProviderTags": {"SAMLProviderArn", samlARN},

	"CreateUser":                    {"UserName", "new"},
	"GetUser":                       {"UserName", "ann"},
	"UpdateUser":                    {"UserName", "ann", "NewPath", "/people/"},
	"DeleteUser":                    {"UserName", "bare"},
	"ListUsers":                     {},
	"ListGroupsForUser":             {"UserName", "ann"},
	"TagUser":                       {"UserName", "ann", "Tags.member.1.Key", "new", "Tags.member.1.Value", ""},
	"UntagUser":                     {"UserName", "ann", "TagKeys.member.1", "team"},
	"ListUserTags":                  {"UserName", "ann"},
	"PutUserPolicy":                 {"UserName", "ann", "PolicyName", "new", "PolicyDocument", readS3},
	"GetUserPolicy":                 {"UserName", "ann", "PolicyName", "own"},
	"DeleteUserPolicy":              {"UserName", "ann", "PolicyName", "own"},
	"ListUserPolicies":              {"UserName", "ann"},
	"AttachUserPolicy":              {"UserName", "ann", "PolicyArn", admin},
	"DetachUserPolicy":              {"UserName", "ann", "PolicyArn", policyARN},
	"ListAttachedUserPolicies":      {"UserName", "ann"},
	"PutUserPermissionsBoundary":    {"UserName", "ann", "PermissionsBoundary", admin},
	"DeleteUserPermissionsBoundary": {"UserName", "ann"},
	"CreateAccessKey":               {"UserName", "ann"},
	"ListAccessKeys":                {"UserName", "ann"},
	"UpdateAccessKey":               {"UserName", "ann", "AccessKeyId", "KEY", "Status", "Inactive"},
	"DeleteAccessKey":               {"UserName", "ann", "AccessKeyId", "KEY"},

	"EnableOutboundWebIdentityFederation":  {},
	"GetOutboundWebIdentityFederationInfo": {},
	"DisableOutboundWebIdentityFederation": {},

	"GetAccountSummary":              {},
	"ListAccountAliases":             {},
	"GetAccountAuthorizationDetails": {},
	"SimulateCustomPolicy":           {"PolicyInputList.member.1", readS3, "ActionNames.member.1", "s3:GetObject"},
	"SimulatePrincipalPolicy":        {"PolicySourceArn", account + "user/people/ann", "ActionNames.member.1", "s3:GetObject"},
}

// request returns the request of an operation with the id of ann's key in it.
func request(action, key string) []string {
	out := append([]string{}, requests[action]...)
	for i := range out {
		if out[i] == "KEY" {
			out[i] = key
		}
	}
	return out
}
