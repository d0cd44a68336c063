package door

import (
	"net/http"
	"strings"

	"idpool/internal/awsjson"
	"idpool/internal/fault"
	"idpool/internal/operation"
)

// jsonProtocol is AWS JSON 1.1 (spec cognito-identity §1).
type jsonProtocol struct{}

// find reads the target. The method, the media type and the absence of a query are part of what a signature covers, so
// they are fixed (security G1, I3).
func (jsonProtocol) find(q *request, services []*service) (string, error) {
	target := q.http.Header["X-Amz-Target"]
	if len(target) != 1 || q.http.Method != http.MethodPost {
		return "", noOperation()
	}
	prefix, name, _ := strings.Cut(target[0], ".")
	for s := range speaks(services, operation.JSON) {
		if s.TargetPrefix == prefix {
			q.service = s
		}
	}
	if q.service == nil {
		return "", noOperation()
	}
	if q.http.URL.RawQuery != "" || q.http.URL.ForceQuery {
		return "", fault.New(fault.Serialization, "A query is not accepted here.")
	}
	if kind := mediaType(q.http); kind != awsjson.ContentType && kind != "application/x-amz-json-1.0" {
		return "", fault.New(fault.Serialization, "The Content-Type must be %s.", awsjson.ContentType)
	}
	return name, nil
}

func noOperation() *fault.Error {
	return fault.New(fault.UnknownOperation, "The X-Amz-Target header names no operation.")
}

func (jsonProtocol) unknown(*request, string) error { return noOperation() }

func (jsonProtocol) decode(q *request, in any) error { return awsjson.Decode(q.body, q.row.In, in) }

// usualAnswer is the size in bytes that credentials fit into.
const usualAnswer = 1280

func (jsonProtocol) encode(q *request, out any) answer {
	a := answer{status: http.StatusOK, contentType: awsjson.ContentType}
	if q.row.Out != nil {
		a.body = awsjson.Encode(make([]byte, 0, usualAnswer), q.row.Out, out)
	}
	return a
}

func (jsonProtocol) fault(_ *request, f *fault.Error) answer {
	status, headers, body := awsjson.EncodeFault(f)
	a := answer{status: status, contentType: awsjson.ContentType, body: body}
	for _, h := range headers {
		a.header = append(a.header, [2]string{h.Name, h.Value})
	}
	return a
}
