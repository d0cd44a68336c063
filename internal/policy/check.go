package policy

import (
	"slices"
	"strings"
)

// check looks at the whole document for one fault after the other, in the order in which AWS finds them (spec §2.7):
// version, effect, elements, form of resources, Sids, actions, resources, names of actions.
func (s *source) check(kind Kind) error {
	vars := s.version == newVersion
	for _, step := range []func() error{
		s.checkVersion,
		s.each(checkEffect),
		s.each(func(st *Statement) error { return checkElements(kind, st) }),
		s.each(func(st *Statement) error { return checkResourceForms(st, vars) }),
		func() error { return s.checkSids(kind) },
		s.each(checkHasActions),
		s.each(func(st *Statement) error { return checkResources(kind, st, vars) }),
		s.each(func(st *Statement) error { return checkActions(kind, st) }),
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// each makes a step of a check of one statement.
func (s *source) each(check func(*Statement) error) func() error {
	return func() error {
		for i := range s.statements {
			if err := check(&s.statements[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *source) checkVersion() error {
	switch v := s.version; {
	case v == newVersion || v == oldVersion:
		return nil
	case len(v) == len(newVersion) && v < newVersion && allDigits(strings.ReplaceAll(v, "-", "")):
		return malformed(sentenceVersion, "version %q", clip(v))
	default:
		return syntax("version %q", clip(v))
	}
}

func checkEffect(s *Statement) error {
	if s.Effect != "Allow" && s.Effect != "Deny" {
		return syntax("effect %q", clip(s.Effect))
	}
	return nil
}

// checkElements holds a statement to what its kind must and must not have. NotPrincipal with Allow would let in whoever
// is not on a list, and NotAction in a trust policy whatever STS will learn: both are refused.
func checkElements(kind Kind, s *Statement) error {
	principal, resource := s.has&hasPrincipal != 0, s.has&hasResource != 0
	switch {
	case kind == KindTrust && resource && s.NotResource:
		return malformed("Has prohibited field NotResource.", "NotResource")
	case kind == KindTrust && resource:
		return malformed(sentenceTrustResource, "Resource")
	case (kind == KindTrust || kind == KindResource) && !principal:
		return malformed(sentenceNoPrincipal, "no principal")
	case kind != KindTrust && kind != KindResource && principal:
		return malformed(sentenceWantedPrincipal, "principal")
	case s.NotPrincipal && (kind == KindTrust || s.Effect == "Allow"):
		return syntax("NotPrincipal")
	case kind == KindTrust && s.NotAction:
		return malformed(sentenceTrustActions, "NotAction")
	}
	return nil
}

func checkResourceForms(s *Statement, vars bool) error {
	for _, text := range s.Resources {
		if err := checkResourceForm(text, vars); err != nil {
			return err
		}
	}
	return nil
}

// checkSids wants them unique, and in IAM's documents alphanumeric.
func (s *source) checkSids(kind Kind) error {
	seen := make(map[string]bool)
	for _, st := range s.statements {
		if kind != KindResource && strings.ContainsFunc(st.Sid, notAlphanumeric) {
			return malformed(sentenceSidForm, "sid %q", clip(st.Sid))
		}
		if st.Sid != "" && seen[st.Sid] {
			return malformed(sentenceSidUnique, "sid %q", clip(st.Sid))
		}
		seen[st.Sid] = true
	}
	return nil
}

func notAlphanumeric(c rune) bool {
	return !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
}

func checkHasActions(s *Statement) error {
	if len(s.Actions) == 0 {
		return malformed(sentenceNoActions, "no action")
	}
	return nil
}

func checkResources(kind Kind, s *Statement, vars bool) error {
	if kind != KindTrust && len(s.Resources) == 0 {
		return malformed(sentenceNoResources, "no resource")
	}
	for _, text := range s.Resources {
		if _, err := compileResource(text, vars); err != nil {
			return err
		}
	}
	return nil
}

func checkActions(kind Kind, s *Statement) error {
	for _, text := range s.Actions {
		if err := checkAction(text); err != nil {
			return err
		}
		if kind == KindTrust && !validTrustAction(text) {
			return malformed(sentenceTrustActions, "action %q", clip(text))
		}
	}
	return nil
}

// checkAction wants * or vendor:name. Wildcards may stand in both halves.
func checkAction(text string) error {
	if text == "*" {
		return nil
	}
	vendor, name, found := strings.Cut(text, ":")
	switch {
	case !found:
		return malformed(sentenceNoVendor, "action %q", clip(text))
	case strings.Contains(name, ":"):
		return malformed(sentenceTwoColons, "action %q", clip(text))
	case vendor == "" || holdsOther(vendor, "-.*?"):
		return malformed("Vendor "+clip(vendor)+" is not valid", "action %q", clip(text))
	case name == "" || holdsOther(name, "-._*?"):
		return syntax("action %q", clip(text))
	}
	return nil
}

// holdsOther reports whether s holds anything but letters, digits and the marks.
func holdsOther(s, marks string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return notAlphanumeric(c) && !strings.ContainsRune(marks, c) })
}

// trustActions are what a trust policy may speak of besides a wildcard of sts (spec §2.7).
var trustActions = []string{
	"assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "tagsession", "setsourceidentity", "setcontext",
	"getfederationtoken",
}

func validTrustAction(text string) bool {
	vendor, name, _ := strings.Cut(strings.ToLower(text), ":")
	return vendor == "sts" && (strings.ContainsAny(name, "*?") || slices.Contains(trustActions, name))
}
