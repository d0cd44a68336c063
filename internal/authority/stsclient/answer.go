package stsclient

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"idpool/internal/authority"
)

// The limits of an answer. Its size is bounded by fetch.
const (
	maxDepth    = 8
	maxElements = 100
)

// namespace is STS's; Ceph's answers have none.
const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// element is one element: its text or its children.
type element struct {
	name     string
	text     []byte
	children []*element
}

// child returns the one child with the name; nil where there is none. Two are an error: which of them counts?
func (e *element) child(name string) (*element, error) {
	var found *element
	for _, c := range e.children {
		if c.name != name {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("two elements %s", name)
		}
		found = c
	}
	return found, nil
}

// textOf returns the text of the one child with the name, or "".
func (e *element) textOf(name string) (string, error) {
	c, err := e.child(name)
	if err != nil || c == nil {
		return "", err
	}
	if len(c.children) > 0 {
		return "", fmt.Errorf("%s holds elements", name)
	}
	return strings.TrimSpace(string(c.text)), nil
}

// path follows names down from e; an error where one is not there.
func (e *element) path(names ...string) (*element, error) {
	for _, name := range names {
		c, err := e.child(name)
		if err != nil {
			return nil, err
		}
		if c == nil {
			return nil, fmt.Errorf("no element %s", name)
		}
		e = c
	}
	return e, nil
}

// read reads the answer of AssumeRoleWithWebIdentity, and no other.
func read(body []byte) (*authority.Answer, error) {
	root, err := tree(body)
	if err != nil {
		return nil, err
	}
	if root.name != "AssumeRoleWithWebIdentityResponse" {
		return nil, errors.New("not an answer of AssumeRoleWithWebIdentity")
	}
	result, err := root.path("AssumeRoleWithWebIdentityResult")
	if err != nil {
		return nil, err
	}
	credentials, err := result.path("Credentials")
	if err != nil {
		return nil, err
	}
	out := &authority.Answer{}
	var expiration string
	for name, to := range map[string]*string{
		"AccessKeyId": &out.AccessKeyID, "SecretAccessKey": &out.SecretAccessKey, "SessionToken": &out.SessionToken, "Expiration": &expiration,
	} {
		if *to, err = credentials.textOf(name); err != nil {
			return nil, err
		}
	}
	if out.Expiration, err = time.Parse(time.RFC3339, expiration); err != nil {
		return nil, errors.New("the expiration is not a time")
	}
	user, err := result.child("AssumedRoleUser")
	if err != nil || user == nil {
		return out, err
	}
	out.RoleARN, err = user.textOf("Arn")
	return out, err
}

// readError reads a refusal: in STS's envelope, or as the bare document of a store.
func readError(body []byte) (code, message string, err error) {
	root, err := tree(body)
	if err != nil {
		return "", "", err
	}
	if root.name == "ErrorResponse" {
		if root, err = root.path("Error"); err != nil {
			return "", "", err
		}
	}
	if root.name != "Error" {
		return "", "", errors.New("not an error document")
	}
	if code, err = root.textOf("Code"); err != nil {
		return "", "", err
	}
	message, err = root.textOf("Message")
	return code, message, err
}

// tree reads a document whole, within the limits. Document types, and with them entities, are refused; so is what follows
// the root.
func tree(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = true
	top := &element{}
	open, count := []*element{top}, 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, errors.New("not XML")
		}
		switch t := token.(type) {
		case xml.StartElement:
			if count++; count > maxElements || len(open) > maxDepth {
				return nil, errors.New("too many elements")
			}
			if t.Name.Space != "" && t.Name.Space != namespace {
				return nil, errors.New("an element of another namespace")
			}
			e, parent := &element{name: t.Name.Local}, open[len(open)-1]
			parent.children = append(parent.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			e := open[len(open)-1]
			e.text = append(e.text, t...)
		case xml.Directive:
			return nil, errors.New("a document type")
		}
	}
	if len(top.children) != 1 || len(bytes.TrimSpace(top.text)) > 0 {
		return nil, errors.New("not one document")
	}
	return top.children[0], nil
}
