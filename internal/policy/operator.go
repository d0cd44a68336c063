package policy

import "strings"

// operator is a condition operator without its prefix and suffix.
type operator struct {
	compile  func(values []string, o operator, vars bool) (operand, error)
	compare  comparison // strings
	wild     bool       // strings: * and ? are wildcards
	relation relation   // numbers and dates
	negated  bool       // holds when no value matches
	null     bool       // asks for the key itself
}

// operators are those of spec §2.3. Their names are case-sensitive.
var operators = map[string]operator{
	"StringEquals":              {compile: compileStrings},
	"StringNotEquals":           {compile: compileStrings, negated: true},
	"StringEqualsIgnoreCase":    {compile: compileStrings, compare: foldCase},
	"StringNotEqualsIgnoreCase": {compile: compileStrings, compare: foldCase, negated: true},
	"StringLike":                {compile: compileStrings, wild: true},
	"StringNotLike":             {compile: compileStrings, wild: true, negated: true},
	"NumericEquals":             {compile: compileNumbers},
	"NumericNotEquals":          {compile: compileNumbers, negated: true},
	"NumericLessThan":           {compile: compileNumbers, relation: less},
	"NumericLessThanEquals":     {compile: compileNumbers, relation: lessOrEqual},
	"NumericGreaterThan":        {compile: compileNumbers, relation: greater},
	"NumericGreaterThanEquals":  {compile: compileNumbers, relation: greaterOrEqual},
	"DateEquals":                {compile: compileDates},
	"DateNotEquals":             {compile: compileDates, negated: true},
	"DateLessThan":              {compile: compileDates, relation: less},
	"DateLessThanEquals":        {compile: compileDates, relation: lessOrEqual},
	"DateGreaterThan":           {compile: compileDates, relation: greater},
	"DateGreaterThanEquals":     {compile: compileDates, relation: greaterOrEqual},
	"Bool":                      {compile: compileBooleans},
	"BinaryEquals":              {compile: compileBinaries},
	"IpAddress":                 {compile: compileNetworks},
	"NotIpAddress":              {compile: compileNetworks, negated: true},
	"ArnEquals":                 {compile: compileARNs},
	"ArnLike":                   {compile: compileARNs},
	"ArnNotEquals":              {compile: compileARNs, negated: true},
	"ArnNotLike":                {compile: compileARNs, negated: true},
	"Null":                      {compile: compileNull, null: true},
}

// quantifier says of which of a key's values an operator speaks.
type quantifier uint8

const (
	plainSet quantifier = iota // no prefix
	forAll
	forAny
)

// parseOperator reads [ForAllValues:|ForAnyValue:] base [IfExists]. Null takes neither: its own meaning is that the key
// may be missing.
func parseOperator(name string) (o operator, q quantifier, ifExists, ok bool) {
	base := name
	if rest, found := strings.CutPrefix(name, "ForAllValues:"); found {
		base, q = rest, forAll
	} else if rest, found := strings.CutPrefix(name, "ForAnyValue:"); found {
		base, q = rest, forAny
	}
	base, ifExists = strings.CutSuffix(base, "IfExists")
	o, ok = operators[base]
	if o.null && base != name {
		ok = false
	}
	return o, q, ifExists, ok
}
