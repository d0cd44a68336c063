package iam

import (
	"strings"
	"unicode/utf8"

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/login"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/snapshot"
)

// encoded is a policy document as answers have it: every byte but the unreserved ones of RFC 3986 §2.3 percent-encoded, so
// that clients which take a plus sign for a space read the same (spec §3.1).
func encoded(document string) *string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(2 * len(document))
	for i := range len(document) {
		c := document[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	out := b.String()
	return &out
}

// sizeOf is what quotas count of a document: its characters without white space (spec §2.8).
func sizeOf(document string) int {
	space := 0
	for _, s := range []string{" ", "\t", "\n", "\r"} {
		space += strings.Count(document, s)
	}
	return utf8.RuneCountInString(document) - space
}

// setTrust puts a trust policy into a role, bound to the users and roles that it names.
func (s *Service) setTrust(call *operation.Call, now *snapshot.Snapshot, r *account.Role, document string) error {
	parsed, err := policy.Parse(policy.KindTrust, []byte(document))
	if err != nil {
		return err
	}
	if parsed.SizeWithoutSpace() > maxTrust {
		return fault.New(fault.LimitExceeded, "Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	if r.Principals, err = principals(now, parsed); err != nil {
		return err
	}
	r.Trust = document
	warnWithoutAMR(call, r, parsed)
	if !s.TrustAnyPool {
		if err := r.PinsPools(); err != nil {
			return err
		}
	}
	return r.Validate()
}

// warnWithoutAMR notes a trust of our own issuer that does not say which kind of login: guests of the pools that it names
// could assume the role, if a pool gives it to them (security E5).
func warnWithoutAMR(call *operation.Call, r *account.Role, trust *policy.Document) {
	if !trust.FederatedWithout(login.OwnIssuer, login.OwnIssuer+":amr") {
		return
	}
	call.Event.Add(event.Step{
		Name: "lint", Subject: r.ARN(call.Snapshot.Account), Expected: "a trust policy that limits " + login.OwnIssuer + ":amr",
		Found: "guests and authenticated identities are trusted alike",
	})
}

// principals returns the unique ids of the users and roles that a trust policy names by ARN. What is not there is refused
// with the sentence that clients wait on, as entities may be on their way (spec §2.7).
func principals(now *snapshot.Snapshot, trust *policy.Document) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range trust.Statements() {
		for _, p := range s.Principals {
			if p.Type != "AWS" {
				continue
			}
			id, ok := identify(now, p.Name)
			if !ok {
				return nil, fault.New(fault.MalformedPolicyDocument, `Invalid principal in policy: "AWS":"%.256s"`, p.Name)
			}
			if id != "" {
				out[p.Name] = id
			}
		}
	}
	return out, nil
}

// identify returns the unique id of the user or role that a principal names by his ARN, and whether what it names is
// there. Accounts, unique ids and sessions have nothing to be bound to.
func identify(now *snapshot.Snapshot, name string) (id string, ok bool) {
	a, err := arn.Parse(name)
	if err != nil { // "*", an account or a unique id: the parser took nothing else
		return "", !isID(name) || hasID(now, name)
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch {
	case kind == "root":
		return "", true
	case a.Account != now.Account:
		return "", false
	case kind == "role":
		if r := now.Role(name); r != nil {
			return r.ID, true
		}
	case kind == "user":
		if u := now.User(name); u != nil {
			return u.ID, true
		}
	case kind == "assumed-role":
		roleName, _, _ := strings.Cut(rest, "/")
		_, err := roleIn(now, roleName)
		return "", err == nil
	}
	return "", false
}

func isID(name string) bool {
	return strings.HasPrefix(name, arn.PrefixRole) || strings.HasPrefix(name, arn.PrefixUser)
}

func hasID(now *snapshot.Snapshot, id string) bool {
	for _, r := range now.Roles() {
		if r.ID == id {
			return true
		}
	}
	for _, u := range now.Users() {
		if u.ID == id {
			return true
		}
	}
	return false
}
