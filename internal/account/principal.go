package account

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"

	"idpool/internal/policy"
)

// TrustPolicy compiles the role's trust policy with the unique ids of Principals in the place of their ARNs: a user or role
// that is made again under an old name is not the one that was trusted (spec sts-iam §2.2).
func (r *Role) TrustPolicy() (*policy.Document, error) {
	text, err := r.bound()
	if err != nil {
		return nil, fmt.Errorf("trust policy of role %s: %w", r.Name, err)
	}
	return policy.Parse(policy.KindTrust, text)
}

// principal is where a trust policy names its principals of type AWS.
var principal = regexp.MustCompile(`^/Statement(/\d+)?/Principal/AWS(/\d+)?$`)

// bound returns the trust policy with the ids in it. Every other byte is as it was submitted. A text that is no JSON
// comes back as it is: the parser has a sentence for it.
func (r *Role) bound() ([]byte, error) {
	text := []byte(r.Trust)
	if len(r.Principals) == 0 {
		return text, nil
	}
	var out []byte
	done := 0
	for dec := jsontext.NewDecoder(bytes.NewReader(text)); ; {
		if dec.PeekKind() != '"' {
			if _, err := dec.ReadToken(); errors.Is(err, io.EOF) {
				return append(out, text[done:]...), nil
			} else if err != nil {
				return text, nil
			}
			continue
		}
		name, err := dec.ReadValue()
		if err != nil {
			return text, nil
		}
		if id := r.idOf(name, dec.StackPointer()); id != "" {
			end := int(dec.InputOffset())
			out = append(append(out, text[done:end-len(name)]...), `"`+id+`"`...)
			done = end
		}
	}
}

// idOf returns the unique id of a JSON string that names a principal; empty for every other string.
func (r *Role) idOf(quoted jsontext.Value, at jsontext.Pointer) string {
	if !principal.MatchString(string(at)) {
		return ""
	}
	name, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return ""
	}
	return r.Principals[string(name)]
}
