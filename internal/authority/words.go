package authority

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"idpool/internal/event"
)

// maxWords is how many characters of an authority's message an event shows.
const maxWords = 300

// jws is what looks like a token.
var jws = regexp.MustCompile(`[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)

// words are a failure in the authority's own words, for the event: without control characters, tokens and whole ids.
func (f *Failure) words() string {
	out := string(f.Why)
	if f.Cause != nil {
		out += ": " + f.Cause.Error()
	}
	if f.Status != 0 {
		out += fmt.Sprintf(": it answered %d", f.Status)
	}
	if f.Code != "" || f.Message != "" {
		out += fmt.Sprintf(" %s %q", shown(f.Code), shown(f.Message))
	}
	return out
}

func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > '~' {
			return '?'
		}
		return r
	}, s)
	s = event.CutIDs(jws.ReplaceAllString(s, "(a token)"))
	if len(s) > maxWords {
		s = s[:maxWords] + "…"
	}
	return s
}

// quoted takes what was sent out of a failure's words: the token, and what it says of the identity.
func (a *Authority) quoted(err error, token string, r *Request) error {
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		return err
	}
	said := []string{token, "(the token)", r.Claims.IdentityID, "(the identity)"}
	for _, k := range slices.Sorted(maps.Keys(r.Claims.Tags)) {
		said = append(said, r.Claims.Tags[k], "(a tag)")
	}
	for _, entry := range r.Claims.AMR[min(1, len(r.Claims.AMR)):] {
		said = append(said, entry, "(a login)")
	}
	var pairs []string
	for i := 0; i < len(said); i += 2 {
		if said[i] != "" {
			pairs = append(pairs, said[i], said[i+1])
		}
	}
	hide := strings.NewReplacer(pairs...)
	clean := *f
	clean.Message, clean.Code = hide.Replace(f.Message), hide.Replace(f.Code)
	return &clean
}
