package policy

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Context is the condition keys of one request. Build it once and use it for all decisions on the request; it may be read
// by several goroutines, not while a key is set. The zero value, and nil, have no keys.
//
// Names are compared without regard to case, the part after the slash of a tag key included (spec §2.3). A key that is
// absent, one without a value and one with an empty value are three different things.
type Context struct {
	under *Context // see Over
	// Most requests have a dozen keys, which are found sooner in a list than in a map; more go to the map.
	few   []contextKey
	keys  map[string]entry // by folded name
	texts []string         // the values of all entries, so that not each has a list of its own
}

// contextKey is an entry of the list.
type contextKey struct {
	folded string
	entry  entry
}

// fewKeys is the longest list; usualKeys and usualTexts are what it begins with.
const (
	fewKeys    = 24
	usualKeys  = 12
	usualTexts = 12
)

// Over returns a context that has the keys of another one and more: keys that it is given hide those of the same name
// underneath. The other one must not be changed any more; any number of contexts may stand on it.
func Over(under *Context) *Context { return &Context{under: under} }

// entry is what the request says of one key.
type entry struct {
	values []string
	// null says that there is no value but empty ones: what Null and the set operators take for nothing.
	null bool
	// resolves says that the key can stand in for a variable: it has a single value, not empty, of valid UTF-8. An empty
	// one would turn ${team}* into *.
	resolves bool
}

// Set gives a key its values, instead of any that it had. With one value the key is single-valued and can be used as a
// variable; with none it is there and empty. For a key that is a list by nature use SetList.
func (c *Context) Set(key string, values ...string) { c.put(key, values, len(values) == 1) }

// SetList gives a key its values as Set does. The key is multi-valued also when there is just one value, so it never
// stands in for a variable.
func (c *Context) SetList(key string, values ...string) { c.put(key, values, false) }

// SetNew is Set unless a key with the name, in any case, is there already; then it changes nothing and returns false. It
// is for keys whose names come from outside: a claim "AUD" must not take the place of "aud".
func (c *Context) SetNew(key string, values ...string) bool {
	if c.Has(key) {
		return false
	}
	c.Set(key, values...)
	return true
}

// All are the keys with their values, by their folded names in order.
func (c *Context) All() iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		if c == nil {
			return
		}
		names := c.names(nil)
		slices.Sort(names)
		for _, key := range slices.Compact(names) {
			e, _ := c.lookup(key)
			if !yield(key, slices.Clone(e.values)) {
				return
			}
		}
	}
}

// names appends the folded names of all keys, some of them twice.
func (c *Context) names(all []string) []string {
	if c == nil {
		return all
	}
	all = slices.AppendSeq(all, maps.Keys(c.keys))
	for i := range c.few {
		all = append(all, c.few[i].folded)
	}
	return c.under.names(all)
}

// Has reports whether a key is there, with or without a value.
func (c *Context) Has(key string) bool {
	_, ok := c.lookup(foldKey(key))
	return ok
}

func (c *Context) put(key string, values []string, single bool) {
	e := entry{values: c.keep(values), null: true}
	for _, v := range values {
		e.null = e.null && v == ""
	}
	e.resolves = single && !e.null && utf8.ValidString(values[0])
	folded := foldKey(key)
	for i := range c.few {
		if c.few[i].folded == folded {
			c.few[i].entry = e
			return
		}
	}
	if len(c.few) < fewKeys {
		if c.few == nil {
			c.few = make([]contextKey, 0, usualKeys)
		}
		c.few = append(c.few, contextKey{folded, e})
		return
	}
	if c.keys == nil {
		c.keys = make(map[string]entry)
	}
	c.keys[folded] = e
}

// keep copies values to where nobody changes them.
func (c *Context) keep(values []string) []string {
	if c.texts == nil {
		c.texts = make([]string, 0, usualTexts)
	}
	from := len(c.texts)
	c.texts = append(c.texts, values...)
	return c.texts[from:len(c.texts):len(c.texts)]
}

func (c *Context) lookup(folded string) (entry, bool) {
	if c == nil {
		return entry{}, false
	}
	for i := range c.few {
		if c.few[i].folded == folded {
			return c.few[i].entry, true
		}
	}
	if e, ok := c.keys[folded]; ok {
		return e, true
	}
	return c.under.lookup(folded)
}

// substitute returns the text that stands for a variable.
func (c *Context) substitute(folded string) (string, bool) {
	e, _ := c.lookup(folded)
	if !e.resolves {
		return "", false
	}
	return e.values[0], true
}

// spelled are the names that nearly every request has, by how AWS spells them: folding them each time costs as much as all
// else that is done with a key.
var spelled = func() map[string]string {
	all := map[string]string{}
	for _, name := range []string{
		"aws:SecureTransport", "aws:SourceIp", "aws:UserAgent", "aws:FederatedProvider", "aws:PrincipalAccount", "aws:PrincipalArn",
		"aws:PrincipalType", "aws:TokenIssueTime", "aws:MultiFactorAuthPresent", "aws:userid", "aws:username", "sts:RoleSessionName",
	} {
		all[name] = strings.ToLower(name)
	}
	return all
}()

// foldKey returns the form of a key name in which names that differ only in case are equal.
func foldKey(s string) string {
	if folded, ok := spelled[s]; ok {
		return folded
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
	}
	return strings.ToLower(s)
}

// foldRune returns the least of the characters that are the same letter, or its small form in ASCII.
func foldRune(c rune) rune {
	least := c
	for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least < utf8.RuneSelf {
		return rune(lower(byte(least)))
	}
	return least
}
