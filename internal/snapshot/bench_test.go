package snapshot_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"idpool/internal/account"
	"idpool/internal/pool"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// BenchmarkChange is what one changed document among 100,000 costs until it is in a snapshot, by the kind of document.
func BenchmarkChange(b *testing.B) {
	const documents = 100_000
	write := func(w store.Write, version int64) store.Document {
		return store.Document{Kind: w.Kind, ID: w.ID, Version: version, Body: w.Body}
	}
	shared := managed(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	docs := []store.Document{write(snapshot.PutPolicy(shared, 0), 1)}
	for i := range documents / 4 {
		name := fmt.Sprint("n", i)
		p := &pool.Pool{ID: "us-east-1:" + name, Name: name}
		text, err := json.Marshal(&account.OIDCProvider{Issuer: "https://" + name + ".example"})
		if err != nil {
			b.Fatal(err)
		}
		docs = append(docs,
			write(snapshot.PutRole(role(name), 0), 1),
			write(snapshot.PutUser(&account.User{Name: name, Path: "/", ID: "AIDA", Keys: []account.AccessKey{{ID: "AKIA" + name}}}, 0), 1),
			write(snapshot.PutPool(p, 0), 1),
			store.Document{Kind: snapshot.KindOIDCProvider, ID: "arn:aws:iam::" + owner + ":oidc-provider/" + name + ".example", Version: 1, Body: text})
	}
	docs = append(docs, write(snapshot.PutRole(role("attached", shared.ARN(owner)), 0), 1))
	compiler := &snapshot.Compiler{Account: owner, Region: "us-east-1"}
	all, err := compiler.Compile(nil, docs, 1)
	if err != nil || len(all.Broken) > 0 {
		b.Fatal(err, all.Broken)
	}
	for name, d := range map[string]store.Document{"role": docs[1], "user": docs[2], "pool": docs[3], "provider": docs[4], "policy": docs[0]} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := compiler.Compile(all, []store.Document{d}, 2); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
