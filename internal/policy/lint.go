package policy

import "slices"

// actionWebIdentity is what a federated principal is trusted for.
const actionWebIdentity = "sts:AssumeRoleWithWebIdentity"

// TrustsFederated reports whether a statement of a trust policy allows sts:AssumeRoleWithWebIdentity to the federated
// principal.
func (d *Document) TrustsFederated(federated string) bool {
	for range d.trusting(federated) {
		return true
	}
	return false
}

// FederatedWithout reports whether a statement allows sts:AssumeRoleWithWebIdentity to the federated principal without
// binding the condition key to fixed values: a trust that any user of a shared issuer could use (threat E5). See Pins for
// what binds.
func (d *Document) FederatedWithout(federated, key string) bool {
	_, all := d.Pins(federated, key)
	return !all
}

// Pins returns the values to which the statements that allow sts:AssumeRoleWithWebIdentity to the federated principal bind
// the condition key, and whether all of these statements do. A key is bound by StringEquals, or by StringLike without
// wildcards, alone or with ForAnyValue. Not by a variable, IfExists or ForAllValues, which hold without the key.
func (d *Document) Pins(federated, key string) (values []string, all bool) {
	all = true
	for i := range d.trusting(federated) {
		bound := d.bound(i, foldKey(key))
		all = all && len(bound) > 0
		values = append(values, bound...)
	}
	slices.Sort(values)
	return slices.Compact(values), all
}

// trusting yields the places of the statements that let the federated principal in.
func (d *Document) trusting(federated string) func(yield func(int) bool) {
	p := Principal{Federated: federated}
	return func(yield func(int) bool) {
		for i := range d.rules {
			r := &d.rules[i]
			if d.kind != KindTrust || r.deny || !r.onAction(actionWebIdentity) || r.names.match(&p) == unnamed {
				continue
			}
			if !yield(i) {
				return
			}
		}
	}
}

// bound returns the fixed values of the conditions of a statement that bind the folded key.
func (d *Document) bound(statement int, key string) (values []string) {
	for i := range d.rules[statement].conditions {
		c := &d.rules[statement].conditions[i]
		text, ok := c.operand.(*stringValues)
		if !ok || c.key != key || c.negated || c.ifExists || c.set == forAll || text.compare != exact {
			continue
		}
		if slices.ContainsFunc(text.patterns, func(p pattern) bool { return !p.isLiteral() }) {
			continue
		}
		for j := range text.patterns {
			values = append(values, text.patterns[j].literal())
		}
	}
	return values
}

// ContextKeys lists the condition keys and variables that the document speaks of, lower-case, sorted, each once: a caller
// may fetch what is dear only where it is asked for.
func (d *Document) ContextKeys() []string {
	var keys []string
	for i := range d.rules {
		r := &d.rules[i]
		for j := range r.resources {
			keys = r.resources[j].arn.keys(keys)
		}
		for j := range r.conditions {
			keys = append(keys, r.conditions[j].key)
			keys = operandKeys(keys, r.conditions[j].operand)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func operandKeys(keys []string, o operand) []string {
	switch v := o.(type) {
	case *stringValues:
		return patternKeys(keys, v.patterns)
	case *booleanValues:
		return patternKeys(keys, v.patterns)
	case *arnValues:
		for i := range v.arns {
			keys = v.arns[i].keys(keys)
		}
		return patternKeys(keys, v.whole)
	}
	return keys
}

func (p *arnPattern) keys(keys []string) []string { return patternKeys(keys, p.parts[:]) }

func patternKeys(keys []string, patterns []pattern) []string {
	for i := range patterns {
		for _, t := range patterns[i].tokens {
			if t.kind == variable {
				keys = append(keys, t.key)
			}
		}
	}
	return keys
}
