package authority

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/operation"
	"idpool/internal/rolemap"
	"idpool/internal/session"
	"idpool/internal/snapshot"
	"idpool/internal/sts"
)

// Service gets credentials from other authorities. Make it with New.
type Service struct {
	*Set
	client  Client
	random  io.Reader
	now     func() time.Time
	wait    func(context.Context, time.Duration) error
	current func() (*snapshot.Snapshot, error)
	admit   func(context.Context, func()) error

	breakers map[string]*breaker // by name
	kept     kept
}

// Parts are what a Service needs.
type Parts struct {
	Authorities *Set
	Client      Client
	// Random is the source of the ids of tokens.
	Random io.Reader
	Now    func() time.Time
	// Wait waits between two calls; it returns the error of a context that ended first.
	Wait func(context.Context, time.Duration) error
	// Current returns the newest snapshot: a slow authority must not make a request older than a change.
	Current func() (*snapshot.Snapshot, error)
	// Admit, where set, runs the signing of a token in its turn, or returns an error without running it: anybody who has a
	// guest's id can ask for one. *admission.Pool's Do is one.
	Admit func(ctx context.Context, work func()) error
}

// New returns a service.
func New(p Parts) *Service {
	s := &Service{
		Set: p.Authorities, client: p.Client, random: p.Random, now: p.Now, wait: p.Wait, current: p.Current, admit: p.Admit, breakers: map[string]*breaker{},
	}
	for _, a := range s.All() {
		s.breakers[a.Name] = &breaker{}
	}
	return s
}

// Request asks for credentials of a role of another authority.
type Request struct {
	RoleARN string
	// Claims are those of our own token for the identity, which need not be signed.
	Claims *issuer.Claims
	// Guest holds the session to the guests' scope-down.
	Guest bool
}

// Assume gets credentials of a role from its authority, which Of returned. Errors are those of
// GetCredentialsForIdentity (spec §5.5): InvalidIdentityPoolConfiguration where the authority refuses or the session policy
// cannot be written, TooManyRequests where it asks to come later, ExternalService where it fails. The event has its words.
func (s *Service) Assume(ctx context.Context, call *operation.Call, a *Authority, r Request) (session.Credentials, error) {
	policy, err := a.sessionPolicy(&r)
	if err != nil {
		call.Event.Add(event.Step{Name: "policy", Subject: r.RoleARN, Expected: "a session policy for the authority " + a.Name, Found: err.Error()})
		return session.Credentials{}, rolemap.NoRole(err)
	}
	key := r.key(a, policy)
	if c, ok := s.kept.get(call.Snapshot.Revision, key, a.Reuse, call.Now); ok {
		return s.handOut(call, a, &r, c, "used again")
	}
	answer, err := s.mint(ctx, call, a, &r, policy)
	if err != nil {
		return session.Credentials{}, a.fault(call, &r, err)
	}
	c := session.Credentials{
		AccessKeyID: answer.AccessKeyID, SecretAccessKey: answer.SecretAccessKey, SessionToken: answer.SessionToken,
		Expiration: answer.Expiration.UTC().Truncate(time.Second),
	}
	if a.Reuse > 0 {
		s.kept.put(call.Snapshot.Revision, key, lease{c, call.Now}, call.Now)
	}
	return s.handOut(call, a, &r, c, "minted by the authority "+a.Name)
}

// sessionPolicy is the policy that the session is held to; empty for none.
func (a *Authority) sessionPolicy(r *Request) (string, error) {
	t := a.Policy
	if r.Guest {
		if t = a.Guest; t == nil {
			t = GuestTemplate(a.Dialect)
		}
	}
	if t == nil {
		return "", nil
	}
	return t.Fill(Keys(r.Claims.IdentityID, r.Claims.PoolID, r.Claims.Tags))
}

// mint calls the authority, again where that may help.
func (s *Service) mint(ctx context.Context, call *operation.Call, a *Authority, r *Request, policy string) (*Answer, error) {
	if s.breakers[a.Name].open(s.now()) {
		return nil, &Failure{Why: Unreachable, Cause: errOpen}
	}
	token, err := s.sign(ctx, call, a, r)
	if err != nil {
		return nil, err
	}
	if len(token) > maxToken {
		return nil, &Failure{Why: Refused, Cause: errors.New("the token for the authority is too long: it has too many tags")}
	}
	form := a.form(r, token, policy)
	const firstWait = 100 * time.Millisecond
	for try := 0; ; try++ {
		answer, err := s.ask(ctx, a, form)
		if err == nil {
			return answer, a.judged(answer, r, s.now(), s.breakers[a.Name])
		}
		if try >= a.Retries || !again(err) || ctx.Err() != nil {
			return nil, a.quoted(err, token, r)
		}
		if s.wait(ctx, firstWait<<try) != nil {
			return nil, a.quoted(err, token, r)
		}
	}
}

// sign signs the token in its turn.
func (s *Service) sign(ctx context.Context, call *operation.Call, a *Authority, r *Request) (token string, err error) {
	work := func() { token, err = a.token(call.Snapshot.Keys, s.random, r.Claims, call.Now) }
	if s.admit == nil {
		work()
		return token, err
	}
	if refused := s.admit(ctx, work); refused != nil {
		return "", refused
	}
	return token, err
}

// judged is judge, whose refusals count as failures of the authority.
func (a *Authority) judged(answer *Answer, r *Request, now time.Time, b *breaker) error {
	err := a.judge(answer, r.RoleARN, sts.SessionName, now)
	b.done(now, err, false)
	return err
}

// form are the parameters of AssumeRoleWithWebIdentity.
func (a *Authority) form(r *Request, token, policy string) []Field {
	out := []Field{
		{"Action", "AssumeRoleWithWebIdentity"}, {"Version", "2011-06-15"},
		{"RoleArn", r.RoleARN}, {"RoleSessionName", sts.SessionName}, {"WebIdentityToken", token},
		{"DurationSeconds", strconv.Itoa(int(a.Duration / time.Second))},
	}
	if policy != "" {
		out = append(out, Field{"Policy", policy})
	}
	return out
}

// maxToken is the longest token that an STS takes, in characters (spec §1.3).
const maxToken = 20_000

var errOpen = errors.New("it failed several times in a row and is left alone for some seconds")

// ask makes one call unless the breaker says no. How a call ended that brought an answer is noted once it was judged.
func (s *Service) ask(ctx context.Context, a *Authority, form []Field) (*Answer, error) {
	b := s.breakers[a.Name]
	if !b.allow(s.now()) {
		return nil, &Failure{Why: Unreachable, Cause: errOpen}
	}
	answer, err := s.client.Ask(ctx, a, form)
	if err != nil {
		b.done(s.now(), err, ctx.Err() != nil)
		return nil, err
	}
	return answer, nil
}

// broken reports whether an error says that the authority does not work, rather than that it refuses.
func broken(err error) bool {
	f, ok := errors.AsType[*Failure](err)
	return !ok || f.Why == Unreachable || f.Why == Garbled
}

// again reports whether another call may help.
func again(err error) bool {
	f, ok := errors.AsType[*Failure](err)
	return ok && (f.Why == Unreachable || f.Why == Throttled) && f.Cause != errOpen
}

// handOut notes and returns credentials, unless the request has taken too long.
func (s *Service) handOut(call *operation.Call, a *Authority, r *Request, c session.Credentials, how string) (session.Credentials, error) {
	if err := s.fresh(call); err != nil {
		call.Event.Add(event.Step{Name: "mint", Subject: r.RoleARN, Expected: "a configuration that has not changed meanwhile", Found: "another, or none"})
		return session.Credentials{}, err
	}
	call.Event.SetMinted(r.RoleARN, c.AccessKeyID)
	call.Event.Add(event.Step{
		Name: "mint", OK: true, Subject: r.RoleARN,
		Found: fmt.Sprintf("credentials until %s, %s, guest scope-down %v", c.Expiration.Format(time.RFC3339), how, r.Guest),
	})
	return c, nil
}

// fresh refuses once the configuration has changed, a revocation included, since the request began: what comes next would
// be for what it was before. A request of ours alone may be answered by its age; an authority may take longer.
func (s *Service) fresh(call *operation.Call) error {
	if call.Fresh() == nil {
		return nil
	}
	now, err := s.current()
	if err == nil && now.Revision != call.Snapshot.Revision {
		err = fault.New(fault.TooManyRequests, "Rate exceeded") // the one declared code upon which every SDK tries again
	}
	return err
}

// fault turns a failure into what the caller reads, and notes it.
func (a *Authority) fault(call *operation.Call, r *Request, err error) error {
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		return err
	}
	call.Event.Add(event.Step{Name: "authority", Subject: r.RoleARN, Expected: "credentials from the authority " + a.Name, Found: f.words()})
	switch f.Why {
	case Refused:
		return rolemap.NoRole(f)
	case Throttled:
		return fault.Wrap(fault.TooManyRequests, "Rate exceeded", f)
	default:
		return fault.Wrap(fault.ExternalService, a.Name+" is not responding.", f)
	}
}
