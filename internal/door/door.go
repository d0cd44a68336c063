// Package door is the one way in: the pipeline that every request of every service takes, whatever its protocol.
//
// It owns what all operations share, so that none can forget it: one snapshot for the request, strict decoding, who
// calls, constraints, what is concerned, whether policies allow it, the event, and the encoding of answers and faults.
// An operation is a row of a table; what is in no table cannot be routed. Serve reads top to bottom.
package door

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"idpool/internal/admission"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/sigv4"
	"idpool/internal/snapshot"
)

// Door answers requests. Make it with New.
type Door struct {
	source   *snapshot.Source
	sink     event.Sink
	now      func() time.Time
	rates    map[string]*admission.Rates // by operation
	observe  func(service, operation, outcome string, d time.Duration)
	services []*service
}

// Config is what a door needs; all fields but Observe.
type Config struct {
	Source   *snapshot.Source
	Services []operation.Service
	Sink     event.Sink
	Now      func() time.Time
	// Rates are how often operations may be called in a second, by all clients together. An operation that is not named
	// is not limited.
	Rates map[string]int
	// Observe, if set, is told of every request; operation is empty where none was found.
	Observe func(service, operation, outcome string, d time.Duration)
}

// service is a table, indexed.
type service struct {
	operation.Service
	rows     map[string]*operation.Row
	verifier *sigv4.Verifier
}

// New returns a door to the services. region is the one that signatures must name, except for global services.
func New(c Config, region string) *Door {
	d := &Door{source: c.Source, sink: c.Sink, now: c.Now, observe: c.Observe, rates: map[string]*admission.Rates{}}
	for name, n := range c.Rates {
		d.rates[name] = admission.NewRates(float64(n), n)
	}
	for _, s := range c.Services {
		indexed := &service{
			Service: s, rows: map[string]*operation.Row{},
			verifier: &sigv4.Verifier{Region: region, Services: []string{s.Name}},
		}
		if s.Global {
			indexed.verifier.Region = ""
		}
		for i := range s.Rows {
			indexed.rows[s.Rows[i].Name] = &s.Rows[i]
		}
		d.services = append(d.services, indexed)
	}
	return d
}

// request is one request on its way through.
type request struct {
	http *http.Request
	body []byte
	from Origin
	call *operation.Call
	// protocol is how the request speaks; known even when nothing else could be read.
	protocol protocol
	service  *service
	row      *operation.Row
}

// Serve answers one request whose body was read. It writes exactly one answer and one event.
func (d *Door) Serve(w http.ResponseWriter, r *http.Request, body []byte, from Origin) {
	start := d.now()
	q := &request{http: r, body: body, from: from, protocol: protocolOf(r)}
	q.call = &operation.Call{
		Now: start, RequestID: from.RequestID, Client: from.Client, Secure: from.Secure, UserAgent: oneLine(r.UserAgent()),
		Event: &event.Record{Time: start.UTC(), RequestID: from.RequestID, UserAgent: oneLine(r.UserAgent())},
	}
	if from.Client.IsValid() {
		q.call.Event.Client = from.Client.String()
	}
	out, err := d.handle(r.Context(), q)
	answer := q.answer(out, err)
	if err := d.record(q, err, start); err != nil {
		answer = q.answer(nil, fault.From(err)) // what is not on record is not handed out
	}
	answer.write(w)
}

// handle runs the request and returns what it answers.
func (d *Door) handle(ctx context.Context, q *request) (any, error) {
	var err error
	if q.call.Snapshot, err = d.source.Current(); err != nil {
		return nil, err
	}
	if err := d.route(q); err != nil {
		return nil, err
	}
	in := q.row.New()
	if err := q.protocol.decode(q, in); err != nil {
		return nil, err
	}
	if err := d.authenticate(q); err != nil {
		return nil, err
	}
	if err := q.row.In.Check(in); err != nil {
		return nil, err
	}
	if err := authorise(ctx, q, in); err != nil {
		return nil, err
	}
	return q.row.Do(ctx, q.call, in)
}

// route finds the operation that the request names.
func (d *Door) route(q *request) error {
	if q.http.URL.Path != "/" || q.http.URL.RawPath != "" {
		return fault.New(fault.UnknownOperation, "There is nothing at this path.")
	}
	name, err := q.protocol.find(q, d.services)
	if err != nil {
		return err
	}
	q.call.Event.Service = q.service.Name
	if q.row = q.service.rows[name]; q.row == nil {
		return q.protocol.unknown(q, name)
	}
	q.call.Event.Operation = q.row.Name
	return d.rates[name].Take(name, q.call.Now)
}

// record writes the event, durably for changes of configuration that went through.
func (d *Door) record(q *request, err error, start time.Time) error {
	e := q.call.Event
	e.Outcome = "ok"
	if f := fault.From(err); f != nil {
		e.Outcome = string(f.Code)
		if f.Code != fault.Validation { // that sentence quotes what was sent, whatever it was
			e.Message = event.CutIDs(f.Message)
		}
		if f.Cause != nil {
			e.Cause = event.CutIDs(f.Cause.Error())
		}
	}
	took := d.now().Sub(start)
	e.Micros = took.Microseconds()
	if d.observe != nil {
		d.observe(e.Service, e.Operation, e.Outcome, took)
	}
	return d.sink.Write(e, q.row != nil && q.row.Writes && err == nil)
}

// answer is a whole answer, made before anything is sent.
type answer struct {
	status      int
	contentType string
	header      [][2]string
	body        []byte
}

// answer encodes what an operation returned, or the fault.
func (q *request) answer(out any, err error) answer {
	if f := fault.From(err); f != nil {
		return q.protocol.fault(q, f)
	}
	return q.protocol.encode(q, out)
}

func (a *answer) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	for _, line := range a.header {
		h.Set(line[0], line[1])
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone; there is nobody to tell
}

// oneLine keeps what a header may bring into an event short and printable.
func oneLine(s string) string {
	const most = 256
	b := make([]byte, 0, min(len(s), most))
	for i := 0; i < len(s) && len(b) < most; i++ {
		if s[i] >= ' ' && s[i] <= '~' {
			b = append(b, s[i])
		}
	}
	return string(b)
}
