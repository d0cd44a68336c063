package main

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"idpool/internal/setup"
	"idpool/internal/sigv4"
)

// checker looks at the answers of a row, after the clock has stopped.
type checker func(s *site, requests, answers [][]byte) error

// opened is one in how many vended credentials GetCallerIdentity opens.
const opened = 100

// coincidences is how often an access key id may come again in a run. They hold 40 random bits beside the account: among a
// million, one does in every third run.
const coincidences = 8

// vended wants credentials: each has an access key id that no answer had before, but for coincidences, is for the identity
// that was asked for, and one in a hundred is opened by GetCallerIdentity as a session of the role. Where there are two
// nodes, they take turns in opening, whichever of them vended.
func vended(role string) checker {
	return func(s *site, requests, answers [][]byte) error {
		for i, answer := range answers {
			c := credentialsOf(answer)
			if len(c.AccessKeyID) != 20 || !s.rig.unlikeBefore(c.AccessKeyID) {
				return fmt.Errorf("%v: an access key id that is none, or was there before: %q", s.place, c.AccessKeyID)
			}
			if err := sameIdentity(requests[i], answer); err != nil {
				return err
			}
			if i%opened != 0 {
				continue
			}
			if err := s.open(i/opened, c, role); err != nil {
				return err
			}
		}
		return nil
	}
}

// unlikeBefore notes an access key id, and reports whether it is a new one, or one of few that are not.
func (r *rig) unlikeBefore(id string) bool {
	if r.keys[id] {
		r.twice++
	}
	r.keys[id] = true
	return r.twice <= coincidences
}

// open has one of the nodes say whose the credentials are.
func (s *site) open(turn int, c sigv4.Credentials, role string) error {
	signed, err := s.whoAmI(c)
	if err != nil {
		return err
	}
	answer, err := ask(s.nodes[turn%len(s.nodes)], signed)
	if err != nil {
		return fmt.Errorf("GetCallerIdentity: %w", err)
	}
	return isCaller(role, answer)
}

func isCaller(role string, answer []byte) error {
	if !strings.Contains(string(answer), ":assumed-role/"+role+"/") {
		return fmt.Errorf("GetCallerIdentity answered %s, want a session of %s", answer, role)
	}
	return nil
}

// sameIdentity wants the answer to be for the identity that the request names, if it names one.
func sameIdentity(request, answer []byte) error {
	if want := field(request, "IdentityId"); field(answer, "IdentityId") != want {
		return fmt.Errorf("an answer for %q, want %q", field(answer, "IdentityId"), want)
	}
	return nil
}

// callers wants each answer to name a session of the role of identities with a login.
func callers(_ *site, _, answers [][]byte) error {
	for _, answer := range answers {
		if err := isCaller(setup.DevAuthenticatedRole, answer); err != nil {
			return err
		}
	}
	return nil
}

// known wants each answer to name the identity that has the token's login.
func known(s *site, requests, answers [][]byte) error {
	for i, request := range requests {
		n, err := numberIn(field(request, s.rig.provider.key))
		if err != nil {
			return err
		}
		if got, want := field(answers[i], "IdentityId"), identityID(n); got != want {
			return fmt.Errorf("GetId answered %q, want %q", got, want)
		}
	}
	return nil
}

// numberIn is the number of the identity in the subject of a token.
func numberIn(token string) (int, error) {
	sub, err := subjectOf(token)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(sub)
}

// subjectOf is the subject of a token.
func subjectOf(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("not a token: %.20q", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	return field(payload, "sub"), err
}

// newcomers wants each answer to name an identity that no answer named before.
func newcomers(s *site, _, answers [][]byte) error {
	for _, answer := range answers {
		id := field(answer, "IdentityId")
		if len(id) != len(region)+37 || s.rig.keys[id] {
			return fmt.Errorf("%v: an identity id that is none, or was there before: %q", s.place, id)
		}
		s.rig.keys[id] = true
	}
	return nil
}

// minted wants each answer to hold a token whose subject is the identity that was asked for. Two of one second may be equal:
// what they say is.
func minted(_ *site, requests, answers [][]byte) error {
	for i, answer := range answers {
		if err := sameIdentity(requests[i], answer); err != nil {
			return err
		}
		got, err := subjectOf(field(answer, "Token"))
		if err != nil {
			return err
		}
		if want := field(requests[i], "IdentityId"); got != want {
			return fmt.Errorf("a token for %q, want %q", got, want)
		}
	}
	return nil
}

// credentialsOf are those of an answer, of Cognito Identity or of STS.
func credentialsOf(answer []byte) sigv4.Credentials {
	return sigv4.Credentials{AccessKeyID: field(answer, "AccessKeyId"), Secret: field(answer, "SecretKey") + field(answer, "SecretAccessKey"), Token: field(answer, "SessionToken")}
}

// field finds a member of JSON whose value is a plain string, or the text of an element of XML. Where there is none it is
// empty.
func field(text []byte, name string) string {
	for _, form := range [][2]string{{`"` + name + `":"`, `"`}, {"<" + name + ">", "</"}} {
		if _, rest, found := strings.Cut(string(text), form[0]); found {
			value, _, _ := strings.Cut(rest, form[1])
			return value
		}
	}
	return ""
}

// ask sends one request on a connection of its own.
func ask(p *process, request []byte) (answer []byte, err error) {
	c, err := dial(p.addr, honest, 1)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.close() }() // the answer is there
	return c.conns[0].insist(request)
}
