package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to make databases

	"idpool/internal/account"
	"idpool/internal/arn"
	"idpool/internal/config"
	"idpool/internal/keyring/filekeys"
	"idpool/internal/setup"
	"idpool/internal/snapshot"
	"idpool/internal/store/sqlstore"
)

const (
	region    = "us-east-1"
	accountID = "111122223333"
)

// world is a store with identities and all that is needed to serve them.
type world struct {
	dir      string
	storeURL string
	seeded   seeded
	dev      *setup.Dev
	webRole  string // trusts the provider itself
}

// seeded is what a store was filled with; it lies beside the store, so that the next run need not fill it again.
type seeded struct {
	PoolID     string
	Provider   string
	Identities int
	Layout     int    // of the rows
	Database   string `json:",omitempty"` // of PostgreSQL
	Bytes      int64  // of disk that the identities take
	Seconds    float64
}

// noteFile is where that lies.
const noteFile = "seeded.json"

// layout is that of the rows that Fill writes. It changes with them, so that no kept store is measured that has old ones.
const layout = 2

// openWorld makes or takes up the store in dir. database is a postgres:// URL, or empty for SQLite.
func openWorld(ctx context.Context, dir, database string, identities int, p *provider) (*world, error) {
	w := &world{dir: dir, storeURL: cmp.Or(database, "sqlite:"+filepath.Join(dir, "idpool.db"))}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := filekeys.Create(filepath.Join(dir, "key")); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := w.configure(ctx, p); err != nil {
		return nil, fmt.Errorf("setting up %s: %w", dir, err)
	}
	if err := w.fill(ctx, identities, p); err != nil || database != "" {
		return w, err
	}
	return w, readOnce(filepath.Join(dir, "idpool.db"))
}

// readOnce has the system hold a file in its memory, so that rows are about what the program does and not about the disk.
func readOnce(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, f)
	return errors.Join(err, f.Close())
}

// configure writes a pool, its roles, the provider and an administrator, as `idpool dev` does.
func (w *world) configure(ctx context.Context, p *provider) (err error) {
	opened, err := sqlstore.Open(ctx, w.storeURL, sqlstore.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	holder, err := filekeys.Open(filepath.Join(w.dir, "key"), "http://127.0.0.1")
	if err != nil {
		return err
	}
	s := &setup.Setup{Documents: opened.Documents, Holder: holder, Account: accountID, Random: rand.Reader, Now: time.Now}
	if err := s.Rings(ctx); err != nil {
		return err
	}
	source := &snapshot.Source{
		Documents: opened.Documents, Now: time.Now,
		Compiler: &snapshot.Compiler{Account: accountID, Region: region, Holder: holder},
	}
	if err := source.Refresh(ctx); err != nil {
		return err
	}
	if w.dev, err = s.Dev(ctx, source, p.issuer); err != nil {
		return err
	}
	return w.addWebRole(ctx, source, p)
}

// webRole is the name of a role that trusts the provider itself.
const webRole = "bench-web"

const webTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":%q},
"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{%q:%q}}}]}`

func (w *world) addWebRole(ctx context.Context, source *snapshot.Source, p *provider) error {
	current, err := source.Current()
	if err != nil {
		return err
	}
	if role := current.RoleNamed(webRole); role != nil {
		w.webRole = role.ARN
		return nil
	}
	id, err := account.NewID(arn.PrefixRole, rand.Reader)
	if err != nil {
		return err
	}
	role := &account.Role{
		Name: webRole, Path: "/", ID: id, Created: time.Now().UTC(), MaxSession: 3600,
		Trust: fmt.Sprintf(webTrust, arn.OIDCProvider(accountID, p.issuer), p.key+":aud", setup.DevAudience),
	}
	if err := role.Validate(); err != nil {
		return err
	}
	w.webRole = role.ARN(accountID)
	return source.Write(ctx, snapshot.PutRole(role, 0))
}

// fill adds the identities, unless they are there.
func (w *world) fill(ctx context.Context, identities int, p *provider) error {
	want := seeded{PoolID: w.dev.PoolID, Provider: p.key, Identities: identities, Layout: layout, Database: databaseIn(w.storeURL)}
	note := filepath.Join(w.dir, noteFile)
	if text, err := os.ReadFile(note); err == nil && json.Unmarshal(text, &w.seeded) == nil {
		if w.seeded.PoolID == want.PoolID && w.seeded.Provider == want.Provider && w.seeded.Identities == want.Identities && w.seeded.Layout == layout {
			return nil
		}
		return fmt.Errorf("%s holds other identities, or rows of another layout; remove it, or use its provider's port", w.dir)
	}
	began := time.Now()
	bytes, err := sqlstore.Fill(ctx, w.storeURL, sqlstore.Filling{
		PoolID: want.PoolID, Provider: want.Provider, N: identities, ID: identityID, Subject: subject, Created: time.Now(),
	})
	if err != nil {
		return fmt.Errorf("filling %s: %w", w.dir, err)
	}
	want.Bytes, want.Seconds = bytes, time.Since(began).Seconds()
	w.seeded = want
	text, err := json.Marshal(want)
	if err != nil {
		return err
	}
	return os.WriteFile(note, text, 0o600)
}

// identityID is the id of the nth identity. They ascend with n, so that a store can be filled in order.
func identityID(n int) string {
	return fmt.Sprintf("%s:%08x-1111-4222-8333-%012x", region, n, uint64(n)*0x9e3779b97f4a&0xffffffffffff)
}

// subject is the login of the nth identity.
func subject(n int) string { return fmt.Sprintf("%021d", n) }

// settings are keys of the configuration that a row wants otherwise than by default.
type settings map[string]string

// serve starts idpool on the world. program is the binary; with profile, this program stands in for it and writes one.
func (w *world) serve(program, profile, name string, p *provider, more settings, output io.Writer) (*process, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(w.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(w.config(addr, name, p, more)), 0o600); err != nil {
		return nil, err
	}
	if profile == "" {
		return startProcess(addr, "/readyz", output, program, "serve", "--config", file)
	}
	return startProcess(addr, "/readyz", output, program, "serve", "--config", file, "--profile", profile)
}

// config is the configuration of a server: the defaults, but for guests, whom one address makes here faster than any
// client should.
func (w *world) config(addr, name string, p *provider, more settings) string {
	text := config.Initial(config.Init{
		Listen: addr, PublicURL: "http://" + addr, Region: region, AccountID: accountID, DataDir: w.dir,
		Store: w.storeURL, KeyFile: filepath.Join(w.dir, "key"), ClassicFlow: "allow",
	})
	text += "issuer: http://127.0.0.1\n" + sections(settings{
		"fetch.allow": "[127.0.0.0/8]", "fetch.ca_files": "[" + p.caFile + "]",
		"limits.guests_per_second": "0", "limits.guests_per_pool": "0", "limits.guests_in_all": "0", "log.events": filepath.Join(w.dir, name+".events"),
	}, more)
	return text
}

// sections writes keys of the form section.key, or key, as YAML.
func sections(all ...settings) string {
	lines := map[string]string{}
	for _, s := range all {
		for key, value := range s {
			section, name, nested := strings.Cut(key, ".")
			if !nested {
				lines[section] = " " + value // in the line of its key
				continue
			}
			lines[section] += "\n  " + name + ": " + value
		}
	}
	var b strings.Builder
	for section, text := range lines {
		b.WriteString(section + ":" + text + "\n")
	}
	return b.String()
}

// databaseIn is the name of the database in a postgres:// URL, or empty.
func databaseIn(storeURL string) string {
	u, err := url.Parse(storeURL)
	if err != nil || u.Scheme == "sqlite" {
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

// dropDatabase removes what database made.
func dropDatabase(server, name string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	_, err = db.Exec(`DROP DATABASE IF EXISTS ` + name + ` WITH (FORCE)`)
	return errors.Join(err, db.Close())
}

// database makes the database of a name on a PostgreSQL server, unless it is there, and returns its URL.
func database(ctx context.Context, server, name string, fresh bool) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	if fresh {
		if err := dropDatabase(server, name); err != nil {
			return "", err
		}
	}
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT count(*) > 0 FROM pg_database WHERE datname = $1`, name).Scan(&there); err != nil {
		return "", err
	}
	if !there {
		if _, err := db.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
			return "", err
		}
	}
	u.Path = "/" + name
	return u.String(), nil
}
