package authority

import (
	"fmt"
	"strings"
)

// withinAll returns the actions that both lists allow. It refuses an action whose pattern crosses one of the other list
// without holding it or being held by it: what both allow could not be written.
func withinAll(actions, limit []string) ([]string, error) {
	var out []string
	for _, action := range actions {
		kept, err := within(action, limit)
		if err != nil {
			return nil, err
		}
		for _, k := range kept {
			if !listed(out, k) {
				out = append(out, k)
			}
		}
	}
	return out, nil
}

func within(action string, limit []string) ([]string, error) {
	var inside []string
	for _, l := range limit {
		switch {
		case holds(l, action):
			return []string{action}, nil
		case holds(action, l):
			inside = append(inside, l)
		case mayMeet(action, l):
			return nil, fmt.Errorf("the action %s is neither all nor nothing of what guests may do; write the actions out", action)
		}
	}
	return inside, nil
}

// holds reports whether every action that matches the pattern p also matches by. It may say no where the answer is yes.
func holds(by, p string) bool {
	by, p = strings.ToLower(by), strings.ToLower(p)
	if !strings.ContainsAny(p, "*?") {
		return matches(by, p)
	}
	head, open := strings.CutSuffix(by, "*")
	return by == p || open && !strings.ContainsAny(head, "*?") && strings.HasPrefix(p, head)
}

// matches reports whether a text matches a pattern of * and ?. After a mismatch the last * alone takes one character more.
func matches(pattern, text string) bool {
	p, at, star, from := 0, 0, -1, 0
	for at < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, at
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[at]):
			p++
			at++
		case star >= 0:
			from++
			p, at = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// mayMeet reports whether an action could match both patterns. It may say yes where the answer is no.
func mayMeet(p, q string) bool {
	p, q = strings.ToLower(p), strings.ToLower(q)
	p, q = fixed(p), fixed(q)
	return strings.HasPrefix(p, q) || strings.HasPrefix(q, p)
}

// fixed is a pattern up to its first wildcard; a text without one ends in a mark, so that only itself begins with it.
func fixed(p string) string {
	if i := strings.IndexAny(p, "*?"); i >= 0 {
		return p[:i]
	}
	return p + "\x00"
}

func listed(list []string, action string) bool {
	for _, l := range list {
		if strings.EqualFold(l, action) {
			return true
		}
	}
	return false
}
