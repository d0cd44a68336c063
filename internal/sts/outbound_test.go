package sts_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpool/internal/account"
	"idpool/internal/idpooltest"
	"idpool/internal/login"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
)

const outboundIssuer = "https://idpool.test/outbound"

// askIAM calls an operation of IAM without members.
func askIAM(t *testing.T, s *idpooltest.Server, signer *sigv4.Credentials, action string, more url.Values) (*outboundInfo, error) {
	t.Helper()
	out := &outboundInfo{}
	return out, s.Client().Query(t.Context(), "iam", "2010-05-08", action, more, signer, out)
}

type outboundInfo struct {
	Metadata struct{} `xml:"ResponseMetadata"`
	Body     struct {
		IssuerIdentifier  string
		JwtVendingEnabled string
	} `xml:",any"`
}

// outwardKeys reads the discovery document and the key set of the outbound issuer.
func outwardKeys(t *testing.T, s *idpooltest.Server) *jose.JSONWebKeySet {
	t.Helper()
	var discovery struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	mustGet(t, s.URL+"/outbound/.well-known/openid-configuration", &discovery)
	if discovery.Issuer != outboundIssuer || discovery.JWKS != outboundIssuer+"/.well-known/jwks.json" {
		t.Errorf("discovery: %+v", discovery)
	}
	set := &jose.JSONWebKeySet{}
	mustGet(t, s.URL+"/outbound/.well-known/jwks.json", set)
	return set
}

func mustGet(t *testing.T, address string, out any) {
	t.Helper()
	r, err := http.Get(address) //nolint:noctx // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(text, out) != nil {
		t.Fatalf("%s: %v %s", address, err, text)
	}
}

// TestWebIdentityToken: who a caller is, signed for others, with the claims of AWS's tokens.
func TestWebIdentityToken(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	ann := mustUser(t, s, "ann", allow("*", "*"))
	if got := outwardKeys(t, s); len(got.Keys) != 0 {
		t.Errorf("got %d keys before there are any", len(got.Keys))
	}
	token := func(signer *sigv4.Credentials, more ...string) (*result, error) {
		return ask(s, signer, "GetWebIdentityToken", append([]string{"Audience.member.1", "https://api.example", "SigningAlgorithm", "ES384"}, more...)...)
	}
	_, err := token(ann)
	wantFault(t, s, err, 403, "OutboundWebIdentityFederationDisabledException", "The outbound web identity federation feature is not enabled for this account.")
	for _, action := range []string{"DisableOutboundWebIdentityFederation", "GetOutboundWebIdentityFederationInfo"} {
		_, err = askIAM(t, s, ann, action, nil)
		wantFault(t, s, err, 404, "FeatureDisabled", "Outbound web identity federation is disabled for this account.")
	}
	enabled, err := askIAM(t, s, ann, "EnableOutboundWebIdentityFederation", nil)
	if err != nil || enabled.Body.IssuerIdentifier != outboundIssuer {
		t.Fatalf("got %+v, %v %s", enabled, err, s.Output())
	}
	_, err = askIAM(t, s, ann, "EnableOutboundWebIdentityFederation", nil)
	wantFault(t, s, err, 409, "FeatureEnabled", "Outbound web identity federation is already enabled for this account.")
	info, err := askIAM(t, s, ann, "GetOutboundWebIdentityFederationInfo", nil)
	if err != nil || info.Body.IssuerIdentifier != outboundIssuer || info.Body.JwtVendingEnabled != "true" {
		t.Errorf("got %+v, %v", info, err)
	}
	keys := outwardKeys(t, s)
	if len(keys.Keys) != 2 {
		t.Fatalf("got %d keys, want one for each algorithm", len(keys.Keys))
	}

	mustChangeUser(t, s, "ann", func(u *account.User) { u.Tags = map[string]string{"team": "blue"} })
	putRole(t, s, "job", trusting(account12, everything, ""), nil, allow("*", "*"))
	role := mustAsk(t, s, ann, "AssumeRole", join([]string{"RoleArn", roleARN("job"), "RoleSessionName", "job"}, tagged("cost", "7"))...).signer()
	for name, tc := range map[string]struct {
		signer    *sigv4.Credentials
		algorithm string
		more      []string
		sub, aud  string // as JSON
		aws       string
		life      int64
	}{
		"a user": {ann, "ES384", nil, `"arn:aws:iam::111122223333:user/ann"`, `"https://api.example"`, `{"aws_account":"111122223333","source_region":"us-east-1","principal_tags":{"team":"blue"}}`, 300},
		"a role": {role, "RS256", []string{"DurationSeconds", "60"}, `"arn:aws:iam::111122223333:role/job"`, `"https://api.example"`, `{"aws_account":"111122223333","source_region":"us-east-1","principal_tags":{"cost":"7"}}`, 60},
		"tags and services": {role, "RS256", join([]string{"Audience.member.2", "b", "DurationSeconds", "3000"}, tagged("k", "é/v")), `"arn:aws:iam::111122223333:role/job"`, `["https://api.example","b"]`,
			`{"aws_account":"111122223333","source_region":"us-east-1","principal_tags":{"cost":"7"},"request_tags":{"k":"é/v"}}`, 3000},
	} {
		got, err := token(tc.signer, append(tc.more, "SigningAlgorithm", tc.algorithm)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		signed, err := jose.ParseSignedCompact(got.Body.WebIdentityToken, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(tc.algorithm)})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		payload, err := signed.Verify(keys)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var claims map[string]json.RawMessage
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		var iat, exp int64
		_, _ = fmt.Sscan(string(claims["iat"]), &iat)
		_, _ = fmt.Sscan(string(claims["exp"]), &exp)
		if string(claims["iss"]) != `"`+outboundIssuer+`"` || string(claims["sub"]) != tc.sub || string(claims["aud"]) != tc.aud ||
			string(claims["https://sts.amazonaws.com/"]) != tc.aws || exp-iat != tc.life || len(claims["jti"]) != 38 || len(claims) != 7 {
			t.Errorf("%s: got %s", name, payload)
		}
		if want := time.Unix(exp, 0).UTC().Format("2006-01-02T15:04:05Z"); got.Body.Expiration != want {
			t.Errorf("%s: got Expiration %s, want %s", name, got.Body.Expiration, want)
		}
	}
	if _, err := askIAM(t, s, ann, "DisableOutboundWebIdentityFederation", nil); err != nil {
		t.Fatal(err)
	}
	_, err = token(ann)
	wantFault(t, s, err, 403, "OutboundWebIdentityFederationDisabledException", "")
	if got := outwardKeys(t, s); len(got.Keys) != 2 {
		t.Errorf("got %d keys, want those of tokens that are out", len(got.Keys))
	}
}

// TestWebIdentityTokenIsDecided by policies, with the keys that AWS has for it, and within constraints.
func TestWebIdentityTokenIsDecided(t *testing.T) {
	var ahead atomic.Int64
	s := idpooltest.Start(t, idpooltest.Options{Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	root := mustUser(t, s, "root", allow("*", "*"))
	ann := mustUser(t, s, "ann")
	if _, err := askIAM(t, s, root, "EnableOutboundWebIdentityFederation", nil); err != nil {
		t.Fatal(err)
	}
	plain := []string{"Audience.member.1", "https://api.example", "SigningAlgorithm", "ES384"}
	const get, tag = "sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"
	for name, tc := range map[string]struct {
		policies []string
		more     []string
		refused  string
	}{
		"nothing":               {nil, nil, get},
		"allowed":               {[]string{allow(get, "*")}, nil, ""},
		"denied":                {[]string{allow("*", "*"), deny(get, "*")}, nil, get},
		"tags, not allowed":     {[]string{allow(get, "*")}, tagged("a", "b"), tag},
		"tags, allowed":         {[]string{allow(get, "*"), allow(tag, "*")}, tagged("a", "b"), ""},
		"this audience":         {[]string{identityPolicy("Allow", get, "*", `{"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":"https://api.example"}}`)}, nil, ""},
		"another audience":      {[]string{identityPolicy("Allow", get, "*", `{"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":"https://api.example"}}`)}, []string{"Audience.member.2", "b"}, get},
		"this algorithm":        {[]string{identityPolicy("Allow", get, "*", `{"StringEquals":{"sts:SigningAlgorithm":"ES384"}}`)}, nil, ""},
		"another algorithm":     {[]string{identityPolicy("Allow", get, "*", `{"StringEquals":{"sts:SigningAlgorithm":"RS256"}}`)}, nil, get},
		"short":                 {[]string{identityPolicy("Allow", get, "*", `{"NumericLessThanEquals":{"sts:DurationSeconds":"300"}}`)}, nil, ""},
		"longer than allowed":   {[]string{identityPolicy("Allow", get, "*", `{"NumericLessThanEquals":{"sts:DurationSeconds":"300"}}`)}, []string{"DurationSeconds", "301"}, get},
		"tags with other names": {[]string{allow(get, "*"), identityPolicy("Allow", tag, "*", `{"ForAllValues:StringEquals":{"aws:TagKeys":"c"}}`)}, tagged("a", "b"), tag},
	} {
		mustChangeUser(t, s, "ann", func(u *account.User) { u.Inline = inline(tc.policies) })
		_, err := ask(s, ann, "GetWebIdentityToken", join(plain, tc.more)...)
		t.Log(name)
		if tc.refused == "" {
			if err != nil {
				t.Errorf("got %v", err)
			}
			continue
		}
		wantFault(t, s, err, 403, "AccessDenied", "User: arn:aws:iam::"+accountID+":user/ann is not authorized to perform: "+tc.refused+" on resource: *")
	}
	for name, more := range map[string][]string{
		"too short": {"DurationSeconds", "59"}, "too long": {"DurationSeconds", "3601"}, "an algorithm": {"SigningAlgorithm", "HS256"}, "none": {"SigningAlgorithm", "none"},
		"a long audience": {"Audience.member.1", strings.Repeat("a", 1001)}, "a tag": tagged("k", "*"),
	} {
		_, err := ask(s, root, "GetWebIdentityToken", join(plain, more)...)
		t.Log(name)
		wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	}
	eleven := plain
	for i := range 11 {
		eleven = append(eleven, fmt.Sprintf("Audience.member.%d", i+1), fmt.Sprint("a", i))
	}
	_, err := ask(s, root, "GetWebIdentityToken", eleven...)
	wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	_, err = ask(s, root, "GetWebIdentityToken", "SigningAlgorithm", "RS256")
	wantFault(t, s, err, 400, "ValidationError", "1 validation error detected: ")
	var large []string
	for i := range 50 {
		sum := sha512.Sum512([]byte{byte(i)})
		large = append(large, fmt.Sprint("k", i), hex.EncodeToString(sum[:])+hex.EncodeToString(sum[:]))
	}
	_, err = ask(s, root, "GetWebIdentityToken", join(plain, tagged(large...))...)
	wantFault(t, s, err, 400, "JWTPayloadSizeExceededException", "The requested token payload size exceeds the maximum allowed size.")

	// A token does not outlive the session that asks for it.
	putRole(t, s, "job", trusting(account12, "", ""), nil, allow("*", "*"))
	session, err := assumeRole(s, root, "job", "DurationSeconds", "900")
	if err != nil {
		t.Fatal(err)
	}
	_, err = ask(s, session.signer(), "GetWebIdentityToken", join(plain, []string{"DurationSeconds", "903"})...)
	wantFault(t, s, err, 403, "SessionDurationEscalationException", "The requested token duration would extend the session beyond its original expiration time.")
	ahead.Store(int64(10*time.Minute + time.Second))
	if err := s.Source.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = ask(s, session.signer(), "GetWebIdentityToken", plain...)
	wantFault(t, s, err, 403, "SessionDurationEscalationException", "")
	if _, err = ask(s, session.signer(), "GetWebIdentityToken", join(plain, []string{"DurationSeconds", "60"})...); err != nil {
		t.Errorf("within the session: %v", err)
	}
}

// TestOutboundTokensAreNoWayIn: what says who a caller of ours is, is no login here, whatever an administrator has set up.
func TestOutboundTokensAreNoWayIn(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	root := mustUser(t, s, "root", allow("*", "*"))
	if _, err := askIAM(t, s, root, "EnableOutboundWebIdentityFederation", nil); err != nil {
		t.Fatal(err)
	}
	alice := s.MustGetID("alice")
	for _, algorithm := range []string{"RS256", "ES384"} {
		token := mustAsk(t, s, root, "GetWebIdentityToken", "Audience.member.1", s.Dev.PoolID, "SigningAlgorithm", algorithm).Body.WebIdentityToken
		none := "No OpenIDConnect provider found in your account for " + outboundIssuer
		_, err := assume(s, s.Dev.AuthenticatedRoleARN, token, nil)
		wantFault(t, s, err, 400, "InvalidIdentityToken", none)
		for _, key := range []string{login.OwnIssuer, "idpool.test/outbound", "idpool.test", s.IdP.Key} {
			if err := s.Call("GetCredentialsForIdentity", nil, map[string]any{"IdentityId": alice, "Logins": map[string]string{key: token}}, nil); err == nil {
				t.Errorf("%s: credentials for an outbound token under %s", algorithm, key)
			}
		}
		// The same claims, said to be those of our other issuer: neither key signs for it.
		parts := strings.Split(token, ".")
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), "/outbound", "", 1)))
		_, err = assume(s, s.Dev.AuthenticatedRoleARN, strings.Join(parts, "."), nil)
		wantFault(t, s, err, 400, "InvalidIdentityToken", "Couldn't retrieve verification key")
	}
	for _, address := range []string{"https://idpool.test", "https://idpool.test/outbound", "https://IDPOOL.test/outbound", "https://idpool.test/outbound/", "https://idpool.test/"} {
		if _, err := askIAM(t, s, root, "CreateOpenIDConnectProvider", url.Values{"Url": {address}, "ClientIDList.member.1": {"x"}}); err == nil {
			t.Errorf("%s is taken as a provider", address)
		}
	}
	// A provider that was stored before it was refused counts for nothing.
	p := &account.OIDCProvider{Issuer: outboundIssuer, ClientIDs: []string{s.Dev.PoolID}}
	old := snapshotOf(t, s).Pool(s.Dev.PoolID)
	changed := old.Pool
	changed.OIDCProviders = append(append([]string{}, old.OIDCProviders...), p.ARN(accountID))
	if err := s.Source.Write(t.Context(), snapshot.PutOIDCProvider(p, accountID, 0), snapshot.PutPool(&changed, old.Version)); err != nil {
		t.Fatal(err)
	}
	token := mustAsk(t, s, root, "GetWebIdentityToken", "Audience.member.1", s.Dev.PoolID, "SigningAlgorithm", "ES384").Body.WebIdentityToken
	_, err := assume(s, s.Dev.AuthenticatedRoleARN, token, nil)
	wantFault(t, s, err, 400, "InvalidIdentityToken", "No OpenIDConnect provider found")
	s.MustRefuse("NotAuthorizedException", "GetCredentialsForIdentity", nil, map[string]any{"IdentityId": alice, "Logins": map[string]string{"idpool.test/outbound": token}})
}
