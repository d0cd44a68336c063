package operation

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"idpool/internal/policy"
	"idpool/internal/session"
)

// denialPurpose is what messages about denials are sealed for: no other sealed text opens as one.
const denialPurpose = "authorization-message"

// DenialLifetime is how long a message about a denial can be decoded.
const DenialLifetime = 24 * time.Hour

// The limits of a message, in bytes: what it unpacks to, and what a header can carry.
const (
	maxDenial  = 64 << 10
	maxMessage = 3 << 10
)

// Denial is what a denied request looked like to the policies, for sts:DecodeAuthorizationMessage. Its JSON has the form of
// AWS's decoded messages (spec sts-iam §1.4).
type Denial struct {
	Allowed  bool          `json:"allowed"`
	Explicit bool          `json:"explicitDeny"`
	Matched  items[match]  `json:"matchedStatements"`
	Failures items[string] `json:"failures"`
	Context  asked         `json:"context"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

type match struct {
	Statement string `json:"statementId"`
	Effect    string `json:"effect"`
}

type asked struct {
	Principal  principal        `json:"principal"`
	Action     string           `json:"action"`
	Resource   string           `json:"resource"`
	Conditions items[condition] `json:"conditions"`
}

type principal struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	ARN  string `json:"arn"`
}

type condition struct {
	Key    string       `json:"key"`
	Values items[value] `json:"values"`
}

type value struct {
	Value string `json:"value"`
}

// NewDenial describes a denied check. Of the assumption of a role it says nothing that the role would have to exist for, and
// of a resource in whose place another is shown nothing that is not shown.
func NewDenial(c *Caller, check *Check, keys *policy.Context, d policy.Decision) *Denial {
	out := &Denial{Context: asked{Principal: principal{ID: c.UserID, ARN: c.ARN}, Action: check.Action, Resource: check.Resource}}
	if check.Shown != "" {
		out.Context.Resource = check.Shown
	}
	if c.User != nil {
		out.Context.Principal.Name = c.User.Name
	}
	out.Matched.Items, out.Failures.Items = []match{}, []string{}
	if d.Explicit && !check.Assumes {
		out.Explicit = true
		out.Matched.Items = append(out.Matched.Items, match{d.Sid, "DENY"})
	}
	out.Context.Conditions.Items = []condition{}
	for key, values := range keys.All() {
		if (check.Assumes || check.Shown != "") && strings.Contains(key, ":resourcetag/") {
			continue
		}
		item := condition{Key: key, Values: items[value]{[]value{}}}
		for _, v := range values {
			item.Values.Items = append(item.Values.Items, value{v})
		}
		out.Context.Conditions.Items = append(out.Context.Conditions.Items, item)
	}
	return out
}

// Seal returns the message, which fits into a header: one that would be too long goes without its condition keys.
func (d *Denial) Seal(sealer session.Sealer, now time.Time) (string, error) {
	message, err := d.seal(sealer, now)
	if err == nil && len(message) > maxMessage {
		short := *d
		short.Context.Conditions.Items = []condition{}
		message, err = short.seal(sealer, now)
	}
	if err == nil && len(message) > maxMessage {
		return "", nil
	}
	return message, err
}

func (d *Denial) seal(sealer session.Sealer, now time.Time) (string, error) {
	b := bytes.NewBuffer(binary.BigEndian.AppendUint64(nil, uint64(now.Unix())))
	w, err := flate.NewWriter(b, flate.DefaultCompression)
	if err != nil {
		return "", fmt.Errorf("writing a message about a denial: %w", err)
	}
	if err := json.NewEncoder(w).Encode(d); err != nil {
		return "", fmt.Errorf("writing a message about a denial: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("writing a message about a denial: %w", err)
	}
	padded := append(b.Bytes(), make([]byte, -b.Len()&(padding-1))...) // its length tells nothing
	message, _, err := sealer.Seal(denialPurpose, padded)
	return message, err
}

// padding is a power of two, of which the length of a message is a multiple.
const padding = 256

// errMessage is the only answer to a text that is no message of ours, or one that is too old.
var errMessage = errors.New("not a message of ours")

// OpenDenial returns the JSON of a message that is not older than DenialLifetime.
func OpenDenial(sealer session.Sealer, message string, now time.Time) (string, error) {
	payload, _, err := sealer.Open(denialPurpose, message)
	if err != nil || len(payload) < 8 {
		return "", errMessage
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(payload)), 0)
	if age := now.Sub(made); age >= DenialLifetime || age < -time.Minute {
		return "", errMessage
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(payload[8:])), maxDenial))
	if err != nil {
		return "", errMessage
	}
	return string(bytes.TrimSpace(text)), nil
}
