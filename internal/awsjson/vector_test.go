package awsjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"idpool/internal/awsjson"
	"idpool/internal/shape"
	"idpool/internal/shape/shapetest"
)

var errNoBody = errors.New("the vector has no body")

// The suites are written for clients. Turned round, what a client must send is what we must read, and what a client
// must read is what we must write.
func TestInputVectors(t *testing.T) {
	shapetest.Run(t, shapetest.Vectors(t, "input", "json"), 54, map[string]string{
		"sends_requests_to_slash":                                 "is about the path",
		"includes_x_amz_target_and_content_type":                  "is about headers",
		"SDKAppliedContentEncoding_awsJson1_1":                    "compressed bodies are refused by the door",
		"SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1": "compressed bodies are refused by the door",
		"PutAndGetInlineDocumentsInput":                           "no operation of ours takes a document of any form",
	}, func(v shapetest.Vector) error {
		if !v.HasBody {
			return errNoBody
		}
		return decodesTo(v)
	})
}

// decodesTo reads the vector's body and compares what it holds with the vector's value.
func decodesTo(v shapetest.Vector) error {
	if v.Type == nil {
		v.Type, v.Value = reflect.TypeFor[struct{}](), map[string]any{}
	}
	sh, err := shape.Of(nil, v.Type)
	if err != nil {
		return err
	}
	want, err := v.New()
	if err != nil {
		return err
	}
	got := reflect.New(v.Type).Interface()
	if err := awsjson.Decode([]byte(v.Body), sh, got); err != nil {
		return err
	}
	if diff := cmp.Diff(got, want, cmpopts.EquateNaNs()); diff != "" {
		return fmt.Errorf("got -, want +:\n%s", diff)
	}
	return nil
}

const (
	otherNames = "names of faults are those of our own table"
	tolerance  = "asks a client to put up with what we never send"
)

func TestOutputVectors(t *testing.T) {
	shapetest.Run(t, shapetest.Vectors(t, "output", "json"), 58, map[string]string{
		"handles_empty_output_shape":                              tolerance,
		"handles_unexpected_json_output":                          tolerance,
		"AwsJson11DeserializeIgnoreType":                          tolerance,
		"AwsJson11InvalidGreetingError":                           otherNames,
		"AwsJson11ComplexError":                                   otherNames,
		"AwsJson11EmptyComplexError":                              otherNames,
		"AwsJson11FooErrorUsingXAmznErrorType":                    otherNames,
		"AwsJson11FooErrorUsingXAmznErrorTypeWithUri":             otherNames,
		"AwsJson11FooErrorUsingXAmznErrorTypeWithUriAndNamespace": otherNames,
		"AwsJson11FooErrorUsingCode":                              otherNames,
		"AwsJson11FooErrorUsingCodeAndNamespace":                  otherNames,
		"AwsJson11FooErrorUsingCodeUriAndNamespace":               otherNames,
		"AwsJson11FooErrorWithDunderType":                         otherNames,
		"AwsJson11FooErrorWithDunderTypeAndNamespace":             otherNames,
		"AwsJson11FooErrorWithDunderTypeUriAndNamespace":          otherNames,
		"PutAndGetInlineDocumentsInput":                           "no operation of ours returns a document of any form",
	}, func(v shapetest.Vector) error {
		if v.Fault {
			return errors.New("an error of the suite's own model")
		}
		if v.Type == nil {
			return sameDocument(awsjson.Encode(nil, nil, nil), v.Body)
		}
		sh, err := shape.Of(nil, v.Type)
		if err != nil {
			return err
		}
		out, err := v.New()
		if err != nil {
			return err
		}
		if err := sameDocument(awsjson.Encode(nil, sh, out), v.Body); err != nil {
			return err
		}
		return decodesTo(v) // what we write, we also read
	})
}

// sameDocument compares two bodies by what they mean: null is an absent member, and times may be written in any zone.
func sameDocument(got []byte, want string) error {
	if len(got) == 0 && want == "" {
		return nil
	}
	var g, w any
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal([]byte(want), &w)); err != nil {
		return fmt.Errorf("got %s, want %s: %w", got, want, err)
	}
	if diff := cmp.Diff(meaning(g), meaning(w)); diff != "" {
		return fmt.Errorf("got -, want +:\n%s", diff)
	}
	return nil
}

func meaning(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if v[name] = meaning(member); member == nil {
				delete(v, name)
			}
		}
	case []any:
		for i := range v {
			v[i] = meaning(v[i])
		}
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC()
		}
	}
	return v
}
