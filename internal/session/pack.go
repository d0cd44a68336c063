package session

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"idpool/internal/fault"
)

// AWS bounds what is passed when a session is made — policies, ARNs of policies, tags — in a packed form that it does not
// publish (spec sts-iam §1.7). Ours is one byte that says how, and the lists: as they are where they are short, else
// deflated. PackedPolicySize is its share of packedSpace.
const (
	packedSpace = 2048
	// plainSpace bounds what the packed form unpacks to: it is parsed anew for every request.
	plainSpace = 16 << 10
	// worthwhile is the size from which deflating pays.
	worthwhile = 512
)

// The ways to pack.
const (
	asIs     = 0
	deflated = 1
)

// PackedPolicySize returns how much of the space for policies and tags the session takes, in percent; 0 where it has
// neither. Which tags are transitive does not count.
func (s *Session) PackedPolicySize() (int64, error) {
	if !s.HasPolicies && len(s.Tags) == 0 {
		return 0, nil
	}
	packed, err := pack(s)
	return percent(len(packed), packedSpace), err
}

func percent(n, of int) int64 { return int64((100*n + of - 1) / of) }

// pack writes the policies and tags of a session. PackedPolicyTooLarge when they take more than the space.
func pack(s *Session) ([]byte, error) {
	plain := appendList(appendList([]byte{asIs}, s.Policies), s.PolicyARNs)
	plain = binary.AppendUvarint(plain, uint64(len(s.Tags)))
	for _, t := range s.Tags {
		plain = appendString(appendString(plain, t.Key), t.Value)
	}
	if len(plain) > plainSpace {
		return nil, tooLarge(s, percent(len(plain), plainSpace))
	}
	if len(plain) <= worthwhile {
		return plain, nil
	}
	packed, err := deflate(plain[1:])
	if err == nil && len(packed) > packedSpace {
		return nil, tooLarge(s, percent(len(packed), packedSpace))
	}
	return packed, err
}

func deflate(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(deflated)
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return nil, fmt.Errorf("packing a session: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("packing a session: %w", err)
	}
	err = w.Close()
	return b.Bytes(), err
}

// unpack reads what pack wrote into the session.
func unpack(s *Session, b string) error {
	if len(b) == 0 || b[0] > deflated {
		return errFormat
	}
	plain := b[1:]
	if b[0] == deflated {
		inflated, err := io.ReadAll(io.LimitReader(flate.NewReader(strings.NewReader(plain)), plainSpace+1))
		if err != nil {
			return errFormat
		}
		plain = string(inflated)
	}
	r := reader{b: plain}
	s.Policies, s.PolicyARNs, s.Tags = r.list(), r.list(), r.tags()
	if r.bad || len(r.b) != 0 {
		return errFormat
	}
	return nil
}

func tooLarge(s *Session, percent int64) error {
	what := "session policies and tags"
	switch {
	case len(s.Tags) == 0:
		what = "session policies"
	case !s.HasPolicies:
		what = "session tags"
	}
	return fault.New(fault.PackedPolicyTooLarge, "Packed size of %s consumes %d%% of allotted space.", what, percent)
}
