package social

import (
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha1" // HMAC-SHA1 is what the provider takes
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// oauth is one request of OAuth 1.0a (RFC 5849).
type oauth struct {
	consumer, consumerSecret string
	token, tokenSecret       string
	nonce                    string
	timestamp                int64 // epoch seconds
}

// header returns the Authorization header of a request with the query. It fails where only approved cryptography may run,
// which HMAC-SHA1 is not.
func (o oauth) header(method, address string, query url.Values) (string, error) {
	if fips140.Enforced() {
		return "", errors.New("HMAC-SHA1 is not to be used in FIPS 140 mode")
	}
	own := [][2]string{
		{"oauth_consumer_key", o.consumer}, {"oauth_nonce", o.nonce}, {"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", strconv.FormatInt(o.timestamp, 10)}, {"oauth_token", o.token}, {"oauth_version", "1.0"},
	}
	own = append(own, [2]string{"oauth_signature", o.sign(method, address, own, query)})
	var out strings.Builder
	for i, p := range own {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString(percent(p[0]) + `="` + percent(p[1]) + `"`)
	}
	return "OAuth " + out.String(), nil
}

// sign returns the signature (§3.4.2).
func (o oauth) sign(method, address string, own [][2]string, query url.Values) string {
	mac := hmac.New(sha1.New, []byte(percent(o.consumerSecret)+"&"+percent(o.tokenSecret)))
	mac.Write([]byte(baseString(method, address, own, query)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// baseString returns the text that is signed (§3.4.1): the parameters are sorted by their encoded names and values.
func baseString(method, address string, own [][2]string, query url.Values) string {
	var all [][2]string
	for _, p := range own {
		all = append(all, [2]string{percent(p[0]), percent(p[1])})
	}
	for name, values := range query {
		for _, v := range values {
			all = append(all, [2]string{percent(name), percent(v)})
		}
	}
	slices.SortFunc(all, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	pairs := make([]string, len(all))
	for i, p := range all {
		pairs[i] = p[0] + "=" + p[1]
	}
	return method + "&" + percent(address) + "&" + percent(strings.Join(pairs, "&"))
}

// percent encodes a text as OAuth does (§3.6): everything but letters, digits and -._~.
func percent(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
