// Package door is the one way in: the pipeline that every request of every service takes, whatever its protocol.
//
// It owns what all operations share, so that none can forget it: one snapshot for the request, strict decoding, who
// calls, constraints, what is concerned, whether policies allow it, the event, and the encoding of answers and faults.
// An operation is a row of a table; what is in no table cannot be routed. Serve reads top to bottom.
package door

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"idpool/internal/admission"
	"idpool/internal/deadline"
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
	pace     *admission.Pace
	report   func(error)
	observe  func(service, operation, outcome string, d time.Duration)
	services []*service
	common   common
}

// Config is what a door needs; all fields but Observe.
type Config struct {
	Source   *snapshot.Source
	Services []operation.Service
	Sink     event.Sink
	Now      func() time.Time
	// Report, if set, is told of what an operator must see and no caller may: records that cannot be written, bugs.
	Report func(error)
	// Rates are how often operations may be called in a second, by all clients together. An operation that is not named
	// is not limited.
	Rates map[string]int
	// Pace, if set, holds back the refusals of a client that has too many of them.
	Pace *admission.Pace
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
	d := &Door{source: c.Source, sink: c.Sink, now: c.Now, pace: c.Pace, report: c.Report, observe: c.Observe, rates: map[string]*admission.Rates{}}
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
	// denial is the message about a denial, for sts:DecodeAuthorizationMessage.
	denial string
}

// usualSteps is how many steps the record of vending has.
const usualSteps = 6

// Serve answers one request whose body was read. It writes exactly one answer and one event.
func (d *Door) Serve(w http.ResponseWriter, r *http.Request, body []byte, from Origin) {
	start := d.now()
	q := &request{http: r, body: body, from: from, protocol: protocolOf(r), call: d.newCall(r, from, start)}
	ctx, cancel := lasting(r.Context())
	defer cancel()
	out, err := d.guarded(ctx, q)
	answer := q.answer(out, err)
	held := d.holds(q, &answer)
	if err := d.record(q, err, start); err != nil {
		answer = q.answer(nil, fault.From(err)) // what is not on record is not handed out
	}
	d.pace.Hold(held)
	answer.write(w)
}

// holds is how long an answer is held back: a refusal, of a client that has too many of them (security F3). It is on record,
// so that who wonders why an answer took long finds it.
func (d *Door) holds(q *request, a *answer) time.Duration {
	if a.status < 400 || a.status >= 500 {
		return 0
	}
	held := d.pace.Due(admission.Neighbourhood(q.call.Client), d.now())
	q.call.Event.HeldMicros = held.Microseconds()
	return held
}

// newCall is the call as far as it is known before anything of the request was read, with its record.
func (d *Door) newCall(r *http.Request, from Origin, start time.Time) *operation.Call {
	agent := oneLine(r.UserAgent())
	call := &operation.Call{
		Now: start, RequestID: from.RequestID, Client: from.Client, Secure: from.Secure, UserAgent: agent,
		Event: &event.Record{Time: start.UTC(), RequestID: from.RequestID, UserAgent: agent, Steps: make([]event.Step, 0, usualSteps)},
	}
	call.Fresh = func() error { return d.fresh(start) }
	if from.Client.IsValid() {
		call.Event.Client = from.Client.String()
	}
	return call
}

// guarded is handle, in which a bug is a fault of ours that is put on record like any other. What was panicked with may be
// anything, so only its type is told.
func (d *Door) guarded(ctx context.Context, q *request) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fault.From(fmt.Errorf("a panic with a value of type %T", p))
			d.tell(fmt.Errorf("request %s: a panic with a value of type %T\n%s", q.call.RequestID, p, debug.Stack()))
		}
	}()
	return d.handle(ctx, q)
}

// fresh refuses once a request has taken longer than a snapshot may be old, or the store has not answered for as long.
func (d *Door) fresh(start time.Time) error {
	if took := d.now().Sub(start); took > snapshot.MaxAge {
		return fault.From(fmt.Errorf("the request took %v, and what it was decided on is too old", took.Round(time.Second)))
	}
	_, err := d.source.Current()
	return err
}

func (d *Door) tell(err error) {
	if d.report != nil {
		d.report(err)
	}
}

// lasting is the context of a request without the end of its client, but with its deadline. net/http takes a client that
// only ended its own sending, as it may, for one that is gone; and what was begun for one that is gone is still ended in
// order, rather than in the middle with a fault of ours on record.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	ctx = context.WithoutCancel(ctx)
	if !ok {
		return ctx, func() {}
	}
	return deadline.With(ctx, end)
}

// handle runs the request and returns what it answers.
func (d *Door) handle(ctx context.Context, q *request) (any, error) {
	var err error
	if q.call.Snapshot, err = d.source.Current(); err != nil {
		return nil, err
	}
	q.call.Shared = d.common.at(q.call.Snapshot, q.call.Now)
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
	if err := q.barred(); err != nil {
		return nil, err
	}
	if q.row.Access != operation.Anonymous {
		if err := d.rates[q.row.Name].Take(q.row.Name, q.call.Now); err != nil {
			return nil, err
		}
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
	if q.row.Access != operation.Anonymous {
		return nil // its turn is counted once it is known who asks
	}
	return d.rates[name].Take(name, q.call.Now)
}

// record writes the event, durably for changes of configuration that went through.
func (d *Door) record(q *request, err error, start time.Time) error {
	e := q.call.Event
	e.Outcome = "ok"
	if f := fault.From(err); f != nil {
		e.Outcome = string(f.Code)
		// Those sentences quote what was sent, whatever it was.
		if f.Code != fault.Validation && f.Code != fault.InvalidIdentityToken {
			e.Message = event.CutIDs(f.Message)
		}
		if f.Cause != nil {
			e.Cause = event.CutIDs(f.Cause.Error())
		}
	}
	e.MakeLegible()
	took := d.now().Sub(start)
	e.Micros = took.Microseconds()
	failed := d.sink.Write(e, q.row != nil && q.row.Writes && err == nil)
	outcome := e.Outcome
	if failed != nil {
		outcome = string(fault.Internal)
		d.tell(failed)
	}
	if d.observe != nil {
		d.observe(e.Service, e.Operation, outcome, took)
	}
	return failed
}

// DenialHeader carries, beside a denial in AWS's own words, what the policies were asked: a message that
// sts:DecodeAuthorizationMessage reads.
const DenialHeader = "X-Idpool-Authorization-Message"

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
		a := q.protocol.fault(q, f)
		if q.denial != "" && f.Code == fault.AccessDenied {
			a.header = append(a.header, [2]string{DenialHeader, q.denial})
		}
		return a
	}
	return q.protocol.encode(q, out)
}

func (a *answer) write(w http.ResponseWriter) {
	h := w.Header()
	values := [...]string{a.contentType, strconv.Itoa(len(a.body))}
	h["Content-Type"], h["Content-Length"] = values[0:1:1], values[1:2:2]
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
