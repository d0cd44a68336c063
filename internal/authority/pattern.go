package authority

import (
	"errors"
	"strings"
)

// Pattern is the ARN of a role, or the beginning of ARNs of roles. ARNs are not taken apart: authorities write them in
// ways of their own, such as arn:aws:iam:::role/NAME (Ceph), arn:aws:iam::role/NAME (SeaweedFS), arn:minio:iam:::role/ID.
type Pattern struct {
	text string // as it was written
	head string // what comes before the *, or everything
	open bool   // there is a *
}

// roleMark is where the name of a role begins, path included.
const roleMark = ":role/"

// maxARN is the longest ARN of a role (spec cognito-identity §3).
const maxARN = 2048

// ParsePattern reads a pattern: an ARN that holds ":role/", in printable ASCII, with one * at its end or none.
func ParsePattern(text string) (Pattern, error) {
	head, open := strings.CutSuffix(text, "*")
	at := strings.Index(head, roleMark)
	switch {
	case !plain(head) || len(text) > maxARN:
		return Pattern{}, errors.New("a pattern is printable ASCII with one * at its end, or none")
	case !strings.HasPrefix(head, "arn:") || at < 0:
		return Pattern{}, errors.New("a pattern begins with arn: and holds :role/")
	case !open && at+len(roleMark) == len(head):
		return Pattern{}, errors.New("the pattern names no role")
	}
	return Pattern{text, head, open}, nil
}

// plain reports whether s is printable ASCII without wildcards.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '*' || c == '?' {
			return false
		}
	}
	return s != ""
}

// String is the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Head is the beginning that all matching ARNs share.
func (p Pattern) Head() string { return p.head }

// Match reports whether a role's ARN matches, byte for byte. What holds wildcards, blanks or no name is no role.
func (p Pattern) Match(roleARN string) bool {
	if len(roleARN) > maxARN || !plain(roleARN) || strings.HasSuffix(roleARN, "/") {
		return false
	}
	if p.open {
		return strings.HasPrefix(roleARN, p.head)
	}
	return roleARN == p.head
}

// Overlaps reports whether an ARN could match both patterns.
func (p Pattern) Overlaps(q Pattern) bool {
	return p.open && strings.HasPrefix(q.head, p.head) || q.open && strings.HasPrefix(p.head, q.head) || p.head == q.head
}

// roleName is the name of a role, and pathName the name with its path.
func roleName(roleARN string) string { return roleARN[strings.LastIndexByte(roleARN, '/')+1:] }

func pathName(roleARN string) string {
	return roleARN[strings.Index(roleARN, roleMark)+len(roleMark):]
}
