package sqlstore

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"idpool/internal/identity"
	"idpool/internal/store"
)

const (
	benchPool = "eu-central-1:11111111-2222-4333-8444-555555555555"
	benchRows = 50_000
)

func benchID(n int64) string {
	return fmt.Sprintf("eu-central-1:%08x-1111-4222-8333-444444444444", uint32(n)*2654435761)
}

func benchIdentity(n int64) identity.Identity {
	now := time.UnixMilli(1772366400000).UTC()
	return identity.Identity{
		ID: benchID(n), PoolID: benchPool, Created: now, Modified: now, Authenticated: true, Logins: []identity.LoginKey{benchLogin(n)},
	}
}

func benchLogin(n int64) identity.LoginKey {
	return identity.LoginKey{Provider: "accounts.example.com", Subject: fmt.Sprintf("%021d", n)}
}

func benchStore(b *testing.B) *store.Store {
	b.Helper()
	s := mustOpen(b, sqliteURL(b), Options{})
	for from := int64(0); from < benchRows; from += 5000 {
		c := identity.Change{PoolID: benchPool}
		for n := range int64(5000) {
			c.Create = append(c.Create, benchIdentity(from+n))
		}
		if err := s.Identities.Apply(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	return s
}

func BenchmarkGet(b *testing.B) {
	s := benchStore(b)
	for n := int64(0); b.Loop(); n++ {
		if i, err := s.Identities.Get(b.Context(), benchID(n*7919%benchRows)); err != nil || len(i.Logins) != 1 {
			b.Fatal(i, err)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	s := benchStore(b)
	for n := int64(0); b.Loop(); n++ {
		found, err := s.Identities.Find(b.Context(), benchPool, []identity.LoginKey{benchLogin(n * 7919 % benchRows)})
		if err != nil || len(found) != 1 {
			b.Fatal(found, err)
		}
	}
}

func BenchmarkFind4(b *testing.B) {
	s := benchStore(b)
	for n := int64(0); b.Loop(); n++ {
		var keys []identity.LoginKey
		for k := range int64(4) {
			keys = append(keys, benchLogin((n*7919+k)%benchRows))
		}
		if found, err := s.Identities.Find(b.Context(), benchPool, keys); err != nil || len(found) != 4 {
			b.Fatal(found, err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	for _, goroutines := range []int{1, 64} {
		b.Run(fmt.Sprint("g=", goroutines), func(b *testing.B) {
			s := benchStore(b)
			var next atomic.Int64
			next.Store(benchRows)
			b.SetParallelism(goroutines)
			create := func() {
				c := identity.Change{PoolID: benchPool, Create: []identity.Identity{benchIdentity(next.Add(1))}}
				if err := s.Identities.Apply(b.Context(), c); err != nil {
					b.Error(err)
				}
			}
			if goroutines == 1 {
				for b.Loop() {
					create()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					create()
				}
			})
		})
	}
}
