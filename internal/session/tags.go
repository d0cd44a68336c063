package session

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"idpool/internal/policy"
)

// The limits of session tags (spec sts-iam §1.3).
const (
	maxTags     = 50
	maxTagKey   = 128 // characters
	maxTagValue = 256 // characters
)

// CheckTags refuses what cannot be session tags: too many, keys that differ in case alone or begin with aws:, and
// lengths or characters that tags do not have. Keys are folded as policies fold them, or one could stand beside another
// that a policy takes it for. The error names the key.
func CheckTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fmt.Errorf("more than %d tags", maxTags)
	}
	seen := map[string]bool{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		folded := policy.FoldKey(k)
		if k == "" || seen[folded] || strings.HasPrefix(folded, "aws:") || !fits(k, maxTagKey) || !fits(tags[k], maxTagValue) {
			return errors.New(k)
		}
		seen[folded] = true
	}
	return nil
}

// TransitiveKeys returns the keys as the tags write them, sorted and once each, and whether all are keys of tags. Keys are
// compared without case (spec sts-iam §1.8).
func TransitiveKeys(keys []string, tags map[string]string) ([]string, bool) {
	var out []string
	for _, key := range keys {
		found := false
		for k := range tags {
			if strings.EqualFold(k, key) {
				out, found = append(out, k), true
			}
		}
		if !found {
			return nil, false
		}
	}
	slices.Sort(out)
	return slices.Compact(out), true
}

// TagText reports whether s has only characters of tags, of sessions, pools, roles and whatever else: letters, spaces and
// numbers of any script, and _ . : / = + - @. None of them means anything in a pattern of a policy.
func TagText(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Z, r) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}

func fits(s string, most int) bool { return TagText(s) && utf8.RuneCountInString(s) <= most }

var sourceIdentity = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// ValidSourceIdentity reports whether s can be a source identity (spec sts-iam §1.3).
func ValidSourceIdentity(s string) bool {
	return sourceIdentity.MatchString(s) && !strings.HasPrefix(strings.ToLower(s), "aws:")
}

// Override returns the tags with those of a session in the place of any with the same key, without regard to case (spec
// sts-iam §1.8).
func Override(tags map[string]string, by []Tag) map[string]string {
	out := maps.Clone(tags)
	if out == nil {
		out = map[string]string{}
	}
	for _, t := range by {
		maps.DeleteFunc(out, func(k, _ string) bool { return strings.EqualFold(k, t.Key) })
		out[t.Key] = t.Value
	}
	return out
}
