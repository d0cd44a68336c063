package policy

// Request is one question: may the principal do the action on the resource?
type Request struct {
	Action    string // "service:Name", in any case
	Resource  string // an ARN, or "*" for what has none; unused where a trust policy alone is asked
	Principal Principal
	Context   *Context
}

// Principal is the caller as resource and trust policies name him. Leave empty what does not apply; the zero value is the
// anonymous caller.
type Principal struct {
	AWS           []string // the ARNs that he is known by: that of his session, and of the role; or of the user
	Account       string   // 12 digits
	UserID        string   // unique id: AIDA… of a user, AROA…:session of a role's session
	Federated     string   // identity provider, when a token or assertion of it is shown to assume a role
	Service       string   // such as "ec2.amazonaws.com"
	CanonicalUser string   // S3's own name for an account
}

// Named is a document with the name that an explanation calls it by: its ARN, or its name in the role or user.
type Named struct {
	Name     string
	Document *Document
}

// Policies is everything that bears on a caller. Several of one kind are united; the kinds are intersected. A nil slice
// means that there is none of the kind, and for all but Identity and Resource that the kind puts no limit. One that is
// not nil and empty allows nothing: a session with an empty list of session policies may do nothing.
//
// A nil Document, or one of a kind that does not belong, denies everything, since what it would have denied is unknown.
// Documents parsed as KindIdentity, KindSession, KindBoundary and KindScopeDown may stand in for each other.
type Policies struct {
	Identity  []Named
	Session   []Named
	Boundary  []Named
	ScopeDown []Named
	Resource  []Named
}

// Decision is the answer, and the statement that gave it.
type Decision struct {
	Allowed  bool
	Explicit bool // a Deny statement matched
	// Delegated says of an allowed trust decision that the policy names the caller by his account or "*" alone, so that
	// his own policies have to allow the action as well. See Policies.AssumeRole.
	Delegated bool
	Kind      Kind   // of the policy that decided; when nothing matched, the kind that did not allow
	Policy    string // its name; empty when nothing matched
	Statement int    // counted from zero; -1 when nothing matched
	Sid       string
}

// question is a request made ready: it lives on the stack for one decision.
type question struct {
	action    string
	principal *Principal
	context   *Context
	arn       arnParts
	isARN     bool
}

func (r *Request) question() question {
	q := question{action: r.Action, principal: &r.Principal, context: r.Context}
	q.arn, q.isARN = splitARN(r.Resource)
	return q
}

// vote is what the policies of one kind say.
type vote struct {
	kind   Kind
	limits bool  // the kind has policies, or an empty list of them
	denied bool  // place is that of the Deny
	grade  grade // of the closest Allow
	place  place
}

// place is a statement of a policy; -1 is none.
type place struct {
	policy    Named
	statement int
}

// poll asks the policies of one kind. A Deny ends it.
func (q *question) poll(kind Kind, set []Named) vote {
	v := vote{kind: kind, limits: set != nil, place: place{statement: -1}}
	for i := range set {
		d := set[i].Document
		if !d.fits(kind) {
			v.denied, v.place = true, place{set[i], -1}
			return v
		}
		for j := range d.rules {
			r := &d.rules[j]
			if !r.deny && v.grade == self {
				continue
			}
			g := r.applies(q)
			switch {
			case g == unnamed:
			case r.deny:
				v.denied, v.place = true, place{set[i], j}
				return v
			case g > v.grade:
				v.grade, v.place = g, place{set[i], j}
			}
		}
	}
	return v
}

// fits reports whether a document may serve as one of the kind.
func (d *Document) fits(kind Kind) bool {
	if d == nil {
		return false
	}
	return d.kind == kind || d.kind.permits() && kind.permits()
}

// permits says of the kinds that have the form of identity policies.
func (k Kind) permits() bool {
	return k == KindIdentity || k == KindSession || k == KindBoundary || k == KindScopeDown
}

// Decide answers by the algorithm of spec §2.6 for one account: an explicit Deny of any kind wins; then an Allow of a
// resource policy for the caller's own ARN suffices, except against a guest's scope-down; else identity or resource
// policies must allow, and so must every kind that limits.
func (p *Policies) Decide(r *Request) Decision {
	q := r.question()
	return p.weigh(&q, q.poll(KindResource, p.Resource), delegate)
}

// never is above every grade.
const never = self + 1

// weigh sets the vote of a resource's own policy against those of the caller's policies. suffices is the least grade at
// which an Allow of the resource makes an identity policy unnecessary.
func (p *Policies) weigh(q *question, resource vote, suffices grade) Decision {
	identity := q.poll(KindIdentity, p.Identity)
	limits := [...]vote{q.poll(KindBoundary, p.Boundary), q.poll(KindSession, p.Session), q.poll(KindScopeDown, p.ScopeDown)}
	for _, v := range [...]*vote{&resource, &identity, &limits[0], &limits[1], &limits[2]} {
		if v.denied {
			return v.decision(false)
		}
	}
	grant := &identity
	own := resource.grade >= max(suffices, self)
	if own || identity.grade == unnamed && resource.grade >= suffices {
		grant = &resource
	}
	if grant.grade == unnamed {
		return grant.refusal()
	}
	if p.Session == nil && !own && q.principal.isFederatedUser() {
		return limits[1].refusal()
	}
	for i := range limits {
		if v := &limits[i]; v.limits && v.grade == unnamed && (v.kind == KindScopeDown || !own) {
			return v.refusal()
		}
	}
	return grant.decision(true)
}

// refusal is the decision when no Allow of the kind matched.
func (v *vote) refusal() Decision { return Decision{Kind: v.kind, Statement: -1} }

// decision is the decision that the statement in place gave.
func (v *vote) decision(allowed bool) Decision {
	d := Decision{
		Allowed: allowed, Explicit: !allowed, Kind: v.kind, Policy: v.place.policy.Name, Statement: v.place.statement,
	}
	if d.Statement >= 0 {
		d.Sid = v.place.policy.Document.statements[d.Statement].Sid
	}
	return d
}
