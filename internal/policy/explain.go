package policy

import (
	"fmt"
	"strings"
)

// String names the kind as AWS does in its refusals.
func (k Kind) String() string {
	switch k {
	case KindIdentity:
		return "identity-based policy"
	case KindTrust:
		return "role trust policy"
	case KindSession, KindScopeDown:
		return "session policy"
	case KindBoundary:
		return "permissions boundary"
	case KindResource:
		return "resource-based policy"
	}
	return "policy"
}

// Because is the clause that AWS adds to "is not authorized to perform", such as "because no identity-based policy allows
// the s3:GetObject action" or "with an explicit deny in a session policy". It is empty where the decision allows.
func (d Decision) Because(action string) string {
	switch {
	case d.Allowed:
		return ""
	case !d.Explicit:
		return "because no " + d.Kind.String() + " allows the " + action + " action"
	case d.Kind == KindIdentity:
		return "with an explicit deny in an " + d.Kind.String()
	case d.Kind == KindTrust:
		return "with an explicit deny in the " + d.Kind.String()
	}
	return "with an explicit deny in a " + d.Kind.String()
}

// Step is what one statement, or one document that cannot be used, had to do with a request. It shows nothing of the
// request but its shape: which parts of the statement did not match, never the values that they were compared with.
type Step struct {
	Kind      Kind
	Policy    string // name of the policy
	Statement int    // counted from zero; -1 for a document that cannot be used
	Sid       string
	Effect    string // "Allow" or "Deny"
	Matched   bool
	Misses    []Miss // in the order action, principal, resource, condition
}

// Miss is a part of a statement that did not match.
type Miss struct {
	Part     string // "action", "principal", "resource", "condition", "document"
	Operator string // of a condition
	Key      string // of a condition, as the policy writes it
	Values   []string
	Absent   bool // the request does not have the condition's key
}

// Explain tells for each statement that came near whether it matched, and if not, which parts kept it from it. Near is
// where the action matches, or where the action alone does not. The steps come in the order in which Decide asks the
// policies. It is for people, not for the path of a request.
func (p *Policies) Explain(r *Request) []Step {
	q := r.question()
	var steps []Step
	for _, of := range []struct {
		kind Kind
		set  []Named
	}{{KindResource, p.Resource}, {KindIdentity, p.Identity}, {KindBoundary, p.Boundary}, {KindSession, p.Session}, {KindScopeDown, p.ScopeDown}} {
		steps = q.explain(steps, of.kind, of.set)
	}
	return steps
}

// ExplainTrust is Explain for what Trust decides.
func ExplainTrust(trust *Document, r *Request) []Step {
	q := r.question()
	return q.explain(nil, KindTrust, []Named{{Document: trust}})
}

func (q *question) explain(steps []Step, kind Kind, set []Named) []Step {
	for i := range set {
		d := set[i].Document
		if !d.fits(kind) {
			steps = append(steps, Step{Kind: kind, Policy: set[i].Name, Statement: -1, Effect: "Deny", Matched: true,
				Misses: []Miss{{Part: "document"}}})
			continue
		}
		for j := range d.rules {
			step := Step{Kind: kind, Policy: set[i].Name, Statement: j, Sid: d.statements[j].Sid, Effect: d.statements[j].Effect}
			step.Misses = q.misses(&d.rules[j], &d.statements[j])
			step.Matched = len(step.Misses) == 0
			if step.near() {
				steps = append(steps, step)
			}
		}
	}
	return steps
}

// misses lists the parts of a rule that do not match, with the text of the statement.
func (q *question) misses(r *rule, s *Statement) (all []Miss) {
	if !r.onAction(q.action) {
		all = append(all, Miss{Part: "action"})
	}
	if r.names.match(q.principal) == unnamed {
		all = append(all, Miss{Part: "principal"})
	}
	if !r.onResource(q) {
		all = append(all, Miss{Part: "resource"})
	}
	for i := range r.conditions {
		if c := &r.conditions[i]; !c.holds(q.context) {
			text := s.clone().Conditions[i]
			all = append(all, Miss{
				Part: "condition", Operator: text.Operator, Key: text.Key, Values: text.Values, Absent: !q.context.Has(text.Key),
			})
		}
	}
	return all
}

func (s *Step) near() bool { return len(s.Misses) < 2 || s.Misses[0].Part != "action" }

// String is the step as a sentence.
func (s Step) String() string {
	var b strings.Builder
	b.WriteString(s.Kind.String())
	if s.Policy != "" {
		fmt.Fprintf(&b, " %q", s.Policy)
	}
	if s.Statement < 0 {
		return b.String() + ": the document cannot be used, so everything is denied"
	}
	fmt.Fprintf(&b, ", statement %d", s.Statement)
	if s.Sid != "" {
		fmt.Fprintf(&b, " (%s)", s.Sid)
	}
	fmt.Fprintf(&b, ": %s ", s.Effect)
	if s.Matched {
		return b.String() + "matches"
	}
	b.WriteString("does not match: ")
	for i, m := range s.Misses {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(m.String())
	}
	return b.String()
}

// String is the miss as a part of a sentence.
func (m Miss) String() string {
	if m.Part != "condition" {
		return m.Part
	}
	text := fmt.Sprintf("condition %s on %s with %q", m.Operator, m.Key, m.Values)
	if m.Absent {
		text += ", a key that the request does not have"
	}
	return text
}
