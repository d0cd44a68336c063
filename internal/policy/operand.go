package policy

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// operand is the compiled values of one key in a policy. match reports whether a value of the request matches any of
// them, by the positive form of the operator; a value that cannot be read as what the operator compares matches none.
type operand interface {
	match(value string, c *Context) bool
}

type (
	stringValues struct {
		compare  comparison
		patterns []pattern
	}
	arnValues struct {
		arns  []arnPattern
		whole []pattern // values that are one variable or more, to be an ARN only when it is known
	}
	numberValues struct {
		relation relation
		numbers  []number
	}
	dateValues struct {
		relation relation
		instants []instant
	}
	booleanValues struct {
		yes, no  bool
		patterns []pattern // values with variables
	}
	binaryValues  []string
	networkValues []netip.Prefix
	nullValues    struct{ absent, present bool }
)

func (v *stringValues) match(value string, c *Context) bool {
	for i := range v.patterns {
		if v.patterns[i].match(v.compare, value, c) {
			return true
		}
	}
	return false
}

func (v *arnValues) match(value string, c *Context) bool {
	parts, ok := splitARN(value)
	if !ok {
		return false
	}
	for i := range v.arns {
		if v.arns[i].match(&parts, c) {
			return true
		}
	}
	for i := range v.whole {
		if v.whole[i].match(exact, value, c) {
			return true
		}
	}
	return false
}

func (v *numberValues) match(value string, _ *Context) bool {
	n, ok := parseNumber(value)
	if !ok {
		return false
	}
	for _, m := range v.numbers {
		if v.relation.holds(n.compare(m)) {
			return true
		}
	}
	return false
}

func (v *dateValues) match(value string, _ *Context) bool {
	t, ok := parseInstant(value)
	if !ok {
		return false
	}
	for _, u := range v.instants {
		if v.relation.holds(t.compare(u)) {
			return true
		}
	}
	return false
}

func (v *booleanValues) match(value string, c *Context) bool {
	yes, ok := parseBool(value)
	switch {
	case !ok:
		return false
	case yes && v.yes || !yes && v.no:
		return true
	}
	for i := range v.patterns {
		if v.patterns[i].match(foldCase, value, c) {
			return true
		}
	}
	return false
}

func (v binaryValues) match(value string, _ *Context) bool { return slices.Contains(v, value) }

func (v networkValues) match(value string, _ *Context) bool {
	if strings.Contains(value, "%") {
		return false // a zone is of the peer's choice, and would be kept in memory
	}
	address, err := netip.ParseAddr(value)
	if err != nil {
		return false
	}
	address = address.Unmap()
	for _, network := range v {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// match is never asked: Null looks at the key.
func (v nullValues) match(string, *Context) bool { return false }

// parseBool reads true and false in any case.
func parseBool(s string) (value, ok bool) {
	value = strings.EqualFold(s, "true")
	return value, value || strings.EqualFold(s, "false")
}

func compileStrings(values []string, o operator, vars bool) (operand, error) {
	v := &stringValues{compare: o.compare}
	for _, text := range values {
		p, err := compilePattern(text, o.wild, vars)
		if err != nil {
			return nil, err
		}
		v.patterns = append(v.patterns, p)
	}
	return v, nil
}

var errARN = errors.New("value is no ARN")

func compileARNs(values []string, _ operator, vars bool) (operand, error) {
	v := &arnValues{}
	for _, text := range values {
		if err := v.add(text, vars); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// add compiles a value of six parts, or one that lacks parts because a variable is to bring them. What is neither could
// never match, or always by negation.
func (v *arnValues) add(text string, vars bool) error {
	if parts, ok := cutPattern(text, vars); ok {
		p, err := compileARN(parts, vars)
		v.arns = append(v.arns, p)
		return err
	}
	p, err := compilePattern(text, false, vars)
	if err == nil && (p.variables == 0 || strings.ContainsAny(text, "*?")) {
		err = errARN
	}
	v.whole = append(v.whole, p)
	return err
}

var errValue = errors.New("value does not fit the operator")

func compileNumbers(values []string, o operator, _ bool) (operand, error) {
	v := &numberValues{relation: o.relation}
	for _, text := range values {
		n, ok := parseNumber(text)
		if !ok {
			return nil, errValue
		}
		v.numbers = append(v.numbers, n)
	}
	return v, nil
}

func compileDates(values []string, o operator, _ bool) (operand, error) {
	v := &dateValues{relation: o.relation}
	for _, text := range values {
		t, ok := parseInstant(text)
		if !ok {
			return nil, errValue
		}
		v.instants = append(v.instants, t)
	}
	return v, nil
}

func compileBooleans(values []string, _ operator, vars bool) (operand, error) {
	v := &booleanValues{}
	for _, text := range values {
		value, ok := parseBool(text)
		if ok {
			v.yes, v.no = v.yes || value, v.no || !value
			continue
		}
		p, err := compilePattern(text, false, vars)
		if err != nil {
			return nil, err
		}
		if p.variables == 0 {
			return nil, errValue
		}
		v.patterns = append(v.patterns, p)
	}
	return v, nil
}

func compileBinaries(values []string, _ operator, _ bool) (operand, error) {
	var v binaryValues
	for _, text := range values {
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, errValue
		}
		v = append(v, string(b))
	}
	return v, nil
}

func compileNetworks(values []string, _ operator, _ bool) (operand, error) {
	var v networkValues
	for _, text := range values {
		p, ok := parseNetwork(text)
		if !ok {
			return nil, errValue
		}
		v = append(v, p)
	}
	return v, nil
}

// parseNetwork reads an address or a block. Bits of the host are ignored; an IPv4 address in IPv6's clothes is IPv4.
func parseNetwork(s string) (netip.Prefix, bool) {
	if strings.Contains(s, "%") {
		return netip.Prefix{}, false
	}
	if !strings.Contains(s, "/") {
		address, err := netip.ParseAddr(s)
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), err == nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		const before = 96 // bits before the IPv4 address
		if p.Bits() < before {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-before)
	}
	return p.Masked(), true
}

func compileNull(values []string, _ operator, _ bool) (operand, error) {
	var v nullValues
	for _, text := range values {
		absent, ok := parseBool(text)
		if !ok {
			return nil, errValue
		}
		v.absent, v.present = v.absent || absent, v.present || !absent
	}
	return v, nil
}
