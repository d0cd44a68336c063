package event

import (
	"regexp"
	"strings"
	"unicode"
)

// MakeLegible cleans the texts of an event that may repeat what a caller sent, such as the ARN of a role that nobody has.
func (r *Record) MakeLegible() {
	texts := []*string{&r.Message, &r.Cause}
	for i := range r.Steps {
		step := &r.Steps[i]
		texts = append(texts, &step.Subject, &step.Expected, &step.Found)
	}
	for _, text := range texts {
		*text = legible(*text)
	}
}

// secretForm is what looks like a secret in the wrong place: a long run of base64url, as in tokens, or a word of 40 letters
// of base64, as secret access keys are.
var secretForm = regexp.MustCompile(`[\w-]{65,}|(?:^|[ '"])[A-Za-z0-9+/]{40}(?:$|[ '".])`)

// legible cuts what looks like a secret, and replaces the characters that a terminal does not show, or that make it show
// something else than is there (security I8): JSON escapes control characters, but not those that turn the direction of
// writing.
func legible(text string) string {
	text = secretForm.ReplaceAllStringFunc(text, func(found string) string { return found[:5] + "…" })
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
