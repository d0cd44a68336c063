package policy

import "strings"

// arnParts are the parts of arn:partition:service:region:account:resource. The last one may hold colons.
type arnParts [6]string

// Places in arnParts.
const (
	partPartition = 1
	partService   = 2
	partRegion    = 3
	partAccount   = 4
	partResource  = 5
)

// splitARN cuts s at its first five colons. Fewer are not an ARN.
func splitARN(s string) (parts arnParts, ok bool) {
	for i := range partResource {
		part, rest, found := strings.Cut(s, ":")
		if !found {
			return arnParts{}, false
		}
		parts[i], s = part, rest
	}
	parts[partResource] = s
	return parts, true
}

// arnPattern is a pattern for each part of an ARN: a wildcard never crosses a colon except in the last (spec §2.2).
type arnPattern struct{ parts [6]pattern }

func (p *arnPattern) match(parts *arnParts, c *Context) bool {
	for i := range p.parts {
		if !p.parts[i].match(exact, parts[i], c) {
			return false
		}
	}
	return true
}

// resource is one entry of a Resource or NotResource.
type resource struct {
	everything bool // a lone *, which also matches what is no ARN
	arn        arnPattern
}

func (r *resource) match(q *question) bool {
	return r.everything || q.isARN && r.arn.match(&q.arn, q.context)
}

// cutPattern splits a pattern as an ARN is split. Where the last part that is given ends with *, the missing ones are *
// (arn:aws:s3:* is everything of S3). Colons inside a variable do not count.
func cutPattern(text string, vars bool) (parts []string, ok bool) {
	rest := text
	for len(parts) < partResource {
		i := colon(rest, vars)
		if i < 0 {
			break
		}
		parts, rest = append(parts, rest[:i]), rest[i+1:]
	}
	parts = append(parts, rest)
	if len(parts) <= partResource && !strings.HasSuffix(rest, "*") {
		return nil, false
	}
	return parts, true
}

// colon returns the place of the first colon outside variables, or -1.
func colon(s string, vars bool) int {
	for i := 0; i < len(s); i++ {
		if s[i] == ':' {
			return i
		}
		if vars && strings.HasPrefix(s[i:], "${") {
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return -1
			}
			i += end
		}
	}
	return -1
}

// compileARN makes a pattern of parts, filling up with * as cutPattern says.
func compileARN(parts []string, vars bool) (p arnPattern, err error) {
	for i := range p.parts {
		part := "*"
		if i < len(parts) {
			part = parts[i]
		}
		if p.parts[i], err = compilePattern(part, true, vars); err != nil {
			return p, err
		}
	}
	return p, nil
}

// checkResourceForm refuses what is neither * nor shaped like an ARN. A variable may stand after the fifth colon alone.
func checkResourceForm(text string, vars bool) error {
	if text == "*" {
		return nil
	}
	parts, ok := cutPattern(text, false)
	if !ok || parts[0] != "arn" || len(parts) == 6 && parts[partResource] == "" || vars && variableTooEarly(parts) {
		return malformed(`Resource `+clip(text)+` must be in ARN format or "*".`, "resource is no ARN")
	}
	return nil
}

func variableTooEarly(parts []string) bool {
	for _, part := range parts[:min(len(parts), partResource)] {
		if strings.Contains(part, "${") {
			return true
		}
	}
	return false
}

// compileResource checks what the parts of a resource say, and compiles it. Its form has been checked.
func compileResource(text string, vars bool) (resource, error) {
	if text == "*" {
		return resource{everything: true}, nil
	}
	parts, _ := cutPattern(text, false)
	if err := checkResourceParts(text, parts); err != nil {
		return resource{}, err
	}
	arn, err := compileARN(parts, vars)
	if err != nil {
		return resource{}, syntax("resource: %w", err)
	}
	return resource{arn: arn}, nil
}

// partitions are those that AWS has; ours is the first.
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

func checkResourceParts(text string, parts []string) error {
	if !validPartition(parts[partPartition]) {
		return malformed(`Partition "`+clip(parts[partPartition])+`" is not valid for resource "`+clip(text)+`".`, "partition")
	}
	if len(parts) == 2 {
		return nil // arn:aws* is everything of every service
	}
	if !validService(parts) {
		return malformed(sentenceResourceVendor, "resource %q", clip(text))
	}
	return checkServiceRules(text, parts)
}

func validPartition(s string) bool {
	for _, p := range partitions {
		if s == p {
			return true
		}
	}
	return strings.ContainsAny(s, "*?")
}

// validService wants a plain name. A lone * may stand for it as the last part that is given.
func validService(parts []string) bool {
	s := parts[partService]
	if s == "*" && len(parts) == 3 {
		return true
	}
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return s != ""
}

// iamPaths are the beginnings of what IAM names.
var iamPaths = []string{
	"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
	"sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
}

// regionalS3 are the beginnings of those resources of S3 that do have a region.
var regionalS3 = []string{"accesspoint", "job/", "storage-lens", "async-request/", "access-grants", "*"}

// checkServiceRules holds the resources of IAM and S3 to the form that these services give them.
func checkServiceRules(text string, parts []string) error {
	if len(parts) < 6 {
		return nil
	}
	region, rest := parts[partRegion], parts[partResource]
	switch parts[partService] {
	case "iam":
		if region != "" {
			return malformed("IAM resource "+clip(text)+" cannot contain region information.", "region")
		}
		if !canBegin(rest, iamPaths) {
			return malformed(sentenceIAMPath, "resource %q", clip(text))
		}
	case "s3":
		if region != "" && region != "*" && !canBegin(rest, regionalS3) {
			return malformed("Resource "+clip(text)+" can not contain region information.", "region")
		}
	}
	return nil
}

// canBegin reports whether a pattern can match something with one of the beginnings: it is enough that they agree up to
// the first wildcard or variable.
func canBegin(pattern string, beginnings []string) bool {
	plain, open := pattern, false
	if i := strings.IndexAny(pattern, "*?$"); i >= 0 {
		plain, open = pattern[:i], true
	}
	for _, b := range beginnings {
		if strings.HasPrefix(plain, b) || open && strings.HasPrefix(b, plain) {
			return true
		}
	}
	return false
}
