package saml

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
	validator "github.com/mattermost/xml-roundtrip-validator"
)

// limits are those of a document (requirement 15, security C8).
type limits struct {
	bytes      int
	depth      int // of elements in each other, the outermost counted
	elements   int
	attributes int // of one element, declarations of namespaces counted
	comments   bool
}

const (
	maxEncoded   = 100_000 // bytes of base64: AWS's limit on SAMLAssertion
	maxScope     = 32      // namespaces declared at once
	maxNamespace = 256     // bytes of the name of one
)

var (
	// responseLimits are those of a response as it was sent.
	responseLimits = limits{bytes: maxEncoded, depth: 32, elements: 5000, attributes: 32}
	// canonicalLimits are those of canonical bytes, which write out what a response may say in fewer.
	canonicalLimits = limits{bytes: 8 << 20, depth: 32, elements: 5000, attributes: 64}
	// metadataLimits are those of metadata, which people edit and federations fill.
	metadataLimits = limits{bytes: 1 << 20, depth: 32, elements: 20_000, attributes: 64, comments: true}
)

// What a document was refused for. The errors quote nothing of it.
var (
	errSize       = errors.New("a document that is too long")
	errUTF8       = errors.New("text that is not valid UTF-8")
	errMarkup     = errors.New("a DOCTYPE, a comment, CDATA or a processing instruction")
	errXML        = errors.New("text that is not well-formed XML")
	errRoundTrip  = errors.New("XML that two readers may take for two things")
	errName       = errors.New("a name that is not plain ASCII with at most one prefix")
	errNamespace  = errors.New("a namespace that is reserved, relative, empty or too long")
	errUndeclared = errors.New("a prefix that is not declared")
	errAttribute  = errors.New("an attribute named twice")
	errID         = errors.New("an ID given twice")
	errDepth      = errors.New("elements that are nested too deep")
	errElements   = errors.New("too many elements")
	errAttributes = errors.New("too many attributes or namespaces")
	errRoots      = errors.New("text or elements beside the outermost element")
	errComment    = errors.New("a comment inside text")
)

// strict decodes base64 with padding and wants zero trailing bits. It skips line breaks, which some providers send:
// nothing is kept by the text of a response, so that its spelling does not matter.
var strict = base64.StdEncoding.Strict()

// decode returns the document of a response in base64.
func decode(raw string) ([]byte, error) {
	if len(raw) > maxEncoded {
		return nil, errSize
	}
	document, err := strict.DecodeString(raw)
	if err != nil || len(document) == 0 {
		return nil, errors.New("text that is not base64")
	}
	return document, nil
}

// declaration is the XML declaration that a document may begin with. Its encoding is that of the document in truth.
var declaration = regexp.MustCompile(`^<\?xml[ \t\r\n]+version=["']1\.0["']([ \t\r\n]+encoding=["'][uU][tT][fF]-8["'])?([ \t\r\n]+standalone=["'](yes|no)["'])?[ \t\r\n]*\?>`)

// parse reads a document, and refuses every one that another reader could take for something else: this is the only
// parser of the package, for what was sent and again for the canonical bytes that a signature covers.
//
// Before any of it is parsed, what no response needs is refused by its first two bytes, which mean nothing else in XML: a
// DOCTYPE (entities, external documents), comments and CDATA (text that readers join or cut), processing instructions.
func parse(b []byte, l limits) (*etree.Element, error) {
	if len(b) > l.bytes {
		return nil, errSize
	}
	if !utf8.Valid(b) {
		return nil, errUTF8
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // the byte order mark, which XML allows at the very start
	b = b[len(declaration.Find(b)):]
	if err := checkMarkup(b, l.comments); err != nil {
		return nil, err
	}
	r := reader{decoder: xml.NewDecoder(bytes.NewReader(b)), limits: l, ids: map[string]bool{}}
	return r.read()
}

// checkMarkup looks for what begins with <! or <?.
func checkMarkup(b []byte, comments bool) error {
	for i := range len(b) - 1 {
		if b[i] != '<' {
			continue
		}
		if b[i+1] == '?' || b[i+1] == '!' && !(comments && bytes.HasPrefix(b[i:], []byte("<!--"))) {
			return errMarkup
		}
	}
	return nil
}

// reader builds the tree of a document from encoding/xml's tokens, and checks what these leave open.
type reader struct {
	decoder *xml.Decoder
	limits  limits

	root     *etree.Element
	open     []*etree.Element
	marks    []int // for each open element, how long scope was before it
	scope    []binding
	elements int
	ids      map[string]bool
}

// binding is one declaration of a namespace in force.
type binding struct{ prefix, name string }

func (r *reader) read() (*etree.Element, error) {
	for {
		token, err := r.decoder.RawToken()
		if err == io.EOF {
			if r.root == nil || len(r.open) > 0 {
				return nil, errXML
			}
			return r.root, checkComments(r.root)
		}
		if err != nil {
			return nil, errXML
		}
		if err := r.token(token); err != nil {
			return nil, err
		}
		if !roundTrips(token) {
			return nil, errRoundTrip
		}
	}
}

// roundTrips reports whether a token stays what it is when it is written and read again, which encoding/xml does not
// always see to (CVE-2020-29509 and its like). An end tag has nothing that its start tag had not. The attributes of an
// element are looked at one by one: several prefixes in one token are more than the validator can tell apart.
func roundTrips(token xml.Token) bool {
	switch t := token.(type) {
	case xml.EndElement:
		return true
	case xml.StartElement:
		if len(t.Attr) < 2 {
			break
		}
		for _, a := range t.Attr {
			if validator.CheckToken(xml.StartElement{Name: t.Name, Attr: []xml.Attr{a}}) != nil {
				return false
			}
		}
		return true
	}
	return validator.CheckToken(token) == nil
}

func (r *reader) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		return r.end(t)
	case xml.CharData:
		return r.text(string(t))
	case xml.Comment:
		if !r.limits.comments {
			return errMarkup
		}
		if len(r.open) > 0 {
			r.open[len(r.open)-1].CreateComment("")
		}
		return nil
	}
	return errMarkup
}

func (r *reader) start(t xml.StartElement) error {
	if r.root != nil && len(r.open) == 0 {
		return errRoots
	}
	if r.elements++; r.elements > r.limits.elements {
		return errElements
	}
	if len(r.open) >= r.limits.depth {
		return errDepth
	}
	if len(t.Attr) > r.limits.attributes {
		return errAttributes
	}
	r.marks = append(r.marks, len(r.scope))
	for _, a := range t.Attr {
		if err := r.declare(a); err != nil {
			return err
		}
	}
	if !isName(t.Name) || t.Name.Space == "xmlns" || t.Name.Space == "xml" {
		return errName
	}
	if t.Name.Space != "" && r.namespace(t.Name.Space) == "" {
		return errUndeclared
	}
	if err := r.checkAttributes(t.Attr); err != nil {
		return err
	}
	r.push(t)
	return nil
}

// push adds the element to the tree and opens it.
func (r *reader) push(t xml.StartElement) {
	var e *etree.Element
	if len(r.open) == 0 {
		e = etree.NewElement(fullName(t.Name))
		r.root = e
	} else {
		e = r.open[len(r.open)-1].CreateElement(fullName(t.Name))
	}
	for _, a := range t.Attr {
		e.CreateAttr(fullName(a.Name), a.Value)
	}
	r.open = append(r.open, e)
}

func (r *reader) end(t xml.EndElement) error {
	last := len(r.open) - 1
	if last < 0 || r.open[last].Space != t.Name.Space || r.open[last].Tag != t.Name.Local {
		return errXML
	}
	r.scope = r.scope[:r.marks[last]]
	r.open, r.marks = r.open[:last], r.marks[:last]
	return nil
}

func (r *reader) text(s string) error {
	if len(r.open) > 0 {
		r.open[len(r.open)-1].CreateText(s)
		return nil
	}
	if !isSpace(s) {
		return errRoots
	}
	return nil
}

// declare brings a namespace into force, where the attribute declares one. Names of namespaces are compared, never
// resolved: so a relative one, which two readers may resolve to two things, is refused, and so is taking one back.
func (r *reader) declare(a xml.Attr) error {
	prefix, ok := declared(a.Name.Space, a.Name.Local)
	if !ok {
		return nil
	}
	if len(r.scope) >= maxScope {
		return errAttributes
	}
	if prefix == "xml" || prefix == "xmlns" || !isNamespace(a.Value) {
		return errNamespace
	}
	r.scope = append(r.scope, binding{prefix, a.Value})
	return nil
}

// declared returns the prefix that an attribute of this name declares; "" for the default namespace.
func declared(space, local string) (prefix string, ok bool) {
	switch {
	case space == "xmlns":
		return local, true
	case space == "" && local == "xmlns":
		return "", true
	}
	return "", false
}

// namespace returns the name that a prefix stands for; "" when it is not declared.
func (r *reader) namespace(prefix string) string {
	if prefix == "xml" {
		return xmlNamespace
	}
	for i := len(r.scope) - 1; i >= 0; i-- {
		if r.scope[i].prefix == prefix {
			return r.scope[i].name
		}
	}
	return ""
}

// checkAttributes compares names as they are written and as what they stand for, and keeps IDs apart: attributes that
// anybody might take for one, whatever their namespace and case.
func (r *reader) checkAttributes(attributes []xml.Attr) error {
	seen := make(map[xml.Name]bool, 2*len(attributes))
	hasID := false
	for _, a := range attributes {
		if !isName(a.Name) {
			return errName
		}
		name := a.Name
		if _, ok := declared(name.Space, name.Local); !ok && name.Space != "" {
			if name.Space = r.namespace(name.Space); name.Space == "" {
				return errUndeclared
			}
		}
		if seen[name] {
			return errAttribute
		}
		seen[name] = true
		if strings.EqualFold(name.Local, "id") && a.Name.Space != "xmlns" {
			if hasID || r.ids[a.Value] {
				return errID
			}
			hasID, r.ids[a.Value] = true, true
		}
	}
	return nil
}

// checkComments refuses text that a comment cuts, and takes the comments away.
func checkComments(e *etree.Element) error {
	comments, text := false, false
	for i := len(e.Child) - 1; i >= 0; i-- {
		switch t := e.Child[i].(type) {
		case *etree.Comment:
			comments = true
			e.RemoveChildAt(i)
		case *etree.CharData:
			text = text || !isSpace(t.Data)
		case *etree.Element:
			if err := checkComments(t); err != nil {
				return err
			}
		}
	}
	if comments && text {
		return errComment
	}
	return nil
}

// isName reports whether a name is one of Namespaces in XML, of ASCII.
func isName(n xml.Name) bool {
	return (n.Space == "" || isNCName(n.Space)) && isNCName(n.Local)
}

func isNCName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// isNamespace reports whether the string is an absolute URI that is not reserved, in printable ASCII.
func isNamespace(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || len(s) > maxNamespace || s == xmlNamespace || s == xmlnsNamespace {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	for i := range len(scheme) {
		c := scheme[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(scheme[i]))) {
			return false
		}
	}
	return true
}

func isSpace(s string) bool { return strings.Trim(s, " \t\r\n") == "" }

func fullName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}
