package policy

import "strings"

// Trust asks a role's trust policy (spec §1.9) whether the principal may do the action, such as
// sts:AssumeRoleWithWebIdentity or sts:TagSession. The resource of the request is not looked at: it is the role. A
// federated principal is matched by its own name alone, never by "*".
//
// For sts:AssumeRole the trust policy is half of the answer: see Policies.AssumeRole.
func Trust(trust *Document, r *Request) Decision {
	q := r.question()
	v := q.trust(trust)
	return v.trusted()
}

// trust polls a trust policy.
func (q *question) trust(trust *Document) vote {
	alone := [...]Named{{Document: trust}}
	return q.poll(KindTrust, alone[:])
}

// trusted is the decision of a trust policy alone.
func (v *vote) trusted() Decision {
	if v.denied {
		return v.decision(false)
	}
	if v.grade == unnamed {
		return v.refusal()
	}
	d := v.decision(true)
	d.Delegated = v.grade == delegate
	return d
}

// AssumeRole decides whether a caller, whose policies these are, may do sts:AssumeRole, or the sts:TagSession and
// sts:SetSourceIdentity that go with it, on the role that the request's Resource names. The trust policy must allow it. In
// the role's own account it suffices alone when it names the caller by his user, session or role ARN; named by account or
// "*", and from every other account, his own policies must allow it too. An explicit Deny on either side wins (spec §1.9).
// The Resource policies are not asked: the trust policy takes their place.
func (p *Policies) AssumeRole(trust *Document, r *Request) Decision {
	q := r.question()
	v := q.trust(trust)
	if d := v.trusted(); !d.Allowed {
		return d
	}
	suffices := never
	if q.onOwnRole() {
		suffices = named
	}
	return p.weigh(&q, v, suffices)
}

// onOwnRole reports whether the resource is a role of the caller's account.
func (q *question) onOwnRole() bool {
	return q.isARN && q.arn[partService] == "iam" && strings.HasPrefix(q.arn[partResource], "role/") &&
		q.arn[partAccount] != "" && q.arn[partAccount] == q.principal.Account
}
