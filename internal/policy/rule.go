package policy

import "strings"

// rule is a compiled statement.
type rule struct {
	deny        bool
	names       names
	actions     []pattern // lower case
	notAction   bool
	resources   []resource // nil in trust policies, where the role itself is the resource
	notResource bool
	conditions  []condition
}

// applies returns how closely the caller is named if every part of the rule matches, else unnamed.
func (r *rule) applies(q *question) grade {
	if !r.onAction(q.action) {
		return unnamed
	}
	g := r.names.match(q.principal)
	if g == unnamed || !r.onResource(q) {
		return unnamed
	}
	for i := range r.conditions {
		if !r.conditions[i].holds(q.context) {
			return unnamed
		}
	}
	return g
}

func (r *rule) onAction(action string) bool {
	for i := range r.actions {
		if r.actions[i].match(lowerCase, action, nil) {
			return !r.notAction
		}
	}
	return r.notAction
}

func (r *rule) onResource(q *question) bool {
	if r.resources == nil {
		return true
	}
	for i := range r.resources {
		if r.resources[i].match(q) {
			return !r.notResource
		}
	}
	return r.notResource
}

// compile makes a rule of each statement. The errors here come last in AWS's order (spec §2.7).
func (s *source) compile(kind Kind) ([]rule, error) {
	vars := s.version == newVersion
	rules := make([]rule, len(s.statements))
	for i := range s.statements {
		if err := rules[i].compile(kind, &s.statements[i], vars); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func (r *rule) compile(kind Kind, s *Statement, vars bool) (err error) {
	r.deny, r.notAction, r.notResource = s.Effect == "Deny", s.NotAction, s.NotResource
	if r.names, err = compileNames(kind, s); err != nil {
		return err
	}
	for _, text := range s.Actions {
		p, err := compilePattern(strings.ToLower(text), true, false)
		if err != nil {
			return err
		}
		r.actions = append(r.actions, p)
	}
	for _, text := range s.Resources {
		p, err := compileResource(text, vars)
		if err != nil {
			return err
		}
		r.resources = append(r.resources, p)
	}
	for i := range s.Conditions {
		c, err := compileCondition(&s.Conditions[i], vars)
		if err != nil {
			return err
		}
		r.conditions = append(r.conditions, c)
	}
	return nil
}
