// Package policy is the IAM policy language: it parses a document, compiles it once, decides requests by it, and
// explains the decision.
//
// A Document is the text it was read from, its statements as written, and one compiled rule for each statement, in
// order. In a rule every pattern is cut into tokens (literal text, any run, any one character, variable) and every
// condition value is already a number, a date or an address, so that a decision parses nothing of the policy and
// allocates nothing. The values of a request live in a Context, which several decisions share. What a request's value
// puts in the place of a variable is literal text: a wildcard in it is a character like any other.
//
// The rules are those of "spec §2" (policy language) and "spec §1.9" (trust policies) of the STS and IAM specification.
// Where they leave room the narrower reading is taken, and what is not understood is refused when it is written.
//
// The package leaves to others: which policies bear on a caller, which condition keys a request has, whether the
// principals of a trust policy exist, quotas, and storing documents.
package policy

import (
	"slices"
	"unicode/utf8"
)

// Kind is the place a policy has. It decides which elements a statement must and must not have.
type Kind uint8

// The kinds of policies.
const (
	KindIdentity  Kind = iota // permissions of a role or user, inline or managed: Resource required, no Principal
	KindTrust                 // who may assume a role: Principal required, no Resource
	KindSession               // passed when a role is assumed: as Identity
	KindBoundary              // the most that identity policies can give: as Identity
	KindResource              // a bucket's policy: Principal and Resource required
	KindScopeDown             // what guests are held to: as Identity
)

// maxDocument is the most bytes of a document, far above every quota.
const maxDocument = 128 << 10

// Versions of the language. A document without a Version is of the old one, which has no variables.
const (
	oldVersion = "2008-10-17"
	newVersion = "2012-10-17"
)

// Document is a compiled policy. It never changes and may be used by any number of goroutines.
type Document struct {
	kind       Kind
	text       string
	version    string
	size       int
	statements []Statement
	rules      []rule // one for each statement, in order
}

// Parse reads, checks and compiles a policy of the kind. The text must be UTF-8 of at most 128 KiB; JSON names must be
// unique in their object. The error is a *fault.Error with the code MalformedPolicyDocument and AWS's sentence
// (spec §2.7); its private cause says where. The document keeps no reference to text.
func Parse(kind Kind, text []byte) (*Document, error) {
	size, err := checkCharacters(kind, text)
	if err != nil {
		return nil, err
	}
	src, err := read(text)
	if err != nil {
		return nil, err
	}
	if err := src.check(kind); err != nil {
		return nil, err
	}
	rules, err := src.compile(kind)
	if err != nil {
		return nil, err
	}
	return &Document{
		kind: kind, text: string(text), version: src.version, size: size, statements: src.statements, rules: rules,
	}, nil
}

// Kind is the kind that the document was parsed as.
func (d *Document) Kind() Kind { return d.kind }

// Text is the document as it was given to Parse, byte for byte.
func (d *Document) Text() string { return d.text }

// Version is "2012-10-17" or "2008-10-17"; the latter also where the document names none. In the old version a variable
// is literal text, so an author may want a warning.
func (d *Document) Version() string { return d.version }

// SizeWithoutSpace is the number of characters that are not white space: what quotas count (spec §2.8).
func (d *Document) SizeWithoutSpace() int { return d.size }

// Statements returns a copy of the statements as they were written.
func (d *Document) Statements() []Statement {
	all := slices.Clone(d.statements)
	for i := range all {
		all[i] = all[i].clone()
	}
	return all
}

// checkCharacters refuses what an IAM document must not hold: anything but tab, line feed, carriage return and U+0020
// to U+00FF (spec §2.1). Resource policies are not IAM's, and may hold any text. It returns the size without space.
func checkCharacters(kind Kind, text []byte) (int, error) {
	if len(text) > maxDocument {
		return 0, syntax("document of %d bytes", len(text))
	}
	if !utf8.Valid(text) {
		return 0, syntax("document is not UTF-8")
	}
	size := 0
	for i, c := range string(text) {
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		case c < ' ' || c > 0xFF && kind != KindResource:
			return 0, syntax("character %U at byte %d", c, i)
		default:
			size++
		}
	}
	return size, nil
}
