package authority

import (
	"strings"

	"idpool/internal/policy"
)

// Dialect is how the STS and the policies of one kind of authority differ from those of others.
type Dialect struct {
	Kind string
	// Tags is how it reads principal tags, unless the configuration says otherwise.
	Tags TagForm
	// MaxPolicy is the longest session policy in bytes.
	MaxPolicy int
	// escapes says that ${*}, ${?} and ${$} stand for these characters in its policies. Where they do not, a value that
	// holds one cannot be written, and is refused.
	escapes bool
	// colons says that the last part of a resource may hold colons, as identity ids do.
	colons bool
	// services are those whose actions its policies know; nil means all of AWS's.
	services []string
	// namesRole says that every answer names the session's role; others may leave it out.
	namesRole bool
	// keepsPath says that the ARN of a session may keep the path of its role.
	keepsPath bool
	// anyAccount says that the account in the ARN of a session is the authority's own, whatever that of the role is.
	anyAccount bool
}

// maxPolicy is the limit of AWS (spec §1.3), which the others share (spec §5.0).
const maxPolicy = 2048

// dialects are all kinds (spec §5.1–5.5). What is not known of a kind is read as for the narrowest.
var dialects = []Dialect{
	{Kind: "aws", Tags: Nested, MaxPolicy: maxPolicy, escapes: true, colons: true, namesRole: true},
	// Ceph 16.2 takes a resource with a colon in its last part, and an action that it does not know, for a malformed policy.
	{Kind: "ceph", Tags: Nested, MaxPolicy: maxPolicy, services: storage, namesRole: true, keepsPath: true},
	{Kind: "seaweedfs", Tags: Flat, MaxPolicy: maxPolicy, services: storage, colons: true, namesRole: true, keepsPath: true, anyAccount: true},
	// MinIO's answer leaves AssumedRoleUser empty.
	{Kind: "minio", Tags: NoTags, MaxPolicy: maxPolicy, services: storage, colons: true, keepsPath: true, anyAccount: true},
	{Kind: "generic", Tags: Nested, MaxPolicy: maxPolicy, services: storage, namesRole: true},
}

var storage = []string{"s3"}

// Kinds returns the names of all kinds.
func Kinds() []string {
	out := make([]string, len(dialects))
	for i := range dialects {
		out[i] = dialects[i].Kind
	}
	return out
}

// DialectOf returns the dialect of a kind, or nil.
func DialectOf(kind string) *Dialect {
	for i := range dialects {
		if dialects[i].Kind == kind {
			return &dialects[i]
		}
	}
	return nil
}

// TagForm is the form of the claim that carries principal tags (spec §1.8).
type TagForm string

// The forms.
const (
	Nested TagForm = "nested" // one claim with an object
	Flat   TagForm = "flat"   // the object's members as claims of their own
	NoTags TagForm = "none"   // not passed
)

// guestActions are the actions of the guests' scope-down that the dialect knows.
func (d *Dialect) guestActions() []string {
	var out []string
	for _, p := range policy.GuestScopeDown() {
		for _, s := range p.Document.Statements() {
			for _, action := range s.Actions {
				if d.knows(action) {
					out = append(out, action)
				}
			}
		}
	}
	return out
}

// knows reports whether an action is of a service of the dialect.
func (d *Dialect) knows(action string) bool {
	if d.services == nil {
		return true
	}
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	for _, s := range d.services {
		if s == service {
			return true
		}
	}
	return false
}
