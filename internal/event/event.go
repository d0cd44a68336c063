// Package event is the one record that every request leaves: who asked for what, which checks were made with what they
// expected and what they found, and how it ended.
//
// The record is handed to the operating system before an answer that grants anything leaves, and fsynced for
// administrators' changes where it goes to a file; if it cannot be written, nothing is handed out. It never holds a token, a secret, a claim's
// value or the whole id of a guest, which is a bearer secret: steps describe, they do not quote.
package event

import (
	"regexp"
	"sync"
	"time"
)

// Record is the event of one request. Its methods may be called from several goroutines; its fields are the door's.
type Record struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"request_id"`
	Client    string    `json:"client,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Service   string    `json:"service,omitempty"`
	Operation string    `json:"operation,omitempty"`
	// Caller is the caller's ARN; empty for anonymous operations.
	Caller      string `json:"caller,omitempty"`
	AccessKeyID string `json:"access_key_id,omitempty"`
	Pool        string `json:"pool,omitempty"`
	Identity    string `json:"identity,omitempty"` // see IdentityName
	Role        string `json:"role,omitempty"`
	// Minted is the id of the access key that the request handed out.
	Minted string `json:"minted_access_key_id,omitempty"`
	Steps  []Step `json:"steps,omitempty"`
	// Outcome is "ok" or the code of the fault; Cause its private cause.
	Outcome string `json:"outcome"`
	Message string `json:"message,omitempty"`
	Cause   string `json:"cause,omitempty"`
	// Micros is how long the request took, in microseconds.
	Micros int64 `json:"micros"`
	// HeldMicros is how much longer its refusal was held back, because its client had so many of them.
	HeldMicros int64 `json:"held_micros,omitempty"`

	mu sync.Mutex
}

// Step is one check.
type Step struct {
	Name     string `json:"name"` // verify, link, choose, trust, mint, authenticate, authorise, …
	OK       bool   `json:"ok"`
	Subject  string `json:"subject,omitempty"` // what was checked: a provider's key, a role
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
}

// Add appends a step.
func (r *Record) Add(s Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Steps = append(r.Steps, s)
}

// SetIdentity notes the pool and the identity that the request is about.
func (r *Record) SetIdentity(poolID, identityID string, guest bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Pool, r.Identity = poolID, IdentityName(identityID, guest)
}

// SetPool notes the pool that the request is about.
func (r *Record) SetPool(poolID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Pool = poolID
}

// SetMinted notes the role that credentials were minted for, and their access key id.
func (r *Record) SetMinted(roleARN, accessKeyID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Role, r.Minted = roleARN, accessKeyID
}

// IdentityName is an identity id as a record shows it: whole once it has a login, cut for a guest, whose id is enough to
// become him.
func IdentityName(id string, guest bool) string {
	if guest {
		return CutIDs(id)
	}
	return id
}

var guid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// CutIDs cuts every GUID in a text after its first 8 digits.
func CutIDs(text string) string {
	const shown = 8
	if !mayHoldID(text) {
		return text
	}
	return guid.ReplaceAllStringFunc(text, func(id string) string { return id[:shown] + "…" })
}

// mayHoldID reports whether a text has as many hexadecimal digits and hyphens in a row as a GUID: most have not, and the
// expression costs more to ask.
func mayHoldID(text string) bool {
	const length = 36
	run := 0
	for i := range len(text) {
		c := text[i]
		if run++; (c < '0' || c > '9') && (c < 'a' || c > 'f') && c != '-' {
			run = 0
		}
		if run == length {
			return true
		}
	}
	return false
}

// A Sink keeps records.
//
// Write returns once the record is with the operating system or, if durable, on the disk; an error means that it is not,
// and that the request must not be answered with what it asked for. It is safe for concurrent use.
type Sink interface {
	Write(r *Record, durable bool) error
}
