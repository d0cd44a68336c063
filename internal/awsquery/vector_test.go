package awsquery_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"idpool/internal/awsquery"
	"idpool/internal/shape"
	"idpool/internal/shape/shapetest"
)

// The suites are written for clients. Turned round, what a client must send is what we must read, and what a client
// must read is what we must write.
func TestInputVectors(t *testing.T) {
	shapetest.Run(t, shapetest.Vectors(t, "input", "query"), 38, map[string]string{
		"SDKAppliedContentEncoding_awsQuery":                    "compressed bodies are refused by the door",
		"SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": "compressed bodies are refused by the door",
		"QueryProtocolIdempotencyTokenAutoFill":                 "asks a client to invent a token",
	}, func(v shapetest.Vector) error {
		if !v.HasBody {
			return errors.New("the vector has no body")
		}
		if v.Type == nil {
			v.Type, v.Value = reflect.TypeFor[struct{}](), map[string]any{}
		}
		return decodesTo(v)
	})
}

// decodesTo reads the vector's form and compares what it holds with the vector's value. An empty list or map is an
// absent one: the protocol writes both alike.
func decodesTo(v shapetest.Vector) error {
	sh, err := shape.Of(nil, v.Type)
	if err != nil {
		return err
	}
	want, err := v.New()
	if err != nil {
		return err
	}
	form, err := awsquery.Parse(v.Body)
	if err != nil {
		return err
	}
	if action, version, ok := awsquery.Operation(form); !ok || action != v.Operation || version != "2020-01-08" {
		return fmt.Errorf("got operation %s of %s, want %s of 2020-01-08", action, version, v.Operation)
	}
	got := reflect.New(v.Type).Interface()
	if err := awsquery.Decode(form, sh, got); err != nil {
		return err
	}
	if diff := cmp.Diff(got, want, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("got -, want +:\n%s", diff)
	}
	return nil
}

const (
	otherNames = "names of faults are those of our own table"
	envelope   = "asks a client to put up with an answer without its envelope, which we always send"
	namespaces = "neither STS nor IAM gives members namespaces"
)

func TestOutputVectors(t *testing.T) {
	shapetest.Run(t, shapetest.Vectors(t, "output", "query"), 38, map[string]string{
		"QueryInvalidGreetingError":                 otherNames,
		"QueryCustomizedError":                      otherNames,
		"QueryComplexError":                         otherNames,
		"QueryEmptyInputAndEmptyOutput":             envelope,
		"QueryNoInputAndNoOutput":                   envelope,
		"QueryNoInputAndOutput":                     envelope,
		"QueryXmlNamespaces":                        namespaces,
		"QueryQueryFlattenedXmlMapWithXmlNamespace": namespaces,
		"QueryXmlLists":                             namespaces + "; TestXMLListsVector runs the rest of it",
	}, func(v shapetest.Vector) error { return encodesTo(v, v.Body) })
}

// The one member with a namespace of this vector is a list like its neighbours; without the attribute it runs.
func TestXMLListsVector(t *testing.T) {
	for _, v := range shapetest.Vectors(t, "output", "query") {
		if v.ID != "QueryXmlLists" {
			continue
		}
		body := strings.ReplaceAll(v.Body, ` xmlns="https://xml-member.example.com"`, "")
		if err := encodesTo(v, body); err != nil || body == v.Body {
			t.Error(err)
		}
		return
	}
	t.Error("the vector is gone")
}

func encodesTo(v shapetest.Vector, body string) error {
	if v.Type == nil || body == "" || v.Fault {
		return errors.New("an answer without a result")
	}
	sh, err := shape.Of(nil, v.Type)
	if err != nil {
		return err
	}
	out, err := v.New()
	if err != nil {
		return err
	}
	got, err := parse(string(awsquery.Encode(v.Operation, "https://example.com/", "id", sh, out)))
	if err != nil {
		return err
	}
	want, err := parse(body)
	if err != nil {
		return err
	}
	delete(got.parts, "ResponseMetadata") // the suite leaves it out
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(element{})); diff != "" {
		return fmt.Errorf("got -, want +:\n%s", diff)
	}
	return nil
}

// element is what an XML element means to a client: elements of one name in their order, others in any; text where
// there are no elements; a time in any zone; whether a map's entries come in one order or another.
type element struct {
	attributes []xml.Attr
	text       string
	parts      map[string][]element
}

func parse(text string) (element, error) {
	root := element{parts: map[string][]element{}}
	decoder := xml.NewDecoder(strings.NewReader(text))
	err := root.read(decoder)
	if err != io.EOF {
		return element{}, fmt.Errorf("%s: %v", text, err)
	}
	return root.only()
}

func (e element) only() (element, error) {
	for _, roots := range e.parts {
		if len(e.parts) == 1 && len(roots) == 1 {
			return roots[0], nil
		}
	}
	return element{}, errors.New("not one root element")
}

func (e *element) read(decoder *xml.Decoder) error {
	for {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			part := element{parts: map[string][]element{}, attributes: token.Attr}
			if err := part.read(decoder); err != nil {
				return err
			}
			part.settle()
			e.parts[token.Name.Local] = append(e.parts[token.Name.Local], part)
		case xml.EndElement:
			return nil
		case xml.CharData:
			e.text += string(token)
		}
	}
}

func sortByText(items []element) {
	slices.SortStableFunc(items, func(x, y element) int { return strings.Compare(x.text, y.text) })
}

func (e *element) settle() {
	if strings.TrimSpace(e.text) == "" {
		e.text = ""
	}
	if at, err := time.Parse(time.RFC3339, e.text); err == nil {
		e.text = at.UTC().Format(time.RFC3339Nano)
	}
	for _, name := range []string{"key", "K", "Attribute"} { // an entry of a map, by which the entries are put in order
		if keys := e.parts[name]; len(keys) == 1 {
			e.text = keys[0].text
		}
	}
	for _, items := range e.parts {
		if len(items) > 0 && len(items[0].parts) > 0 {
			sortByText(items)
		}
	}
}
