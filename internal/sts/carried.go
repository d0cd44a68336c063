package sts

import (
	"slices"
	"strings"

	"idpool/internal/fault"
	"idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/session"
)

// carried is what a new session brings along: tags that the call passes, transitive ones that the caller's own session
// hands on, and who is behind it all (spec sts-iam §1.8).
type carried struct {
	passed           map[string]string
	passedTransitive []string
	inherited        []session.Tag
	sourceIdentity   string
}

// carry works out what the session of an AssumeRole brings along. Validation for tags that are none, and for those in the
// place of an inherited one; AccessDenied for a source identity in the place of another.
func carry(caller *operation.Caller, in *AssumeRoleInput) (*carried, error) {
	out := &carried{inherited: handedOn(caller.Session)}
	var err error
	if out.passed, err = passedTags(in.Tags); err != nil {
		return nil, err
	}
	for _, t := range out.inherited {
		for k := range out.passed {
			if strings.EqualFold(k, t.Key) {
				return nil, fault.New(fault.Validation, "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
		}
	}
	var known bool
	if out.passedTransitive, known = session.TransitiveKeys(in.TransitiveTagKeys, out.passed); !known {
		return nil, fault.New(fault.Validation, "The specified transitive tag key must be included in the requested tags.")
	}
	out.sourceIdentity, err = sourceIdentity(caller, in)
	return out, err
}

// handedOn are the transitive tags of a session.
func handedOn(s *session.Session) []session.Tag {
	if s == nil {
		return nil
	}
	var out []session.Tag
	for _, t := range s.Tags {
		if slices.Contains(s.Transitive, t.Key) {
			out = append(out, t)
		}
	}
	return out
}

// passedTags reads the tags of a call.
func passedTags(in []Tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range in {
		if _, twice := out[*t.Key]; twice {
			return nil, fault.New(fault.Validation, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out[*t.Key] = *t.Value
	}
	if err := session.CheckTags(out); err != nil {
		return nil, fault.Wrap(fault.Validation, tagSentence(out), err)
	}
	return out, nil
}

func tagSentence(tags map[string]string) string {
	seen := map[string]bool{}
	for k := range tags {
		folded := policy.FoldKey(k)
		if strings.HasPrefix(folded, "aws:") {
			return "Tag keys must not begin with aws:."
		}
		if seen[folded] {
			return "Duplicate tag keys found. Please note that Tag keys are case insensitive."
		}
		seen[folded] = true
	}
	return "The tags are not valid session tags."
}

// sourceIdentity is the one of the call, or of the caller's session: once set, it is that of the whole chain.
func sourceIdentity(caller *operation.Caller, in *AssumeRoleInput) (string, error) {
	var own string
	if caller.Session != nil {
		own = caller.Session.SourceIdentity
	}
	switch {
	case in.SourceIdentity == nil:
		return own, nil
	case !session.ValidSourceIdentity(*in.SourceIdentity):
		return "", fault.New(fault.Validation, "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"")
	case own != "" && own != *in.SourceIdentity:
		return "", fault.New(fault.AccessDenied, "User: %s is not authorized to perform: sts:SetSourceIdentity on resource: %s", caller.ARN, cut(*in.RoleArn))
	default:
		return *in.SourceIdentity, nil
	}
}

// tags are those of the session: what is inherited and what is passed.
func (c *carried) tags() map[string]string {
	out := map[string]string{}
	for _, t := range c.inherited {
		out[t.Key] = t.Value
	}
	for k, v := range c.passed {
		out[k] = v
	}
	return out
}

// transitive are the keys of the tags that the session hands on in its turn.
func (c *carried) transitive() []string {
	out := slices.Clone(c.passedTransitive)
	for _, t := range c.inherited {
		out = append(out, t.Key)
	}
	slices.Sort(out)
	return out
}

// seenOn are the tags of a role as its trust policy sees them: an inherited one stands in the place of the role's own with
// the same key (spec §1.8).
func (c *carried) seenOn(role map[string]string) map[string]string {
	var over []session.Tag
	for _, t := range c.inherited {
		for k := range role {
			if strings.EqualFold(k, t.Key) {
				over = append(over, t)
			}
		}
	}
	return session.Override(role, over)
}
