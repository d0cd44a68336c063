package session

import (
	"encoding/binary"
	"errors"
	"time"
)

// formatVersion is the first byte of a payload. A reader knows its own version and the one before, so that sessions
// outlive an update.
const formatVersion = 2

const (
	flagGuest = 1 << iota
	flagPolicies
)

// flagKind is where the kind of a session stands among the flags; version 1 knew sessions of roles alone.
const flagKind = 4

var errFormat = errors.New("session payload of another form")

// encode writes the fields in the order of the struct: strings with their length in front, lists with their count; what
// was passed with the session comes last, packed.
func encode(s *Session) ([]byte, error) {
	packed, err := pack(s)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 512+len(packed))
	b = append(b, formatVersion, flags(s))
	b = binary.AppendVarint(b, s.Issued.Unix())
	b = binary.AppendVarint(b, s.Expires.Unix())
	b = binary.AppendVarint(b, s.Origin.Unix())
	for _, text := range s.texts(formatVersion) {
		b = appendString(b, *text)
	}
	for _, list := range s.lists(formatVersion) {
		b = appendList(b, *list)
	}
	return append(b, packed...), nil
}

func decode(b []byte) (*Session, error) {
	if len(b) < 2 || b[0] != formatVersion && b[0] != formatVersion-1 {
		return nil, errFormat
	}
	version, flags := b[0], b[1]
	s := &Session{Guest: flags&flagGuest != 0, HasPolicies: flags&flagPolicies != 0, Kind: Kind(flags / flagKind)}
	if s.Kind > FederatedUser || version == 1 && s.Kind != OfRole {
		return nil, errFormat
	}
	r := reader{b: string(b[2:])}
	s.Issued, s.Expires = r.time(), r.time()
	if s.Origin = s.Issued; version >= 2 {
		s.Origin = r.time()
	}
	for _, text := range s.texts(version) {
		*text = r.text()
	}
	for _, list := range s.lists(version) {
		*list = r.list()
	}
	if version == 1 {
		s.Tags = r.tags()
	} else if !r.bad {
		return s, unpack(s, r.b)
	}
	if r.bad || len(r.b) != 0 {
		return nil, errFormat
	}
	return s, nil
}

// texts and lists name the fields once for both directions. What a version adds stands at the end.
func (s *Session) texts(version byte) []*string {
	out := []*string{
		&s.AccessKeyID, &s.Account, &s.RoleName, &s.RolePath, &s.RoleID, &s.Name,
		&s.SourceIdentity, &s.Federated, &s.PoolID, &s.IdentityID,
	}
	if version >= 2 {
		out = append(out, &s.SAML.Subject, &s.SAML.SubjectType, &s.SAML.NameQualifier, &s.User.Name, &s.User.ID, &s.User.KeyID)
	}
	return out
}

func (s *Session) lists(version byte) []*[]string {
	if version == 1 {
		return []*[]string{&s.Policies, &s.Transitive, &s.AMR}
	}
	return []*[]string{&s.Transitive, &s.AMR, &s.Lineage}
}

func flags(s *Session) byte {
	f := byte(s.Kind) * flagKind
	if s.Guest {
		f |= flagGuest
	}
	if s.HasPolicies {
		f |= flagPolicies
	}
	return f
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, text := range list {
		b = appendString(b, text)
	}
	return b
}

// reader reads what encode wrote, as a string of which all texts are parts; after the first failure everything is empty and
// bad is set.
type reader struct {
	b   string
	bad bool
}

func (r *reader) time() time.Time {
	v, n := binary.Varint(r.number())
	if n <= 0 {
		r.fail()
		return time.Time{}
	}
	r.b = r.b[n:]
	return time.Unix(v, 0).UTC()
}

// number is as much as a number can take of what is left.
func (r *reader) number() []byte { return []byte(r.b[:min(len(r.b), binary.MaxVarintLen64)]) }

// count reads a length or a count, which can never exceed the bytes that are left: each item takes at least one.
func (r *reader) count() int {
	v, n := binary.Uvarint(r.number())
	if n <= 0 || v > uint64(len(r.b)-n) {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *reader) text() string {
	n := r.count()
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

// usualList is how many items a list has at most, usually.
const usualList = 8

func (r *reader) list() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	out := make([]string, 0, min(n, usualList))
	for range n {
		out = append(out, r.text())
	}
	return out
}

func (r *reader) tags() []Tag {
	var out []Tag
	for range r.count() {
		out = append(out, Tag{r.text(), r.text()})
	}
	return out
}

func (r *reader) fail() { r.b, r.bad = "", true }
