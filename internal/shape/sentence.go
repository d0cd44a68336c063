package shape

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxSentences = 20   // violations spelled out in one fault
	maxEcho      = 1024 // bytes of a value, or of a place, repeated in a sentence
)

// report collects what is wrong with one request.
type report struct {
	path      []byte // where the walk stands, as AWS writes it
	count     int
	sentences []string // at most maxSentences
}

// enter goes down by some steps, and returns the length to which path is cut on the way back.
func (r *report) enter(steps ...string) (back int) {
	back = len(r.path)
	for _, step := range steps {
		if len(r.path) > 0 {
			r.path = append(r.path, '.')
		}
		r.path = append(r.path, step...)
	}
	return back
}

func (r *report) missing() {
	if r.another() {
		r.add("Value null", "Member must not be null")
	}
}

// violation adds a sentence on a value. A sensitive value, or one that contains such, is not repeated.
func (r *report) violation(s *Shape, v reflect.Value, phrase string) {
	if !r.another() {
		return
	}
	value := "Value"
	if !s.sensitive {
		value += " '" + render(s, v) + "'"
	}
	r.add(value, phrase)
}

// another counts a violation, and reports whether it is still to be spelled out.
func (r *report) another() bool {
	r.count++
	return len(r.sentences) < maxSentences
}

func (r *report) add(value, phrase string) {
	r.sentences = append(r.sentences, value+" at '"+cut(string(r.path))+"' failed to satisfy constraint: "+phrase)
}

func (r *report) sentence() string {
	noun := "errors"
	if r.count == 1 {
		noun = "error"
	}
	return strconv.Itoa(r.count) + " validation " + noun + " detected: " + strings.Join(r.sentences, "; ")
}

func (r *rule) atMost() string {
	return "Member must have " + r.unit + " less than or equal to " + strconv.FormatInt(r.max, 10)
}

func (r *rule) atLeast() string {
	return "Member must have " + r.unit + " greater than or equal to " + strconv.FormatInt(r.min, 10)
}

func (r *rule) patterned() string {
	return "Member must satisfy regular expression pattern: " + r.source
}

func (r *rule) oneOf() string {
	return "Member must satisfy enum value set: [" + strings.Join(r.enum, ", ") + "]"
}

// all lists every constraint of a list's items or a map's halves, broken or not: so AWS writes these sentences.
func (r *rule) all() string {
	var phrases []string
	if r.unit != "" && r.max != maxInt64 {
		phrases = append(phrases, r.atMost())
	}
	if r.unit != "" {
		phrases = append(phrases, r.atLeast())
	}
	if r.pattern != nil {
		phrases = append(phrases, r.patterned())
	}
	if r.enum != nil {
		phrases = append(phrases, r.oneOf())
	}
	return "[" + strings.Join(phrases, ", ") + "]"
}

// cut shortens what a caller sent to maxEcho bytes, not inside a character, and marks that it did.
func cut(text string) string {
	if len(text) <= maxEcho {
		return text
	}
	end := maxEcho
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// render writes a value as Java prints it, cut.
func render(s *Shape, v reflect.Value) string {
	var b strings.Builder
	renderTo(&b, s, v)
	return cut(b.String())
}

// renderTo stops soon after maxEcho bytes, however large the value is.
func renderTo(b *strings.Builder, s *Shape, v reflect.Value) {
	if b.Len() > maxEcho {
		return
	}
	switch s.Kind {
	case KindString:
		b.WriteString(v.String())
	case KindTime:
		b.WriteString(v.Interface().(time.Time).UTC().Format(time.RFC3339))
	case KindBlob:
		fmt.Fprintf(b, "%d bytes", v.Len())
	case KindList:
		renderList(b, s, v)
	case KindMap:
		renderMap(b, s, v)
	case KindStructure:
		renderStructure(b, s, v)
	default:
		fmt.Fprint(b, v.Interface())
	}
}

func renderList(b *strings.Builder, s *Shape, v reflect.Value) {
	open := "["
	for i := 0; i < v.Len() && b.Len() <= maxEcho; i++ {
		b.WriteString(open)
		renderTo(b, s.Elem, v.Index(i))
		open = ", "
	}
	closeWith(b, v.Len(), "[]", "]")
}

func renderMap(b *strings.Builder, s *Shape, v reflect.Value) {
	open := "{"
	for _, k := range SortedKeys(v) {
		if b.Len() > maxEcho {
			break
		}
		b.WriteString(open + k + "=")
		renderTo(b, s.Elem, v.MapIndex(reflect.ValueOf(k)))
		open = ", "
	}
	closeWith(b, v.Len(), "{}", "}")
}

func renderStructure(b *strings.Builder, s *Shape, v reflect.Value) {
	n := 0
	for i := range s.Members {
		m := &s.Members[i]
		value, ok := m.Get(v)
		if !ok {
			continue
		}
		open := ", "
		if n++; n == 1 {
			open = "{"
		}
		b.WriteString(open + m.path + "=")
		renderTo(b, m.Shape, value)
	}
	closeWith(b, n, "{}", "}")
}

func closeWith(b *strings.Builder, items int, empty, end string) {
	if items == 0 {
		end = empty
	}
	b.WriteString(end)
}
