package arn

import (
	"regexp"
	"strings"
	"testing"
)

func TestAccountOf(t *testing.T) {
	for id, want := range map[string]string{
		"ASIAY34FZKBOKMUTVV7A": "609629065308", // spec §1.6
		"ASIAQNZGKIQY56JQ7WML": "029608264753",
		"AKIAIOSFODNN7EXAMPLE": "", // of the old form
		"ASIA":                 "",
		"ASIAY34FZKBOKMUTVV7a": "",
	} {
		got, ok := AccountOf(id)
		if ok != (want != "") || ok && got != want {
			t.Errorf("AccountOf(%q) = %q, %v; want %q", id, got, ok, want)
		}
	}
}

func TestAccessKeyIDCarriesItsAccount(t *testing.T) {
	for _, account := range []string{"000000000000", "000000000001", "111122223333", "999999999999"} {
		for _, random := range [][5]byte{{}, {255, 255, 255, 255, 255}, {1, 2, 3, 4, 5}} {
			id, err := AccessKeyID(PrefixSession, account, random)
			if err != nil || len(id) != 20 || id[4] < 'Q' && id[4] > '7' {
				t.Fatalf("AccessKeyID(%s) = %q, %v", account, id, err)
			}
			if got, ok := AccountOf(id); !ok || got != account {
				t.Errorf("AccountOf(%q) = %q, %v; want %q", id, got, ok, account)
			}
		}
	}
	for _, bad := range []string{"", "12345", "1234567890123", "12345678901x", "+12345678901"} {
		if id, err := AccessKeyID(PrefixSession, bad, [5]byte{}); err == nil {
			t.Errorf("AccessKeyID(%q) = %q, want an error", bad, id)
		}
	}
}

func TestID(t *testing.T) {
	v4 := regexp.MustCompile(`^eu-west-1:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, random := range [][16]byte{{}, {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}} {
		if id := ID("eu-west-1", random); !v4.MatchString(id) || Region(id) != "eu-west-1" {
			t.Errorf("ID = %q", id)
		}
	}
}

func TestProviderID(t *testing.T) {
	form := regexp.MustCompile(`^[A-Z0-9]{26}$`)
	if a, b := ProviderID([16]byte{}), ProviderID([16]byte{15: 1}); !form.MatchString(a) || !form.MatchString(b) || a == b {
		t.Errorf("ProviderID = %q, %q", a, b)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "arn", "arn:aws:iam::1", "arn:aws:iam::1:", "arn::iam::1:role/r", "arn:aws:::1:role/r", "ARN:aws:iam::1:role/r",
		"arn:aws:iam::1:role/*", "arn:aws:iam::1:role/?", "arn:aws:iam::1:role/r\n", " arn:aws:iam::1:role/r", "arn:aws:iam::1:role/é",
	} {
		if a, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", s, a)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("arn:aws:iam::111122223333:role/path/R")
	f.Add(Pool("us-east-1", "111122223333", "us-east-1:11111111-1111-4111-8111-111111111111"))
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err == nil && a.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, a.String())
		}
		if err == nil && strings.ContainsAny(s, "*?\n ") {
			t.Errorf("Parse(%q) accepts a wildcard or a space", s)
		}
	})
}
