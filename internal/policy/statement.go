package policy

import "slices"

// Statement is a statement as it was written, for those who check or show policies. Decisions do not read it.
type Statement struct {
	Sid          string
	Effect       string // "Allow" or "Deny"
	Principals   []PrincipalName
	NotPrincipal bool // the principals are those of a NotPrincipal
	Actions      []string
	NotAction    bool
	Resources    []string
	NotResource  bool
	Conditions   []Condition
	has          element
}

// PrincipalName is one entry of a Principal: its type ("AWS", "Federated", "Service", "CanonicalUser") and its name.
// The principal "*" has the type "*".
type PrincipalName struct{ Type, Name string }

// Condition is one key under one operator. Numbers and booleans stand as they were written.
type Condition struct {
	Operator string // with its prefix and suffix, such as "ForAnyValue:StringLikeIfExists"
	Key      string
	Values   []string
}

// element is a set of the elements that a statement has, in the plain or in the Not form.
type element uint8

const (
	hasPrincipal element = 1 << iota
	hasAction
	hasResource
)

func (s Statement) clone() Statement {
	s.Principals = slices.Clone(s.Principals)
	s.Actions = slices.Clone(s.Actions)
	s.Resources = slices.Clone(s.Resources)
	s.Conditions = slices.Clone(s.Conditions)
	for i := range s.Conditions {
		s.Conditions[i].Values = slices.Clone(s.Conditions[i].Values)
	}
	return s
}
