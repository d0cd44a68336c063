package social

import (
	"testing"

	"idpool/internal/fetch"
	"idpool/internal/login"
)

// FuzzJudge: whatever a provider answers, there is a login or a refusal, not both; and a login is for the pool's app, for a
// user that can be one, for some time.
func FuzzJudge(f *testing.F) {
	for _, body := range []string{
		`{"data":{"app_id":"app","type":"USER","is_valid":true,"expires_at":2000000000,"user_id":"1"}}`,
		`{"data":{"app_id":1,"type":"USER","is_valid":true,"expires_at":0,"user_id":1.5}}`,
		`{"data":{"error":{"code":190},"is_valid":false}}`, `{"error":{"code":100}}`, `{"error":[]}`,
		`{"iss":"https://www.amazon.com","aud":"app","user_id":"amzn1","exp":3597}`, `{"error":"invalid_token"}`,
		`{"id_str":"1"}`, `{"errors":[{"code":89}]}`, `{"errors":[1]}`, `[]`, ``, `{"data":null}`,
	} {
		for _, status := range []int{200, 400, 401} {
			f.Add(body, status)
		}
	}
	settings := login.Settings{}
	var providers []*login.Provider
	for _, key := range []string{"graph.facebook.com", "www.amazon.com", "api.twitter.com"} {
		providers = append(providers, settings.Public(key, "app", login.NewSecret("s")))
	}
	f.Fuzz(func(t *testing.T, body string, status int) {
		for _, p := range providers {
			kind, _ := services(p.Kind)
			members, expires, refusal := kind.judge(p, &fetch.Answer{Status: status, Body: []byte(body)}, noon)
			if refusal != nil {
				continue
			}
			l, refusal := vouched(p, members, expires)
			switch {
			case refusal != nil && l != nil, refusal == nil && l == nil:
				t.Errorf("%s: got %v and %v", p.Key, l, refusal)
			case l != nil && (l.Audience != "app" || !login.IsSubject(l.Subject) || !l.Expires.After(noon) || status != 200):
				t.Errorf("%s: got %+v at the status %d", p.Key, l, status)
			}
		}
	})
}
