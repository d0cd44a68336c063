package policy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// The reference evaluator: slow, obvious, written from spec §2 and §1.9, sharing no code with the engine. It takes
// documents that the engine accepts, reads them with encoding/json, and builds every string that it compares.

// refKey is a condition key of a request.
type refKey struct {
	name   string
	values []string
	list   bool
}

// refRequest is a question for the reference.
type refRequest struct {
	action, resource string
	who              Principal
	keys             []refKey
}

// refDocument is a document as encoding/json sees it.
type refDocument map[string]any

// refPolicies is as Policies; nil means the same.
type refPolicies struct {
	resource, identity, boundary, session, scopeDown []refDocument
}

func refParse(text string) refDocument {
	var d refDocument
	dec := json.NewDecoder(bytes.NewBufferString(text))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		panic(err)
	}
	return d
}

// refVerdict is "allow", "explicit K" or "implicit K".
func refDecide(p refPolicies, r refRequest) string {
	kinds := []struct {
		name string
		docs []refDocument
	}{{"resource", p.resource}, {"identity", p.identity}, {"boundary", p.boundary}, {"session", p.session}, {"scope-down", p.scopeDown}}
	for _, k := range kinds {
		if refDenies(k.docs, r) {
			return "explicit " + k.name
		}
	}
	named := refAllows(p.resource, r)
	if named["self"] {
		return refLimit(p.scopeDown, r, "scope-down", "allow")
	}
	if len(refAllows(p.identity, r)) == 0 && len(named) == 0 {
		return "implicit identity"
	}
	return refLimits(p, r)
}

func refLimits(p refPolicies, r refRequest) string {
	for _, arn := range r.who.AWS {
		if strings.Contains(arn, ":federated-user/") && p.session == nil {
			return "implicit session"
		}
	}
	v := refLimit(p.scopeDown, r, "scope-down", "allow")
	v = refLimit(p.session, r, "session", v)
	return refLimit(p.boundary, r, "boundary", v)
}

func refLimit(docs []refDocument, r refRequest, name, otherwise string) string {
	if docs != nil && len(refAllows(docs, r)) == 0 {
		return "implicit " + name
	}
	return otherwise
}

// refAssume is the first row of the table in spec §1.9.
func refAssume(trust refDocument, p refPolicies, r refRequest) string {
	if refDenies([]refDocument{trust}, r) {
		return "explicit trust"
	}
	named := refAllows([]refDocument{trust}, r)
	if len(named) == 0 {
		return "implicit trust"
	}
	p.resource = nil
	for _, k := range []struct {
		name string
		docs []refDocument
	}{{"identity", p.identity}, {"boundary", p.boundary}, {"session", p.session}, {"scope-down", p.scopeDown}} {
		if refDenies(k.docs, r) {
			return "explicit " + k.name
		}
	}
	home := strings.Contains(r.resource, "::"+r.who.Account+":role/") && r.who.Account != ""
	switch {
	case home && named["self"]:
		return refLimit(p.scopeDown, r, "scope-down", "allow")
	case home && named["role"]:
	case len(refAllows(p.identity, r)) == 0:
		return "implicit identity"
	}
	return refLimits(p, r)
}

func refDenies(docs []refDocument, r refRequest) bool {
	for _, d := range docs {
		for _, s := range refStatements(d) {
			if s["Effect"] == "Deny" && len(refMatch(d, s, r)) > 0 {
				return true
			}
		}
	}
	return false
}

// refAllows returns the ways in which Allow statements name the caller: "self", "role", "account".
func refAllows(docs []refDocument, r refRequest) map[string]bool {
	named := map[string]bool{}
	for _, d := range docs {
		for _, s := range refStatements(d) {
			if s["Effect"] == "Allow" {
				for way := range refMatch(d, s, r) {
					named[way] = true
				}
			}
		}
	}
	return named
}

func refStatements(d refDocument) []map[string]any {
	var all []map[string]any
	for _, s := range refList(d["Statement"]) {
		all = append(all, s.(map[string]any))
	}
	return all
}

func refList(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

func refText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return v.(json.Number).String()
}

func refTexts(v any) []string {
	var all []string
	for _, e := range refList(v) {
		all = append(all, refText(e))
	}
	return all
}

// refMatch returns how the statement names the caller if all of it matches.
func refMatch(d refDocument, s map[string]any, r refRequest) map[string]bool {
	vars := d["Version"] == "2012-10-17"
	if !refOneOf(s, "Action", func(p string) bool { return refAction(p, r.action) }) {
		return nil
	}
	if !refOneOf(s, "Resource", func(p string) bool { return refResource(p, vars, r) }) {
		return nil
	}
	if block, ok := s["Condition"]; ok {
		for operator, keys := range block.(map[string]any) {
			for key, values := range keys.(map[string]any) {
				if !refCondition(operator, key, refTexts(values), vars, r.keys) {
					return nil
				}
			}
		}
	}
	return refNamed(s, r.who)
}

// refOneOf asks an element or its negation; a statement with neither is not limited by it.
func refOneOf(s map[string]any, element string, match func(string) bool) bool {
	v, plain := s[element]
	if !plain {
		var not bool
		if v, not = s["Not"+element]; !not {
			return true
		}
	}
	found := false
	for _, p := range refTexts(v) {
		found = found || match(p)
	}
	return found == plain
}

func refNamed(s map[string]any, who Principal) map[string]bool {
	v, ok := s["Principal"]
	if !ok {
		if v, ok = s["NotPrincipal"]; !ok {
			return map[string]bool{"self": true}
		}
		if len(refNames(v, who)) > 0 {
			return nil
		}
		return map[string]bool{"account": true}
	}
	return refNames(v, who)
}

func refNames(v any, who Principal) map[string]bool {
	ways := map[string]bool{}
	aws := who.Federated == "" && who.Service == ""
	if v == "*" {
		if aws {
			ways["account"] = true
		}
		return ways
	}
	for kind, names := range v.(map[string]any) {
		for _, n := range refTexts(names) {
			switch {
			case kind == "Federated" && n == who.Federated, kind == "Service" && n == who.Service:
				ways["role"] = true
			case kind != "AWS":
			case n == "*" && aws, who.Account != "" && (n == who.Account || n == "arn:aws:iam::"+who.Account+":root"):
				ways["account"] = true
			case strings.HasPrefix(n, "AROA") && strings.HasPrefix(who.UserID, n+":"):
				ways["role"] = true
			case strings.HasPrefix(n, "AIDA") && who.UserID == n:
				ways["self"] = true
			}
			for _, own := range who.AWS {
				if kind == "AWS" && n == own && strings.Contains(n, ":role/") {
					ways["role"] = true
				} else if kind == "AWS" && n == own {
					ways["self"] = true
				}
			}
		}
	}
	return ways
}

// refSymbol is one character of a pattern.
type refSymbol struct {
	wild bool
	char string // one character, or one byte that is none
	from bool   // it came out of a variable
}

func refChars(s string) []string {
	var all []string
	for len(s) > 0 {
		_, n := utf8.DecodeRuneInString(s)
		all, s = append(all, s[:n]), s[n:]
	}
	return all
}

var refVariable = regexp.MustCompile(`^\$\{([^,}]+)(, *'([^']*)')?\}`)

// refExpand writes a pattern out. ok is false when a variable has no value.
func refExpand(p string, wild, vars bool, keys []refKey) (symbols []refSymbol, ok bool) {
	for len(p) > 0 {
		if m := refVariable.FindStringSubmatch(p); vars && m != nil {
			value, has := refValue(m[1], keys)
			switch {
			case m[1] == "*" || m[1] == "?" || m[1] == "$":
				value = m[1]
			case !has && m[2] == "":
				return nil, false
			case !has:
				value = m[3]
			}
			for _, c := range refChars(value) {
				symbols = append(symbols, refSymbol{char: c, from: true})
			}
			p = p[len(m[0]):]
			continue
		}
		c := refChars(p)[0]
		symbols = append(symbols, refSymbol{char: c, wild: wild && (c == "*" || c == "?")})
		p = p[len(c):]
	}
	return symbols, true
}

// refValue is the value of a variable: a single one that is not empty, and is text.
func refValue(name string, keys []refKey) (string, bool) {
	k, ok := refFind(name, keys)
	if !ok || k.list || len(k.values) != 1 || k.values[0] == "" || !utf8.ValidString(k.values[0]) {
		return "", false
	}
	return k.values[0], true
}

func refFind(name string, keys []refKey) (refKey, bool) {
	for _, k := range keys {
		if strings.EqualFold(k.name, name) {
			return k, true
		}
	}
	return refKey{}, false
}

// refGlob fills a table: cell i,j says whether the first i symbols match the first j characters.
func refGlob(symbols []refSymbol, text string, fold bool) bool {
	chars := refChars(text)
	table := make([][]bool, len(symbols)+1)
	for i := range table {
		table[i] = make([]bool, len(chars)+1)
	}
	table[0][0] = true
	for i, s := range symbols {
		for j := 0; j <= len(chars); j++ {
			switch {
			case s.wild && s.char == "*":
				table[i+1][j] = table[i][j] || j > 0 && table[i+1][j-1]
			case j == 0:
			case s.wild:
				table[i+1][j] = table[i][j-1]
			default:
				table[i+1][j] = table[i][j-1] && refSame(s.char, chars[j-1], fold)
			}
		}
	}
	return table[len(symbols)][len(chars)]
}

func refSame(a, b string, fold bool) bool {
	return a == b || fold && utf8.ValidString(a) && utf8.ValidString(b) && strings.EqualFold(a, b)
}

func refAction(p, action string) bool {
	symbols, _ := refExpand(strings.ToLower(p), true, false, nil)
	return refGlob(symbols, strings.ToLower(action), false)
}

func refResource(p string, vars bool, r refRequest) bool {
	if p == "*" {
		return true
	}
	symbols, ok := refExpand(p, true, vars, r.keys)
	return ok && refARN(symbols, r.resource)
}

// refARN splits pattern and text at their first five colons and matches part by part.
func refARN(symbols []refSymbol, text string) bool {
	var parts [][]refSymbol
	part := []refSymbol{}
	for _, s := range symbols {
		if s.char == ":" && !s.from && len(parts) < 5 {
			parts, part = append(parts, part), []refSymbol{}
			continue
		}
		part = append(part, s)
	}
	parts = append(parts, part)
	texts := strings.SplitN(text, ":", 6)
	if len(texts) < 6 {
		return false
	}
	if len(parts) < 6 && (len(part) == 0 || !part[len(part)-1].wild) {
		return refGlob(symbols, text, false) // one variable is the whole ARN
	}
	for len(parts) < 6 {
		parts = append(parts, []refSymbol{{wild: true, char: "*"}})
	}
	for i := range parts {
		if !refGlob(parts[i], texts[i], false) {
			return false
		}
	}
	return true
}

func refCondition(operator, key string, values []string, vars bool, keys []refKey) bool {
	k, present := refFind(key, keys)
	null := true
	for _, v := range k.values {
		null = null && v == ""
	}
	if operator == "Null" {
		for _, v := range values {
			if strings.EqualFold(v, "true") == (!present || null) {
				return true
			}
		}
		return false
	}
	base, ifExists := strings.CutSuffix(operator, "IfExists")
	if ifExists && !present {
		return true
	}
	base, all := strings.CutPrefix(base, "ForAllValues:")
	base, some := strings.CutPrefix(base, "ForAnyValue:")
	if (all || some) && null {
		return all
	}
	negated := strings.Contains(base, "Not")
	base = strings.Replace(base, "Not", "", 1)
	good := 0
	for _, v := range k.values {
		matches := false
		for _, p := range values {
			matches = matches || refOperator(base, p, v, vars, keys)
		}
		if matches != negated {
			good++
		}
	}
	switch {
	case all:
		return good == len(k.values)
	case some:
		return good > 0
	case negated:
		return good == len(k.values)
	}
	return good > 0
}

func refOperator(base, p, v string, vars bool, keys []refKey) bool {
	switch {
	case strings.HasPrefix(base, "String"):
		symbols, ok := refExpand(p, base == "StringLike", vars, keys)
		return ok && refGlob(symbols, v, base == "StringEqualsIgnoreCase")
	case strings.HasPrefix(base, "Arn"):
		symbols, ok := refExpand(p, true, vars, keys)
		return ok && refARN(symbols, v)
	case strings.HasPrefix(base, "Numeric"):
		x, ok := refNumber(v)
		y, _ := refNumber(p)
		return ok && refOrder(strings.TrimPrefix(base, "Numeric"), x.Cmp(y))
	case strings.HasPrefix(base, "Date"):
		x, ok := refDate(v)
		y, _ := refDate(p)
		return ok && refOrder(strings.TrimPrefix(base, "Date"), x.Compare(y))
	case base == "Bool":
		symbols, ok := refExpand(p, false, vars, keys)
		return ok && (strings.EqualFold(v, "true") || strings.EqualFold(v, "false")) && refGlob(symbols, v, true)
	case base == "BinaryEquals":
		raw, err := base64.StdEncoding.DecodeString(p)
		return err == nil && string(raw) == v
	case base == "IpAddress":
		return refNetwork(p, v)
	}
	panic(base)
}

func refOrder(relation string, c int) bool {
	switch relation {
	case "Equals":
		return c == 0
	case "LessThan":
		return c < 0
	case "LessThanEquals":
		return c <= 0
	case "GreaterThan":
		return c > 0
	case "GreaterThanEquals":
		return c >= 0
	}
	panic(relation)
}

var refDecimal = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

func refNumber(s string) (*big.Rat, bool) {
	if !refDecimal.MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

var (
	refDateForm  = regexp.MustCompile(`^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?)?)?$`)
	refEpochForm = regexp.MustCompile(`^(\d{1,3}|\d{5,18})$`)
)

func refDate(s string) (time.Time, bool) {
	if refEpochForm.MatchString(s) {
		n, ok := new(big.Int).SetString(s, 10)
		return time.Unix(n.Int64(), 0), ok
	}
	if !refDateForm.MatchString(s) {
		return time.Time{}, false
	}
	for _, layout := range []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func refNetwork(p, v string) bool {
	ip := net.ParseIP(v)
	if ip == nil {
		return false
	}
	if !strings.Contains(p, "/") {
		return ip.Equal(net.ParseIP(p))
	}
	_, network, err := net.ParseCIDR(p)
	return err == nil && network.Contains(ip)
}
