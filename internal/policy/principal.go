package policy

import "strings"

// grade is how closely a statement names the caller. Resource and trust policies give more to a closer name.
type grade uint8

const (
	unnamed  grade = iota // the statement does not match
	delegate              // by account, or "*": the account's own policies decide as well (spec §1.9)
	named                 // by role, provider or service
	self                  // by the caller's own ARN: user, session, federated user
)

// names are the principals of one statement.
type names struct {
	not     bool
	entries []nameEntry // nil: the kind of policy has none, and the statement is for everyone it is attached to
}

// nameEntry is one compiled principal. Nothing in it is a pattern.
type nameEntry struct {
	kind  nameKind
	grade grade
	text  string
}

type nameKind uint8

const (
	nameAnyone nameKind = iota
	nameAccount
	nameARN
	nameUniqueID
	nameFederated
	nameService
	nameCanonical
)

// match returns how closely the principal is named.
func (n *names) match(p *Principal) grade {
	if n.entries == nil {
		return self
	}
	best := unnamed
	for i := range n.entries {
		if e := &n.entries[i]; e.grade > best && e.match(p) {
			best = e.grade
		}
	}
	if !n.not {
		return best
	}
	if best == unnamed {
		return delegate
	}
	return unnamed
}

func (e *nameEntry) match(p *Principal) bool {
	switch e.kind {
	case nameAnyone: // any AWS principal and the anonymous one, never a federated one (spec §1.9)
		return p.Federated == "" && p.Service == ""
	case nameAccount:
		return p.Account == e.text
	case nameARN:
		return p.is(e.text)
	case nameUniqueID:
		id, _, _ := strings.Cut(p.UserID, ":")
		return id == e.text
	case nameFederated:
		return p.Federated == e.text
	case nameService:
		return p.Service == e.text
	case nameCanonical:
		return p.CanonicalUser == e.text
	}
	return false
}

func (p *Principal) is(arn string) bool {
	for _, own := range p.AWS {
		if own == arn {
			return true
		}
	}
	return false
}

// isFederatedUser reports whether the caller is a session of GetFederationToken.
func (p *Principal) isFederatedUser() bool {
	for _, own := range p.AWS {
		if parts, ok := splitARN(own); ok && strings.HasPrefix(parts[partResource], "federated-user/") {
			return true
		}
	}
	return false
}

// compileNames compiles the principals of a statement.
func compileNames(kind Kind, s *Statement) (names, error) {
	n := names{not: s.NotPrincipal}
	for _, p := range s.Principals {
		e, ok := compileName(kind, p)
		if !ok {
			return n, malformed(`Invalid principal in policy: "`+clip(p.Type)+`":"`+clip(p.Name)+`"`, "principal")
		}
		n.entries = append(n.entries, e)
	}
	return n, nil
}

func compileName(kind Kind, p PrincipalName) (nameEntry, bool) {
	if p.Type == "*" {
		return nameEntry{kind: nameAnyone, grade: delegate}, p.Name == "*"
	}
	if !plainName(p.Name) {
		return nameEntry{kind: nameAnyone, grade: delegate}, p.Type == "AWS" && p.Name == "*"
	}
	switch p.Type {
	case "AWS":
		return compileAWSName(p.Name)
	case "Federated":
		return nameEntry{kind: nameFederated, grade: named, text: p.Name}, true
	case "Service":
		return nameEntry{kind: nameService, grade: named, text: p.Name}, true
	case "CanonicalUser":
		return nameEntry{kind: nameCanonical, grade: named, text: p.Name}, kind == KindResource
	}
	return nameEntry{}, false
}

// plainName wants printable ASCII without what looks like a wildcard, a variable or a quote.
func plainName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`*?$"\{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// compileAWSName reads an account, an ARN or a unique id (what a deleted user or role leaves behind, spec §2.2).
func compileAWSName(s string) (nameEntry, bool) {
	if isAccount(s) {
		return nameEntry{kind: nameAccount, grade: delegate, text: s}, true
	}
	if g := gradeOfID(s); g != unnamed {
		return nameEntry{kind: nameUniqueID, grade: g, text: s}, true
	}
	parts, ok := splitARN(s)
	if !ok || parts[0] != "arn" || !knownPartition(parts[partPartition]) || parts[partRegion] != "" || !isAccount(parts[partAccount]) {
		return nameEntry{}, false
	}
	if parts[partService] == "iam" && parts[partResource] == "root" && parts[partPartition] == partitions[0] {
		return nameEntry{kind: nameAccount, grade: delegate, text: parts[partAccount]}, true
	}
	g := gradeOfARN(parts[partService], parts[partResource])
	return nameEntry{kind: nameARN, grade: g, text: s}, g != unnamed
}

func isAccount(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 12
}

func knownPartition(s string) bool { return validPartition(s) && !strings.ContainsAny(s, "*?") }

// gradeOfID tells the unique id of a user or role (spec §1.5) from other text.
func gradeOfID(s string) grade {
	if len(s) < 16 || len(s) > 128 {
		return unnamed
	}
	for i := range len(s) {
		if c := s[i]; !('A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			return unnamed
		}
	}
	switch s[:4] {
	case "AIDA":
		return self
	case "AROA":
		return named
	}
	return unnamed
}

func gradeOfARN(service, rest string) grade {
	kind, name, _ := strings.Cut(rest, "/")
	first, second, two := strings.Cut(name, "/")
	switch service + ":" + kind {
	case "iam:root":
		if rest == "root" {
			return delegate
		}
	case "iam:user":
		if name != "" {
			return self
		}
	case "iam:role":
		if name != "" {
			return named
		}
	case "sts:assumed-role":
		if two && first != "" && second != "" && !strings.Contains(second, "/") {
			return self
		}
	case "sts:federated-user":
		if name != "" && !two {
			return self
		}
	}
	return unnamed
}
