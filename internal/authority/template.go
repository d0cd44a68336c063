package authority

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"idpool/internal/login"
	"idpool/internal/policy"
)

// The variables of a template, beside ${aws:PrincipalTag/KEY}.
const (
	varIdentity = login.OwnIssuer + ":sub" // the identity's id
	varPool     = login.OwnIssuer + ":aud" // the pool's id
	// varGUID is the identity's id after its colon, for authorities that take no colon.
	varGUID = "idpool:guid"
	tagKey  = "aws:principaltag/"
)

// Template is a session policy with variables. What an authority gets has values in their place, since it does not know
// our variables, and knows its own as it likes.
//
// It is a policy of version 2012-10-17. Statements have Action and Resource and not their opposites, of which some
// authorities take no notice; variables stand in resources and in the values of string and ARN conditions.
type Template struct {
	dialect    *Dialect
	statements []statement
}

type statement struct {
	deny       bool
	actions    []string
	resources  []policy.Text
	conditions []condition
}

type condition struct {
	operator, key string
	values        []policy.Text
}

// ParseTemplate reads a template for a dialect. For a guest its permissions are held to the guests' scope-down.
func ParseTemplate(text []byte, d *Dialect, guest bool) (*Template, error) {
	document, err := policy.Parse(policy.KindSession, text)
	if err != nil {
		return nil, err
	}
	if document.Version() != "2012-10-17" {
		return nil, errors.New(`the policy needs "Version": "2012-10-17", without which it has no variables`)
	}
	t := &Template{dialect: d}
	for i, written := range document.Statements() {
		s, err := d.statement(&written, guest)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i, err)
		}
		if len(s.actions) > 0 {
			t.statements = append(t.statements, s)
		}
	}
	return t, t.rehearse()
}

// GuestTemplate is the template of guests where the configuration has none: the scope-down alone.
func GuestTemplate(d *Dialect) *Template {
	everything, err := policy.ParseText("*", true)
	if err != nil {
		panic(err) // a text of ours
	}
	return &Template{dialect: d, statements: []statement{{actions: d.guestActions(), resources: []policy.Text{everything}}}}
}

func (d *Dialect) statement(written *policy.Statement, guest bool) (s statement, err error) {
	if written.NotAction || written.NotResource {
		return s, errors.New("NotAction and NotResource are not supported here; write Action and Resource")
	}
	s.deny, s.actions = written.Effect == "Deny", written.Actions
	for _, action := range s.actions {
		if !d.knows(action) && action != "*" {
			return s, fmt.Errorf("the action %s is of a service that kind %s does not have", action, d.Kind)
		}
	}
	if guest && !s.deny {
		if s.actions, err = withinAll(s.actions, d.guestActions()); err != nil {
			return s, err
		}
	}
	for _, text := range written.Resources {
		r, err := template(text, true)
		if err != nil {
			return s, fmt.Errorf("resource %s: %w", text, err)
		}
		s.resources = append(s.resources, r)
	}
	for _, c := range written.Conditions {
		one, err := conditionOf(&c)
		if err != nil {
			return s, fmt.Errorf("condition on %s: %w", c.Key, err)
		}
		s.conditions = append(s.conditions, one)
	}
	return s, nil
}

// template cuts a text at its variables, all of which must be known.
func template(text string, wild bool) (policy.Text, error) {
	t, err := policy.ParseText(text, wild)
	if err != nil {
		return t, err
	}
	for _, name := range t.Variables() {
		if !slices.Contains([]string{policy.FoldKey(varIdentity), policy.FoldKey(varPool), varGUID}, name) && !strings.HasPrefix(name, tagKey) {
			return t, fmt.Errorf("${%s} is not known here; there are ${%s}, ${%s}, ${%s} and ${aws:PrincipalTag/KEY}", name, varIdentity, varPool, varGUID)
		}
	}
	return t, nil
}

func conditionOf(c *policy.Condition) (condition, error) {
	kind := c.Operator[strings.IndexByte(c.Operator, ':')+1:]
	text := strings.HasPrefix(kind, "String") || strings.HasPrefix(kind, "Arn")
	out := condition{operator: c.Operator, key: c.Key}
	for _, v := range c.Values {
		wild := text && (strings.Contains(kind, "Like") || strings.HasPrefix(kind, "Arn"))
		t, err := template(v, wild)
		if err != nil {
			return out, err
		}
		if !text && len(t.Variables()) > 0 {
			return out, errors.New("variables stand in values of string and ARN conditions alone")
		}
		out.values = append(out.values, t)
	}
	return out, nil
}

// rehearse fills the template for an identity as they all are, so that what can never be written is found at the start.
func (t *Template) rehearse() error {
	sample := Keys(sampleIdentity, sampleIdentity, nil)
	for _, s := range t.statements {
		for _, r := range s.resources {
			for _, name := range r.Variables() {
				sample.Set(name, sampleValue(name))
			}
		}
		for _, c := range s.conditions {
			for _, v := range c.values {
				for _, name := range v.Variables() {
					sample.Set(name, sampleValue(name))
				}
			}
		}
	}
	_, err := t.Fill(sample)
	return err
}

const sampleIdentity = "us-east-1:00000000-0000-0000-0000-000000000000"

func sampleValue(name string) string {
	switch {
	case name == varGUID:
		return guid(sampleIdentity)
	case strings.HasPrefix(name, tagKey):
		return "x"
	}
	return sampleIdentity
}

// guid is an id after its colon.
func guid(id string) string { return id[strings.IndexByte(id, ':')+1:] }

// Keys are the values of a template's variables: for an identity, its pool and its principal tags.
func Keys(identityID, poolID string, tags map[string]string) *policy.Context {
	c := new(policy.Context)
	c.Set(varIdentity, identityID)
	c.Set(varPool, poolID)
	c.Set(varGUID, guid(identityID))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		c.Set("aws:PrincipalTag/"+k, tags[k])
	}
	return c
}

// filled is a statement as the authority gets it.
type filled struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// Fill returns the policy with values in the place of variables, as compact JSON: Ceph takes no other. A permission
// whose variables have no value is left out, as AWS leaves it without effect; a prohibition never is. Errors name the
// reason and no value.
func (t *Template) Fill(keys *policy.Context) (string, error) {
	var out struct {
		Version   string
		Statement []filled
	}
	out.Version = "2012-10-17"
	for i := range t.statements {
		s := &t.statements[i]
		one, err := t.fill(s, keys)
		if _, unresolved := errors.AsType[*policy.Unresolved](err); unresolved && !s.deny {
			continue
		}
		if err != nil {
			return "", err
		}
		out.Statement = append(out.Statement, one)
	}
	if !slices.ContainsFunc(out.Statement, func(s filled) bool { return s.Effect == "Allow" }) {
		return "", errors.New("the session policy permits nothing: no statement that allows has values for its variables")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return "", err
	}
	return t.judge(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// judge holds a filled policy to the authority's limits, and reads it once more as a policy.
func (t *Template) judge(text []byte) (string, error) {
	if len(text) > t.dialect.MaxPolicy {
		return "", fmt.Errorf("the session policy has %d bytes, more than the %d that kind %s takes", len(text), t.dialect.MaxPolicy, t.dialect.Kind)
	}
	if _, err := policy.Parse(policy.KindSession, text); err != nil {
		return "", errors.New("the session policy cannot be written with these values")
	}
	return string(text), nil
}

// fill fills one statement. Of the resources of a permission those without a value are left out.
func (t *Template) fill(s *statement, keys *policy.Context) (filled, error) {
	out := filled{Effect: "Allow", Action: s.actions}
	if s.deny {
		out.Effect = "Deny"
	}
	var missing error
	for _, r := range s.resources {
		text, err := t.resource(r, keys)
		if _, unresolved := errors.AsType[*policy.Unresolved](err); unresolved && !s.deny {
			missing = err
			continue
		}
		if err != nil {
			return out, err
		}
		out.Resource = append(out.Resource, text)
	}
	if len(out.Resource) == 0 {
		return out, missing
	}
	for _, c := range s.conditions {
		if err := t.condition(&out, &c, keys); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (t *Template) resource(r policy.Text, keys *policy.Context) (string, error) {
	text, err := r.Fill(keys, t.dialect.literal)
	if err == nil && !t.dialect.colons && strings.Count(text, ":") > 5 {
		err = fmt.Errorf("kind %s takes no colon in a resource, and identity ids hold one: write ${%s}", t.dialect.Kind, varGUID)
	}
	return text, err
}

func (t *Template) condition(out *filled, c *condition, keys *policy.Context) error {
	var values []string
	for _, v := range c.values {
		text, err := v.Fill(keys, t.dialect.literal)
		if err != nil {
			return err
		}
		values = append(values, text)
	}
	if out.Condition == nil {
		out.Condition = map[string]map[string][]string{}
	}
	if out.Condition[c.operator] == nil {
		out.Condition[c.operator] = map[string][]string{}
	}
	out.Condition[c.operator][c.key] = values
	return nil
}

// escaped are the characters that mean something in a pattern.
var escaped = strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}")

// literal writes a text so that it stands for itself in a pattern of the dialect, or refuses it. A backslash is refused
// as well: some engines escape with it.
func (d *Dialect) literal(text string) (string, error) {
	switch {
	case strings.ContainsFunc(text, unicode.IsControl):
	case !strings.ContainsAny(text, `*?$\`):
		return text, nil
	case d.escapes && !strings.Contains(text, `\`):
		return escaped.Replace(text), nil
	}
	return "", fmt.Errorf("a value holds a character that cannot be written for kind %s: * ? $, a backslash or a control character", d.Kind)
}
