package policy

import "strings"

// condition is one compiled key under one operator.
type condition struct {
	key      string // folded
	operand  operand
	set      quantifier
	ifExists bool
	negated  bool
	null     bool
}

// holds is the truth table of spec §2.3.
func (c *condition) holds(ctx *Context) bool {
	e, present := ctx.lookup(c.key)
	if c.null {
		v := c.operand.(nullValues)
		return v.absent && e.nothing(present) || v.present && !e.nothing(present)
	}
	if !present && c.ifExists {
		return true
	}
	switch c.set {
	case forAll:
		return e.nothing(present) || c.every(e.values, ctx)
	case forAny:
		return !e.nothing(present) && c.some(e.values, ctx)
	}
	if c.negated {
		return c.every(e.values, ctx) // no value matches: so with no value at all
	}
	return c.some(e.values, ctx)
}

// nothing reports whether a key is missing, or has no value but empty ones.
func (e *entry) nothing(present bool) bool { return !present || e.null }

// some reports whether a value satisfies the operator.
func (c *condition) some(values []string, ctx *Context) bool {
	for _, v := range values {
		if c.operand.match(v, ctx) != c.negated {
			return true
		}
	}
	return false
}

// every reports whether each value satisfies the operator.
func (c *condition) every(values []string, ctx *Context) bool {
	for _, v := range values {
		if c.operand.match(v, ctx) == c.negated {
			return false
		}
	}
	return true
}

// compileCondition compiles one key. Values that an operator cannot compare are refused: a Deny that never applies would
// go unnoticed.
func compileCondition(text *Condition, vars bool) (condition, error) {
	o, set, ifExists, ok := parseOperator(text.Operator)
	if !ok {
		return condition{}, syntax("condition operator %q", clip(text.Operator))
	}
	if i := strings.IndexByte(text.Key, ':'); i <= 0 || i == len(text.Key)-1 {
		return condition{}, malformed(sentenceNoVendor, "condition key %q", clip(text.Key))
	}
	values, err := o.compile(text.Values, o, vars)
	if err == errValue {
		return condition{}, malformed(sentenceLegacy, "condition %s on %q: %w", text.Operator, clip(text.Key), err)
	}
	if err != nil {
		return condition{}, syntax("condition %s on %q: %w", text.Operator, clip(text.Key), err)
	}
	return condition{
		key: foldKey(text.Key), operand: values, set: set, ifExists: ifExists, negated: o.negated, null: o.null,
	}, nil
}
