package event

import (
	"regexp"
	"strings"
	"unicode"
)

// MakeLegible cleans the texts of an event that may repeat what a caller sent, such as the ARN of a role that nobody has.
func (r *Record) MakeLegible() {
	r.Message, r.Cause = legible(r.Message), legible(r.Cause)
	for i := range r.Steps {
		step := &r.Steps[i]
		step.Subject, step.Expected, step.Found = legible(step.Subject), legible(step.Expected), legible(step.Found)
	}
}

// secretForm is what looks like a secret in the wrong place: a long run of base64url, as in tokens, or a word of 40 letters
// of base64, as secret access keys are.
var secretForm = regexp.MustCompile(`[\w-]{65,}|(?:^|[ '"])[A-Za-z0-9+/]{40}(?:$|[ '".])`)

// legible cuts what looks like a secret, and replaces the characters that a terminal does not show, or that make it show
// something else than is there (security I8): JSON escapes control characters, but not those that turn the direction of
// writing.
func legible(text string) string {
	if plain(text) {
		return text
	}
	for range 2 { // one that begins where another ends, with one space between them, is found the second time
		text = secretForm.ReplaceAllStringFunc(text, cutSecret)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// cutSecret leaves the beginning, and the mark that ends it where there is one.
func cutSecret(found string) string {
	return found[:5] + "…" + found[len(strings.TrimRight(found, ` '".`)):]
}

// shortestSecret is the least that secretForm takes for a secret.
const shortestSecret = 40

// plain reports whether there is nothing to clean: all is visible ASCII, and no run of letters that secretForm counts is
// long enough. Nearly all texts are so, and the expression costs a hundred times as much to ask.
func plain(text string) bool {
	run := 0
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' {
			return false
		}
		if run++; !secretByte(c) {
			run = 0
		}
		if run >= shortestSecret {
			return false
		}
	}
	return true
}

// secretByte reports whether a byte is of the letters of secretForm's two runs.
func secretByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '_' || c == '-'
}
