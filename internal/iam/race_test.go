package iam_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idpool/internal/idpooltest"
	"idpool/internal/store"
	"idpool/internal/store/storetest"
)

// A writer who is overtaken once reads and decides again, and nobody sees it.
func TestOneConflictIsNotSeen(t *testing.T) {
	s, f := faulty(t)
	c := as(t, s, nil)
	key := world(c)
	before := f.Calls(storetest.DocumentsWrite)
	f.FailNext(storetest.DocumentsWrite, storetest.Before, store.ErrConflict)
	c.must("TagRole", "RoleName", "app", "Tags.member.1.Key", "new", "Tags.member.1.Value", "")
	if got := f.Calls(storetest.DocumentsWrite) - before; got != 2 {
		t.Errorf("got %d writes, want 2", got)
	}
	f.FailNext(storetest.DocumentsWrite, storetest.Before, store.ErrConflict)
	c.must("UpdateAccessKey", "UserName", "ann", "AccessKeyId", key, "Status", "Inactive")
}

// Many writers of one role: every change that was acknowledged is there.
func TestManyWriters(t *testing.T) {
	s := idpooltest.Start(t, idpooltest.Options{})
	c := as(t, s, nil)
	c.must("CreateRole", "RoleName", "app", "AssumeRolePolicyDocument", trustRoot)
	const writers = 16
	var done sync.WaitGroup
	acknowledged := make([]bool, writers)
	for i := range writers {
		done.Go(func() {
			_, err := c.do("TagRole", "RoleName", "app", "Tags.member.1.Key", fmt.Sprint("k", i), "Tags.member.1.Value", "")
			acknowledged[i] = err == nil
			if err != nil && !strings.HasPrefix(err.Error(), "ConcurrentModification: ") {
				t.Errorf("got %v, want ConcurrentModification", err)
			}
		})
	}
	done.Wait()
	got := between(c.must("ListRoleTags", "RoleName", "app"), "Key")
	for i, ok := range acknowledged {
		if there := slices.Contains(got, fmt.Sprint("k", i)); there != ok {
			t.Errorf("tag k%d: there %v, acknowledged %v", i, there, ok)
		}
	}
	if len(got) == 0 {
		t.Error("nobody got through")
	}
}

// overtaken lets something happen right before the next write reaches the store, as on another node.
type overtaken struct {
	store.Documents
	mu   sync.Mutex
	next func()
}

func (o *overtaken) Write(ctx context.Context, changes ...store.Write) (int64, error) {
	o.mu.Lock()
	next := o.next
	o.next = nil
	o.mu.Unlock()
	if next != nil {
		next()
	}
	return o.Documents.Write(ctx, changes...)
}

func (o *overtaken) before(next func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next = next
}

// calls are requests, each with its operation first.
type calls [][]string

// What a writer decided on has changed when he writes.
func TestOvertaken(t *testing.T) {
	lone := account + "policy/lone"
	idp := idpooltest.StartIdP(t, time.Now)
	for name, r := range map[string]struct {
		before, between calls
		status          int
		code            string // none where it goes through
		action          string
		pairs           []string
	}{
		"made at once": {nil, calls{{"CreateUser", "UserName", "twin"}}, 409, "EntityAlreadyExists", "CreateUser", []string{"UserName", "TWIN"}},
		"another change": {nil, calls{{"UpdateRole", "RoleName", "app", "Description", "x"}}, 0, "",
			"PutRolePolicy", []string{"RoleName", "app", "PolicyName", "new", "PolicyDocument", readS3}},
		"a policy that goes while it is attached": {nil, calls{{"DeletePolicy", "PolicyArn", lone}}, 404, "NoSuchEntity",
			"AttachRolePolicy", []string{"RoleName", "dev-guest", "PolicyArn", lone}},
		"a boundary that goes while it is given": {nil, calls{{"DeletePolicy", "PolicyArn", lone}}, 404, "NoSuchEntity",
			"CreateUser", []string{"UserName", "new", "PermissionsBoundary", lone}},
		"a policy that is attached while it goes": {nil, calls{{"AttachRolePolicy", "RoleName", "dev-guest", "PolicyArn", lone}}, 409, "DeleteConflict",
			"DeletePolicy", []string{"PolicyArn", lone}},
		"a boundary that is given while it goes": {nil, calls{{"PutUserPermissionsBoundary", "UserName", "ann", "PermissionsBoundary", lone}}, 409, "DeleteConflict",
			"DeletePolicy", []string{"PolicyArn", lone}},
		"another role of the name": {calls{{"CreateRole", "RoleName", "short", "AssumeRolePolicyDocument", trustRoot}},
			calls{{"DeleteRole", "RoleName", "short"}, {"CreateRole", "RoleName", "short", "AssumeRolePolicyDocument", trustRoot}}, 409, "ConcurrentModification",
			"UpdateRole", []string{"RoleName", "short", "Description", "x"}},
		"other tags, which policies may ask for": {nil, calls{{"TagUser", "UserName", "ann", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red"}}, 409, "ConcurrentModification",
			"PutUserPolicy", []string{"UserName", "ann", "PolicyName", "new", "PolicyDocument", readS3}},
		"another boundary, which policies may ask for": {nil, calls{{"PutRolePermissionsBoundary", "RoleName", "app", "PermissionsBoundary", admin}}, 409, "ConcurrentModification",
			"AttachRolePolicy", []string{"RoleName", "app", "PolicyArn", admin}},
		"the user is gone": {calls{{"CreateUser", "UserName", "going"}}, calls{{"DeleteUser", "UserName", "going"}}, 404, "NoSuchEntity", "CreateAccessKey", []string{"UserName", "going"}},
		"a principal that goes while he is trusted": {calls{{"CreateUser", "UserName", "going"}, {"CreateRole", "RoleName", "new", "AssumeRolePolicyDocument", trustRoot}},
			calls{{"DeleteUser", "UserName", "going"}, {"UpdateRole", "RoleName", "new", "Description", "x"}}, 400, "MalformedPolicyDocument",
			"UpdateAssumeRolePolicy", []string{"RoleName", "new", "PolicyDocument", strings.Replace(trust, "people/ann", "going", 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			o := &overtaken{}
			s := idpooltest.Start(t, idpooltest.Options{IdP: idp, WrapStore: func(s *store.Store) *store.Store {
				wrapped := *s
				o.Documents, wrapped.Documents = s.Documents, o
				return &wrapped
			}})
			c := as(t, s, nil)
			world(c)
			c.must("CreatePolicy", "PolicyName", "lone", "PolicyDocument", readS3)
			for _, request := range r.before {
				c.must(request[0], request[1:]...)
			}
			var failed []error
			o.before(func() {
				for _, request := range r.between {
					_, err := c.do(request[0], request[1:]...)
					failed = append(failed, err)
				}
			})
			if r.code == "" {
				c.must(r.action, r.pairs...)
			} else {
				c.refused(r.status, r.code, r.action, r.pairs...)
			}
			if err := errors.Join(failed...); err != nil || len(failed) != len(r.between) {
				t.Errorf("in between: %d of %d requests, %v", len(failed), len(r.between), err)
			}
		})
	}
}
