package session

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTagText: one rule for tags, that of the API models, for every character there is.
func TestTagText(t *testing.T) {
	model := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if s := string(r); utf8.ValidRune(r) && TagText(s) != model.MatchString(s) {
			t.Errorf("%U: got %v", r, TagText(s))
		}
	}
	for _, s := range []string{"\xff", "a\x80", "*", "?", "${x}", "{", "\\", "\n"} {
		if TagText(s) {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestCheckTags(t *testing.T) {
	many := map[string]string{}
	for i := range 51 {
		many[strings.Repeat("k", i+1)] = ""
	}
	for name, tc := range map[string]struct {
		tags map[string]string
		ok   bool
	}{
		"none": {nil, true}, "an empty value": {map[string]string{"k": ""}, true}, "no key": {map[string]string{"": "v"}, false},
		"longest": {map[string]string{strings.Repeat("é", 128): strings.Repeat("é", 256)}, true}, "fifty-one": {many, false},
		"long key": {map[string]string{strings.Repeat("k", 129): ""}, false}, "long value": {map[string]string{"k": strings.Repeat("v", 257)}, false},
		"same key": {map[string]string{"k": "", "K": ""}, false}, "the long s": {map[string]string{"class": "", "claſs": ""}, false}, "the sign of kelvin": {map[string]string{"k": "", "\u212a": ""}, false},
		"of AWS, with the long s": {map[string]string{"awſ:k": ""}, false}, "of AWS": {map[string]string{"Aws:k": ""}, false}, "not of AWS": {map[string]string{"aws": "", "a:aws:": ""}, true},
	} {
		if err := CheckTags(tc.tags); (err == nil) != tc.ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTransitiveKeys(t *testing.T) {
	tags := map[string]string{"Team": "", "cost": ""}
	for name, tc := range map[string]struct {
		keys []string
		want string
		ok   bool
	}{
		"none": {nil, "", true}, "one": {[]string{"cost"}, "cost", true}, "another case": {[]string{"TEAM"}, "Team", true},
		"twice": {[]string{"cost", "Cost", "team"}, "Team cost", true}, "no tag": {[]string{"cost", "x"}, "", false}, "an empty one": {[]string{""}, "", false},
	} {
		if got, ok := TransitiveKeys(tc.keys, tags); strings.Join(got, " ") != tc.want || ok != tc.ok {
			t.Errorf("%s: got %q, %v", name, got, ok)
		}
	}
}
