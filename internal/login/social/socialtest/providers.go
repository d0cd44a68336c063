package socialtest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// StartFacebook starts Graph's debug_token for apps with their secrets.
func StartFacebook(t testing.TB, now func() time.Time, apps map[string]string) *Fake {
	t.Helper()
	return start(t, "/debug_token", now, apps, facebook)
}

// facebook answers as in the documentation of debug_token, of access tokens and of error codes.
func facebook(f *Fake, r *http.Request) (int, any) {
	fail := func(status, code int, kind, message string) (int, any) {
		return status, object{"error": object{"message": message, "type": kind, "code": code, "fbtrace_id": "AbCdEf123"}}
	}
	switch f.current() {
	case Broken:
		return fail(500, 1, "OAuthException", "An unknown error has occurred.")
	case Limited:
		return fail(400, 4, "OAuthException", "(#4) Application request limit reached")
	}
	app, secret, _ := strings.Cut(r.Form.Get("access_token"), "|")
	if want, ok := f.secrets[app]; !ok || want != secret {
		return fail(400, 190, "OAuthException", "Invalid OAuth access token signature.")
	}
	t, ok := f.token(r.Form.Get("input_token"))
	if !ok {
		return 200, object{"data": object{
			"error": object{"code": 190, "message": "Invalid OAuth access token."}, "is_valid": false, "scopes": []string{},
		}}
	}
	if t.App != app {
		return fail(400, 100, "OAuthException", "(#100) The App_id in the input_token did not match the Viewing App")
	}
	return 200, object{"data": facebookData(f, f.confuse(t))}
}

func facebookData(f *Fake, t Token) object {
	data := object{
		"app_id": t.App, "type": "USER", "application": "Social Cafe", "data_access_expires_at": f.now().Unix() + 7776000,
		"expires_at": 0, "is_valid": true, "issued_at": f.now().Unix() - 60, "scopes": []string{"email", "public_profile"},
		"granular_scopes": []object{{"scope": "pages_show_list", "target_ids": []string{"134895793791914"}}}, "user_id": t.User,
	}
	if t.Kind != "" {
		data["type"] = t.Kind
	}
	if !t.Ends.IsZero() {
		data["expires_at"] = t.Ends.Unix()
	}
	refused := object{"code": 190, "message": "Error validating access token: The session has been invalidated.", "subcode": 460}
	if !t.Ends.IsZero() && !f.now().Before(t.Ends) {
		refused = object{"code": 190, "message": "Error validating access token: Session has expired.", "subcode": 463}
	} else if !t.Revoked {
		refused = nil
	}
	if refused != nil {
		data["is_valid"], data["error"] = false, refused
	}
	if t.User == "" {
		delete(data, "user_id")
	}
	return data
}

// StartAmazon starts tokeninfo of Login with Amazon.
func StartAmazon(t testing.TB, now func() time.Time) *Fake {
	t.Helper()
	return start(t, "/auth/o2/tokeninfo", now, nil, amazon)
}

func amazon(f *Fake, r *http.Request) (int, any) {
	switch f.current() {
	case Broken:
		return 500, object{"error": "server_error", "error_description": "The server encountered a runtime error"}
	case Limited:
		return 429, object{"error": "too_many_requests", "error_description": "Too many requests"}
	}
	t, ok := f.token(r.Form.Get("access_token"))
	if !ok || t.Revoked || !f.now().Before(t.Ends) {
		return 400, object{"error": "invalid_token", "error_description": "The access token provided is expired, revoked, malformed, or invalid"}
	}
	t = f.confuse(t)
	out := object{
		"iss": "https://www.amazon.com", "user_id": t.User, "aud": t.App, "app_id": "amzn1.application.436457DFHDH",
		"exp": int(t.Ends.Sub(f.now()).Seconds()), "iat": f.now().Unix() - 60,
	}
	if t.User == "" {
		delete(out, "user_id")
	}
	return 200, out
}

// StartTwitter starts verify_credentials for apps with their secrets, by consumer key.
func StartTwitter(t testing.TB, now func() time.Time, apps map[string]string) *Fake {
	t.Helper()
	return start(t, "/1.1/account/verify_credentials.json", now, apps, twitter)
}

func twitter(f *Fake, r *http.Request) (int, any) {
	fail := func(status, code int, message string) (int, any) {
		return status, object{"errors": []object{{"code": code, "message": message}}}
	}
	switch f.current() {
	case Broken:
		return fail(503, 130, "Over capacity")
	case Limited:
		return fail(429, 88, "Rate limit exceeded")
	}
	own := oauthHeader(r.Header.Get("Authorization"))
	t, ok := f.token(own.Get("oauth_token"))
	if !ok || t.Revoked {
		return fail(401, 89, "Invalid or expired token.")
	}
	if t.App != own.Get("oauth_consumer_key") || !f.signed(r, own, t) {
		return fail(401, 32, "Could not authenticate you.")
	}
	out := object{
		"id": 38895958, "id_str": f.confuse(t).User, "name": "Sean Cook", "screen_name": "theSeanCook", "protected": false,
		"verified": true, "created_at": "Sat May 09 17:58:22 +0000 2009", "lang": "en", "followers_count": 10622,
	}
	if f.current() == Nobody {
		delete(out, "id_str")
	}
	return 200, out
}

// oauthHeader reads an Authorization header of OAuth 1.0a.
func oauthHeader(text string) url.Values {
	out := url.Values{}
	text, _ = strings.CutPrefix(text, "OAuth ")
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		decoded, _ := url.PathUnescape(strings.Trim(value, `"`))
		out.Add(name, decoded)
	}
	return out
}

// signed checks the signature of a request (RFC 5849 §3.4.2).
func (f *Fake) signed(r *http.Request, own url.Values, t Token) bool {
	all := url.Values{}
	for name, values := range r.URL.Query() {
		all[name] = values
	}
	for name, values := range own {
		if name != "oauth_signature" {
			all[name] = values
		}
	}
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	base := r.Method + "&" + escape(f.URL) + "&" + escape(strings.ReplaceAll(all.Encode(), "+", "%20"))
	mac := hmac.New(sha1.New, []byte(escape(f.secrets[t.App])+"&"+escape(t.Secret)))
	mac.Write([]byte(base))
	return own.Get("oauth_signature") == base64.StdEncoding.EncodeToString(mac.Sum(nil)) && own.Get("oauth_nonce") != ""
}

// StartIntrospection starts the introspection endpoint of a user pool (RFC 7662), which wants the bearer token.
func StartIntrospection(t testing.TB, now func() time.Time, bearer string) *Fake {
	t.Helper()
	return start(t, "/introspect", now, map[string]string{"": bearer}, introspect)
}

func introspect(f *Fake, r *http.Request) (int, any) {
	switch f.current() {
	case Broken:
		return 500, object{"error": "server_error"}
	case Limited:
		return 429, object{"error": "slow_down"}
	case Nobody:
		return 200, object{"active": "true"}
	}
	if want := f.secrets[""]; want != "" && r.Header.Get("Authorization") != "Bearer "+want {
		return 401, object{"error": "invalid_client"}
	}
	if r.Method != http.MethodPost {
		return 405, object{"error": "invalid_request"}
	}
	t, ok := f.token(r.PostForm.Get("token"))
	if !ok || t.Revoked {
		return 200, object{"active": false}
	}
	return 200, object{"active": true, "sub": t.User, "token_type": "id_token"}
}
