package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestTextFill(t *testing.T) {
	c := new(Context)
	c.Set("cognito-identity.amazonaws.com:sub", "us-east-1:x")
	c.Set("aws:PrincipalTag/Team", "a*b")
	c.Set("aws:PrincipalTag/empty", "")
	c.SetList("cognito-identity.amazonaws.com:amr", "authenticated")
	quote := func(s string) (string, error) {
		if s == "a*b" {
			return "a${*}b", nil
		}
		return s, nil
	}
	for _, one := range []struct {
		text string
		wild bool
		want string // empty: unresolved
	}{
		{"plain", true, "plain"},
		{"arn:aws:s3:::b/${cognito-identity.amazonaws.com:SUB}/*", true, "arn:aws:s3:::b/us-east-1:x/*"},
		{"${aws:principaltag/TEAM}?", true, "a${*}b?"},
		{"${aws:PrincipalTag/none, 'all'}/**", true, "all/*"},
		{"a*", false, "a*"},
		{"${aws:PrincipalTag/none}", true, ""},
		{"${aws:PrincipalTag/empty}", true, ""},
		{"${cognito-identity.amazonaws.com:amr}", true, ""},
	} {
		text, err := ParseText(one.text, one.wild)
		if err != nil {
			t.Fatal(err)
		}
		got, err := text.Fill(c, quote)
		if _, unresolved := errors.AsType[*Unresolved](err); got != one.want || unresolved != (one.want == "") {
			t.Errorf("%s: got %q, %v, want %q", one.text, got, err, one.want)
		}
	}
	refuse := errors.New("refused")
	text, _ := ParseText("x${aws:PrincipalTag/team}", true)
	if _, err := text.Fill(c, func(s string) (string, error) { return "", refuse }); !errors.Is(err, refuse) {
		t.Errorf("got %v, want the refusal of the literal", err)
	}
	if _, err := ParseText("${open", true); err == nil {
		t.Error("got a text with an open variable")
	}
	if got := text.Variables(); !slices.Equal(got, []string{strings.ToLower("aws:PrincipalTag/team")}) {
		t.Errorf("got the variables %v", got)
	}
}
