package door

import (
	"net/http"

	"idpool/internal/awsquery"
	"idpool/internal/fault"
	"idpool/internal/operation"
)

// queryProtocol is AWS Query (spec sts-iam §1.1): a form in the body, or the query of a GET.
type queryProtocol struct {
	form *awsquery.Form
}

// find reads Action and Version; the version tells the services apart.
func (p *queryProtocol) find(q *request, services []*service) (string, error) {
	text, err := formText(q)
	if err != nil {
		return "", err
	}
	if p.form, err = awsquery.Parse(text); err != nil {
		return "", err
	}
	action, version, ok := awsquery.Operation(p.form)
	if !ok {
		return "", fault.New(fault.MissingAction, "The request names no Action.")
	}
	for s := range speaks(services, operation.Query) {
		if s.Version == version {
			q.service = s
		}
	}
	if q.service == nil {
		return "", fault.New(fault.UnknownOperation, "Could not find the operation for this version.")
	}
	return action, nil
}

func formText(q *request) (string, error) {
	switch {
	case q.http.Method == http.MethodGet && len(q.body) == 0:
		return q.http.URL.RawQuery, nil
	case q.http.Method == http.MethodPost && q.http.URL.RawQuery == "" && mediaType(q.http) == "application/x-www-form-urlencoded":
		return string(q.body), nil
	default:
		return "", fault.New(fault.Serialization, "A form in the body of a POST, or in the query of a GET, is expected.")
	}
}

func (*queryProtocol) unknown(q *request, _ string) error {
	return fault.New(fault.UnknownOperation, "Could not find the operation for version %s", q.service.Version)
}

func (p *queryProtocol) decode(q *request, in any) error {
	if q.row.BodyOnly && q.http.Method != http.MethodPost {
		return fault.New(fault.Serialization, "This operation takes a form in the body of a POST alone.")
	}
	return awsquery.Decode(p.form, q.row.In, in)
}

func (*queryProtocol) encode(q *request, out any) answer {
	if q.row.Out == nil {
		out = nil // a nil pointer, which is not nil as any
	}
	body := awsquery.Encode(q.row.Name, q.service.Namespace, q.call.RequestID, q.row.Out, out)
	return answer{status: http.StatusOK, contentType: awsquery.ContentType, body: body}
}

// fault answers in the namespace of the service, or in STS's where none was found.
func (*queryProtocol) fault(q *request, f *fault.Error) answer {
	namespace := "https://sts.amazonaws.com/doc/2011-06-15/"
	if q.service != nil {
		namespace = q.service.Namespace
	}
	status, body := awsquery.EncodeFault(f, namespace, q.call.RequestID)
	return answer{status: status, contentType: awsquery.ContentType, body: body}
}
