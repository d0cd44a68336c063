package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"idpool/internal/sigv4"
)

// site is a running server as the makers of requests see it.
type site struct {
	place
	rig      *rig
	world    *world
	nodes    []*process
	tokens   map[string]*supply // by algorithm
	repeated []*ticket
	guests   []string
	newcomer int
}

func (s *site) addr() string { return s.nodes[0].addr }

// filled is the place with as many identities as there really are.
func (s *site) filled() place {
	p := s.place
	p.identities = s.world.seeded.Identities
	return p
}

// take returns n tokens of an algorithm for identities of the store.
func (s *site) take(alg string, n int) ([]*ticket, error) {
	if s.tokens[alg] == nil {
		s.tokens[alg] = &supply{provider: s.rig.provider, alg: alg, subjects: subjectsOf(s.filled())}
	}
	return s.tokens[alg].take(n)
}

// json makes a request of Cognito Identity.
func (s *site) json(operation string, in map[string]any) []byte {
	body, err := json.Marshal(in)
	if err != nil {
		panic(err) // maps of strings encode
	}
	return post(s.addr(), "/", "application/x-amz-json-1.1", "X-Amz-Target: AWSCognitoIdentityService."+operation+"\r\n", string(body))
}

func (s *site) logins(token string) map[string]string {
	return map[string]string{s.rig.provider.key: token}
}

func (s *site) credentials(t *ticket) []byte {
	return s.json("GetCredentialsForIdentity", map[string]any{"IdentityId": identityID(t.identity), "Logins": s.logins(t.token)})
}

func credentials(alg string) maker {
	return func(s *site, n int) ([][]byte, error) {
		tickets, err := s.take(alg, n)
		return each(tickets, s.credentials), err
	}
}

func each(tickets []*ticket, f func(*ticket) []byte) [][]byte {
	out := make([][]byte, len(tickets))
	for i, t := range tickets {
		out[i] = f(t)
	}
	return out
}

// repeated uses a few tokens again and again: one for each identity of the working set.
func repeated(s *site, n int) (out [][]byte, err error) {
	if s.repeated == nil {
		own := &supply{provider: s.rig.provider, alg: "RS256", subjects: subjectsOf(s.filled())}
		if s.repeated, err = own.take(working); err != nil {
			return nil, err
		}
	}
	for i := range n {
		out = append(out, s.credentials(s.repeated[i%len(s.repeated)]))
	}
	return out, nil
}

// warm has every node read the identities of the working set.
func (s *site) warm() error {
	requests, err := repeated(s, working)
	if err != nil {
		return err
	}
	for _, node := range s.nodes {
		c, err := dial(node.addr, honest, 1)
		if err != nil {
			return err
		}
		_, err = c.burst(requests)
		if err := errors.Join(err, c.close()); err != nil {
			return err
		}
	}
	return nil
}

// guests are identities without a login, made once.
func guests(s *site, n int) (out [][]byte, err error) {
	for len(s.guests) < 100 {
		answer, err := ask(s.nodes[0], s.guestID())
		if err != nil {
			return nil, err
		}
		s.guests = append(s.guests, field(answer, "IdentityId"))
	}
	for i := range n {
		out = append(out, s.json("GetCredentialsForIdentity", map[string]any{"IdentityId": s.guests[i%len(s.guests)]}))
	}
	return out, nil
}

func (s *site) guestID() []byte {
	return s.json("GetId", map[string]any{"IdentityPoolId": s.world.dev.PoolID})
}

// guestID makes guests.
func guestID(s *site, n int) ([][]byte, error) {
	return slices.Repeat([][]byte{s.guestID()}, n), nil
}

func knownID(s *site, n int) ([][]byte, error) {
	tickets, err := s.take("RS256", n)
	return each(tickets, func(t *ticket) []byte { return s.getID(t.token) }), err
}

func (s *site) getID(token string) []byte {
	return s.json("GetId", map[string]any{"IdentityPoolId": s.world.dev.PoolID, "Logins": s.logins(token)})
}

// newID uses logins that nobody has: each makes an identity, durably.
func newID(s *site, n int) ([][]byte, error) {
	var out [][]byte
	for range n {
		s.newcomer++
		token, err := s.rig.provider.token("ES256", fmt.Sprintf("new-%d-%d", s.rig.started.UnixNano(), s.newcomer))
		if err != nil {
			return nil, err
		}
		out = append(out, s.getID(token))
	}
	return out, nil
}

func openIDToken(s *site, n int) ([][]byte, error) {
	tickets, err := s.take("RS256", n)
	return each(tickets, func(t *ticket) []byte {
		return s.json("GetOpenIdToken", map[string]any{"IdentityId": identityID(t.identity), "Logins": s.logins(t.token)})
	}), err
}

const form = "application/x-www-form-urlencoded; charset=utf-8"

// assume asks STS for a role that trusts the provider itself.
func assume(s *site, n int) ([][]byte, error) {
	tickets, err := s.take("RS256", n)
	return each(tickets, func(t *ticket) []byte {
		body := url.Values{
			"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"}, "RoleArn": {s.world.webRole},
			"RoleSessionName": {"bench"}, "WebIdentityToken": {t.token},
		}
		return post(s.addr(), "/", form, "", body.Encode())
	}), err
}

// callerIdentity signs with credentials that the server vended.
func callerIdentity(s *site, n int) (out [][]byte, err error) {
	tickets, err := s.take("RS256", 16)
	if err != nil {
		return nil, err
	}
	var who []sigv4.Credentials
	for _, t := range tickets {
		answer, err := ask(s.nodes[0], s.credentials(t))
		if err != nil {
			return nil, err
		}
		who = append(who, credentialsOf(answer))
	}
	for i := range n {
		signed, err := s.whoAmI(who[i%len(who)])
		if err != nil {
			return nil, err
		}
		out = append(out, signed)
	}
	return out, nil
}

// whoAmI is GetCallerIdentity, signed.
func (s *site) whoAmI(c sigv4.Credentials) ([]byte, error) {
	body := "Action=GetCallerIdentity&Version=2011-06-15"
	r := &sigv4.Request{
		Method: "POST", Path: "/", Host: s.addr(), Header: http.Header{"Content-Type": {form}},
		ContentLength: int64(len(body)), Body: []byte(body),
	}
	if err := sigv4.Sign(r, c, region, "sts", time.Now()); err != nil {
		return nil, err
	}
	var more strings.Builder
	for name, values := range r.Header {
		if name != "Content-Type" {
			more.WriteString(name + ": " + values[0] + "\r\n")
		}
	}
	return post(s.addr(), "/", form, more.String(), body), nil
}
