package event

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

const (
	poolID   = "eu-west-1:11111111-1111-4111-8111-111111111111"
	guestID  = "eu-west-1:0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
	shownAs  = "eu-west-1:0a1b2c3d…"
	someRole = "arn:aws:iam::111122223333:role/Auth"
)

func TestCutIDs(t *testing.T) {
	for text, want := range map[string]string{
		"":      "",
		guestID: shownAs,
		"Access to Identity '" + guestID + "' is forbidden.": "Access to Identity '" + shownAs + "' is forbidden.",
		guestID + guestID:             shownAs + shownAs,
		guestID + "," + guestID:       shownAs + "," + shownAs,
		"ffff" + guestID[10:]:         "ffff0a1b2c3d…",
		guestID[10:] + "ff":           "0a1b2c3d…ff",
		guestID[:len(guestID)-1]:      guestID[:len(guestID)-1], // no id: one digit is missing
		strings.ToUpper(guestID):      strings.ToUpper(guestID), // no id of ours: those are of lower case
		"eu-west-1:0a1b2c3d-4e5f":     "eu-west-1:0a1b2c3d-4e5f",
		"\xff" + guestID + "\xff":     "\xff" + shownAs + "\xff",
		"identities/" + guestID + "/": "identities/" + shownAs + "/",
	} {
		if got := CutIDs(text); got != want {
			t.Errorf("CutIDs(%q): got %q, want %q", text, got, want)
		}
	}
}

func FuzzCutIDs(f *testing.F) {
	f.Add(guestID)
	f.Add("00000000-0000-0000-0000-00000000000000000000-0000-0000-0000-000000000000")
	f.Add("a-b" + poolID + guestID[10:] + "-")
	f.Fuzz(func(t *testing.T, text string) {
		got := CutIDs(text)
		if guid.MatchString(got) {
			t.Errorf("CutIDs(%q): got %q, which still holds an id", text, got)
		}
		if !guid.MatchString(text) && got != text {
			t.Errorf("CutIDs(%q): got %q, want no change", text, got)
		}
	})
}

func TestIdentityName(t *testing.T) {
	if got := IdentityName(guestID, true); got != shownAs {
		t.Errorf("guest: got %q, want %q", got, shownAs)
	}
	if got := IdentityName(guestID, false); got != guestID {
		t.Errorf("not a guest: got %q, want %q", got, guestID)
	}
}

func TestSetters(t *testing.T) {
	var r Record
	r.SetPool("other")
	r.SetIdentity(poolID, guestID, true)
	r.SetMinted(someRole, "ASIA1")
	r.Add(Step{Name: "verify", OK: true})
	r.Add(Step{Name: "link"})
	want := Record{
		Pool: poolID, Identity: shownAs, Role: someRole, Minted: "ASIA1",
		Steps: []Step{{Name: "verify", OK: true}, {Name: "link"}},
	}
	if d := gocmp.Diff(&r, &want, gocmp.FilterPath(isMutex, gocmp.Ignore())); d != "" {
		t.Errorf("record (-got +want):\n%s", d)
	}
	r.SetIdentity(poolID, guestID, false) // the guest has linked a login
	if r.Identity != guestID {
		t.Errorf("identity: got %q, want %q", r.Identity, guestID)
	}
}

func isMutex(p gocmp.Path) bool { return p.String() == "mu" }

// TestRecordFromSeveralGoroutines loses no step and, with -race, shows that nothing else is wrong.
func TestRecordFromSeveralGoroutines(t *testing.T) {
	const goroutines, each = 8, 50
	var r Record
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for n := range each {
				r.Add(Step{Name: fmt.Sprintf("%d/%d", g, n)})
				r.SetPool(poolID)
				r.SetIdentity(poolID, guestID, true)
				r.SetMinted(someRole, "ASIA1")
			}
		})
	}
	wg.Wait()
	next := map[string]int{}
	for _, s := range r.Steps {
		g, n, _ := strings.Cut(s.Name, "/")
		if n != fmt.Sprint(next[g]) {
			t.Errorf("goroutine %s: got step %s, want %d", g, n, next[g])
		}
		next[g]++
	}
	if len(r.Steps) != goroutines*each || r.Identity != shownAs {
		t.Errorf("got %d steps, identity %q, want %d, %q", len(r.Steps), r.Identity, goroutines*each, shownAs)
	}
}

// full is a record with every field set.
func full() *Record {
	r := &Record{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC), RequestID: "5f0e0c1e-9b1f-4b6d-8d43-6b8a1b6a2c11",
		Client: "192.0.2.7", UserAgent: `app/1.0 "x"`, Service: "cognito-identity", Operation: "GetCredentialsForIdentity",
		Caller: "arn:aws:iam::111122223333:user/ann", AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
		Outcome: "NotAuthorized", Message: CutIDs("Access to Identity '" + guestID + "' is forbidden."), Cause: "no\nsuch login", Micros: 1234,
	}
	r.SetIdentity(poolID, guestID, true)
	r.SetMinted(someRole, "ASIAIOSFODNN7EXAMPLE")
	r.Add(Step{Name: "verify", OK: true, Subject: "login.example.com", Expected: "a valid token", Found: "all checks passed"})
	r.Add(Step{Name: "link"})
	return r
}

// fullLine is full as it is kept: operators' tools read these names.
var fullLine = strings.Join([]string{
	`{"time":"2026-01-02T03:04:05.6789Z","request_id":"5f0e0c1e-9b1f-4b6d-8d43-6b8a1b6a2c11","client":"192.0.2.7",`,
	`"user_agent":"app/1.0 \"x\"","service":"cognito-identity","operation":"GetCredentialsForIdentity",`,
	`"caller":"arn:aws:iam::111122223333:user/ann","access_key_id":"AKIAIOSFODNN7EXAMPLE",`,
	`"pool":"eu-west-1:11111111-1111-4111-8111-111111111111","identity":"eu-west-1:0a1b2c3d…",`,
	`"role":"arn:aws:iam::111122223333:role/Auth","minted_access_key_id":"ASIAIOSFODNN7EXAMPLE",`,
	`"steps":[{"name":"verify","ok":true,"subject":"login.example.com","expected":"a valid token","found":"all checks passed"},`,
	`{"name":"link","ok":false}],`,
	`"outcome":"NotAuthorized","message":"Access to Identity 'eu-west-1:0a1b2c3d…' is forbidden.","cause":"no\nsuch login","micros":1234}`,
}, "") + "\n"

const emptyLine = `{"time":"0001-01-01T00:00:00Z","request_id":"","outcome":"","micros":0}` + "\n"
