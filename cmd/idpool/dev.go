package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"idpool/internal/config"
	"idpool/internal/httpd"
	"idpool/internal/keyring/filekeys"
	"idpool/internal/server"
	"idpool/internal/setup"
	"idpool/internal/testidp"
)

// devAccount and devRegion are what documentation uses for examples.
const (
	devAccount = "111122223333"
	devRegion  = "us-east-1"
	idpPath    = "/testidp"
)

type devCommand struct {
	Listen  string `default:"127.0.0.1:8440" placeholder:"ADDR" help:"Where to listen; a loopback address, and no other."`
	Data    string `placeholder:"DIR" help:"Keep pools, identities and keys here; default a folder that goes with the server."`
	EnvFile string `name:"env-file" placeholder:"FILE" help:"Write what clients need here, as KEY=VALUE lines."`
	More    string `name:"authorities" placeholder:"FILE" help:"A file with the section authorities of a configuration, to try it."`
	Exit    bool   `help:"Stop after the transcript, with status 0 only if every step held."`
}

// Run is `idpool serve` but for three things: its data, loopback http:// issuers, and documents to begin with.
func (c *devCommand) Run(ctx context.Context, env *environment) error {
	if !httpd.Loopback(c.Listen) {
		return fmt.Errorf("idpool dev listens on loopback addresses alone, such as 127.0.0.1:8440, and not on %s: it hands out an administrator's key", c.Listen)
	}
	data, cleanUp, err := c.folder()
	if err != nil {
		return err
	}
	defer cleanUp()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d, err := openDev(ctx, c.Listen, data, c.More, env)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- d.server.Serve(ctx) }()
	err = c.present(ctx, d, env)
	if err != nil || c.Exit {
		stop()
	}
	return closing(d, errors.Join(err, <-served))
}

// present writes the environment file, does the main job and, staying up, says how to go on.
func (c *devCommand) present(ctx context.Context, d *dev, env *environment) error {
	if c.EnvFile != "" {
		if err := d.writeEnv(c.EnvFile); err != nil {
			return err
		}
	}
	if err := transcript(ctx, d, env); err != nil {
		return err
	}
	if c.Exit {
		return nil
	}
	_, err := fmt.Fprint(env.out, d.lines(c.EnvFile), "Ready on ", d.url, ". Stop with Ctrl-C.\n")
	return err
}

// folder returns the data folder and what removes it again, if it is ours.
func (c *devCommand) folder() (string, func(), error) {
	if c.Data != "" {
		return c.Data, func() {}, os.MkdirAll(c.Data, 0o700)
	}
	dir, err := os.MkdirTemp("", "idpool-dev-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// dev is a running development server with its identity provider.
type dev struct {
	server *server.Server
	idp    *testidp.Provider
	url    string
	issuer string
	seeded *setup.Dev
}

// Close implements io.Closer.
func (d *dev) Close() error { return errors.Join(d.server.Close(), d.idp.Close()) }

func openDev(ctx context.Context, listen, data, more string, env *environment) (*dev, error) {
	listen, err := fixedPort(listen)
	if err != nil {
		return nil, err
	}
	d := &dev{url: "http://" + listen, issuer: "http://" + listen + idpPath}
	cfg, err := devConfig(d.url, listen, data, more)
	if err != nil {
		return nil, err
	}
	if d.idp, err = testidp.New(testidp.Config{Issuer: d.issuer, Dir: filepath.Join(data, "testidp"), Now: time.Now}); err != nil {
		return nil, err
	}
	d.server, err = server.Open(ctx, server.Options{
		Config: cfg, Log: newLog(env.err), Now: time.Now, LoopbackHTTP: true, MakeKeys: true,
		Pages: map[string]http.Handler{idpPath + "/": d.idp.Handler()},
	})
	if err != nil {
		return nil, closing(d.idp, err)
	}
	return d, closingOnError(d, d.start(ctx))
}

// start seeds the store and takes the port.
func (d *dev) start(ctx context.Context) (err error) {
	if d.seeded, err = d.server.Setup.Dev(ctx, d.server.Source, d.issuer); err != nil {
		return err
	}
	_, err = d.server.Listen()
	return err
}

// fixedPort replaces port 0 by a free one: the port is part of the issuer, which must be known before anything starts.
func fixedPort(listen string) (string, error) {
	if !strings.HasSuffix(listen, ":0") {
		return listen, nil
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// devConfig is a configuration with what the file more holds in front: then its lines keep their numbers, and its paths
// begin where it is.
func devConfig(url, listen, data, more string) (*config.Config, error) {
	key := filepath.Join(data, "key")
	if err := filekeys.Create(key); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	data, err := filepath.Abs(data)
	if err != nil {
		return nil, err
	}
	text := config.Initial(config.Init{
		Listen: listen, PublicURL: url, Region: devRegion, AccountID: devAccount, DataDir: data,
		Store: "sqlite:idpool.db", KeyFile: filepath.Join(data, "key"), ClassicFlow: "allow",
	})
	name := filepath.Join(data, "idpool.yaml")
	if more != "" {
		head, err := os.ReadFile(more)
		if err != nil {
			return nil, err
		}
		name, text = more, string(head)+"\n"+text
	}
	cfg, err := config.Parse(name, []byte(text), os.LookupEnv)
	if err != nil {
		return nil, err
	}
	cfg.Log.Events = filepath.Join(data, "events.jsonl")
	return cfg, nil
}

// variables are the lines of the environment file: public surface that scripts rely on.
func (d *dev) variables() [][2]string {
	a := d.seeded.Administrator
	return [][2]string{
		{"AWS_ENDPOINT_URL", d.url},
		{"AWS_REGION", devRegion},
		{"AWS_ACCESS_KEY_ID", a.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", a.SecretAccessKey},
		{"IDPOOL_ACCOUNT_ID", devAccount},
		{"IDPOOL_POOL_ID", d.seeded.PoolID},
		{"IDPOOL_TEST_ISSUER", d.issuer},
		{"IDPOOL_TEST_AUDIENCE", setup.DevAudience},
		{"IDPOOL_AUTHENTICATED_ROLE_ARN", d.seeded.AuthenticatedRoleARN},
		{"IDPOOL_GUEST_ROLE_ARN", d.seeded.GuestRoleARN},
	}
}

// writeEnv writes the file whole or not at all, for its owner's eyes.
func (d *dev) writeEnv(path string) error {
	var b strings.Builder
	for _, v := range d.variables() {
		b.WriteString(v[0] + "=" + v[1] + "\n")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".env-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(b.String())
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
