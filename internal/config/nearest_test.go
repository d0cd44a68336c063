package config

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	var all []string
	for _, r := range table {
		all = append(all, r.key)
	}
	for in, want := range map[string]string{
		"trusted_proxy":          "trusted_proxies",
		"lsiten":                 "listen",
		"tsl":                    "tls",
		"publicURL":              "public_url",
		"public-url":             "public_url",
		"account":                "account_id",
		"accountid":              "account_id",
		"keyfile":                "key_file",
		"regoin":                 "region",
		"limits.body_byte":       "limits.body_bytes",
		"classic_flow":           "classic_flow_when_unset",
		"connections_per_client": "limits.connections_per_client",
		"frobnicate":             "",
		"x":                      "",
		"":                       "",
		"lo":                     "log",
		"l":                      "",
	} {
		if got := nearest(in, all); got != want {
			t.Errorf("nearest %q: got %q, want %q", in, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"abcd", "badc", 2},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, {"listen", "silent", 4},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance %q %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestDistanceIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-d_]{0,8}`).Draw(t, "a")
		other := rapid.StringMatching(`[a-d_]{0,8}`).Draw(t, "b")
		got := distance(word, other)
		if got != distance(other, word) || (got == 0) != (word == other) || got > max(len(word), len(other)) {
			t.Errorf("got %d for %q and %q", got, word, other)
		}
		i := rapid.IntRange(0, len(word)).Draw(t, "i")
		if got := distance(word, string(slices.Insert([]byte(word), i, 'x'))); got != 1 {
			t.Errorf("got %d for a letter more in %q, want 1", got, word)
		}
	})
}
