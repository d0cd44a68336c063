package authority

import (
	"strings"
	"time"
)

// slack is how far the authority's clock may be from ours.
const slack = 5 * time.Minute

// judge decides whether an answer can be believed: whole credentials, for the role that was asked for (security
// requirement 31), for about as long as was asked for.
func (a *Authority) judge(answer *Answer, roleARN, session string, now time.Time) error {
	switch {
	case !word(answer.AccessKeyID, 128) || !word(answer.SecretAccessKey, 1024) || !word(answer.SessionToken, 16<<10):
		return garbled("the credentials are not whole")
	case !a.sameRole(answer.RoleARN, roleARN, session):
		return garbled("the credentials are for another role or session")
	case !answer.Expiration.After(now):
		return garbled("the credentials have ended already")
	case answer.Expiration.After(now.Add(a.Duration + slack)):
		return garbled("the credentials live longer than was asked for")
	}
	return nil
}

// word reports whether s can be a part of credentials: it travels in headers.
func word(s string, most int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// sameRole reports whether got, the ARN of a session, is one of the role with the session's name.
func (a *Authority) sameRole(got, roleARN, session string) bool {
	if got == "" {
		return !a.Dialect.namesRole
	}
	before, name, found := strings.Cut(got, ":assumed-role/")
	if !found || name != roleName(roleARN)+"/"+session && (!a.Dialect.keepsPath || name != pathName(roleARN)+"/"+session) {
		return false
	}
	if a.Dialect.anyAccount {
		return true
	}
	asked, _, _ := strings.Cut(roleARN, roleMark)
	return before == strings.Replace(asked, ":iam:", ":sts:", 1)
}
