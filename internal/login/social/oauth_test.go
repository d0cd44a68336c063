package social

import (
	"net/url"
	"strings"
	"testing"
)

// TestSign has the example of RFC 5849 §1.2, and the one in Twitter's documentation of signatures.
func TestSign(t *testing.T) {
	for _, c := range []struct {
		name, method, address string
		query                 url.Values
		own                   [][2]string
		o                     oauth
		want                  string
	}{
		{
			"RFC 5849", "GET", "http://photos.example.net/photos",
			url.Values{"file": {"vacation.jpg"}, "size": {"original"}},
			[][2]string{
				{"oauth_consumer_key", "dpf43f3p2l4k3l03"}, {"oauth_token", "nnch734d00sl2jdk"}, {"oauth_signature_method", "HMAC-SHA1"},
				{"oauth_timestamp", "137131202"}, {"oauth_nonce", "chapoH"},
			},
			oauth{consumerSecret: "kd94hf93k423kf44", tokenSecret: "pfkkdhi9sl3r4s00"},
			"MdpQcU8iPSUjWoN/UDMsK2sui9I=",
		},
		{
			"Twitter", "POST", "https://api.twitter.com/1/statuses/update.json",
			url.Values{"status": {"Hello Ladies + Gentlemen, a signed OAuth request!"}, "include_entities": {"true"}},
			[][2]string{
				{"oauth_consumer_key", "xvz1evFS4wEEPTGEFPHBog"}, {"oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"},
				{"oauth_signature_method", "HMAC-SHA1"}, {"oauth_timestamp", "1318622958"},
				{"oauth_token", "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"}, {"oauth_version", "1.0"},
			},
			oauth{consumerSecret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw", tokenSecret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"},
			"tnnArxj06cWHq44gCs1OSKk/jLY=",
		},
	} {
		if got := c.o.sign(c.method, c.address, c.own, c.query); got != c.want {
			t.Errorf("%s: got %s, want %s; the base string is %s", c.name, got, c.want, baseString(c.method, c.address, c.own, c.query))
		}
	}
}

// TestBaseString is the sorting of RFC 5849 §3.4.1.3.2: by encoded name, then by encoded value.
func TestBaseString(t *testing.T) {
	got := baseString("GET", "http://example.com/request", [][2]string{{"oauth_nonce", "n"}}, url.Values{
		"b5": {"=%3D"}, "a3": {"a", "2 q"}, "c@": {""}, "a2": {"r b"}, "c2": {""},
	})
	want := "GET&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_nonce%3Dn"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPercent(t *testing.T) {
	const all = "AZaz09-._~ +%&=;/\"é\x00*'()!"
	if got, want := percent(all), "AZaz09-._~%20%2B%25%26%3D%3B%2F%22%C3%A9%00%2A%27%28%29%21"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestHeader: no part of a header can become another one.
func TestHeader(t *testing.T) {
	got, err := oauth{consumer: `a",oauth_token="x`, token: "t\r\n", nonce: "n", timestamp: 5}.header("GET", "https://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got, "\r") || strings.Count(got, `"`) != 14 || !strings.HasPrefix(got, `OAuth oauth_consumer_key="a%22%2Coauth_token%3D%22x", oauth_nonce="n", `) {
		t.Errorf("got %s", got)
	}
}
