package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"idpool/internal/config"
	"idpool/internal/keyring/filekeys"
	"idpool/internal/server"
	"idpool/internal/setup"
	"idpool/internal/store"
)

type initCommand struct {
	Dir       string `arg:"" help:"The folder to make; it holds idpool.yaml and key afterwards."`
	Store     string `placeholder:"URL" help:"The database: sqlite:PATH or postgres://…; default a SQLite file in the folder."`
	PublicURL string `name:"public-url" default:"http://127.0.0.1:8440" placeholder:"URL" help:"Where clients will reach the server; https, except on loopback."`
	Region    string `default:"us-east-1" help:"The region in ids and ARNs."`
	AccountID string `name:"account-id" placeholder:"DIGITS" help:"The account in ARNs, 12 digits; default random ones."`
}

// Run makes the folder, writes the configuration and the key file, and makes keys and the first administrator in the
// store. It refuses to write over anything.
func (c *initCommand) Run(ctx context.Context, env *environment) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	path, err := c.write()
	if err != nil {
		return err
	}
	cfg, err := loadConfig(path, env)
	if err != nil {
		return err
	}
	credentials, err := newAdministrator(ctx, cfg, env, "admin")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.out, "Wrote %s and %s.\n\n%s\nStart the server:\n  idpool serve --config %s\n",
		path, cfg.KeyFile, credentials, path)
	return err
}

// write makes the key file and the configuration.
func (c *initCommand) write() (path string, err error) {
	if c.AccountID == "" {
		if c.AccountID, err = randomAccount(); err != nil {
			return "", err
		}
	}
	text := config.Initial(config.Init{
		PublicURL: c.PublicURL, Region: c.Region, AccountID: c.AccountID, Store: orDefault(c.Store, "sqlite:idpool.db"),
		KeyFile: "key", ClassicFlow: "deny",
	})
	path = filepath.Join(c.Dir, "idpool.yaml")
	if _, err := config.Parse(path, []byte(text), os.LookupEnv); err != nil {
		return "", mistakes(err) // of the flags; nothing was written yet
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("the folder is in use: %w", err)
	}
	if _, err = io.WriteString(f, text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return path, filekeys.Create(filepath.Join(c.Dir, "key"))
}

func orDefault(value, byDefault string) string {
	if value == "" {
		return byDefault
	}
	return value
}

// randomAccount makes an account id that does not begin with a zero, which tools like to lose.
func randomAccount() (string, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	var n uint64
	for _, b := range random {
		n = n<<8 | uint64(b)
	}
	return strconv.FormatUint(100_000_000_000+n%900_000_000_000, 10), nil
}

// administrator prints as what an operator needs once.
type administrator struct{ setup.Credentials }

func (a administrator) String() string {
	return fmt.Sprintf("The administrator %s; the secret is shown this once:\n  AWS_ACCESS_KEY_ID=%s\n  AWS_SECRET_ACCESS_KEY=%s\n",
		a.UserARN, a.AccessKeyID, a.SecretAccessKey)
}

// newAdministrator makes keys where there are none yet, and a user who may do everything.
func newAdministrator(ctx context.Context, cfg *config.Config, env *environment, name string) (administrator, error) {
	s, err := server.Open(ctx, server.Options{Config: cfg, Log: newLog(env.err), Now: time.Now, MakeKeys: true})
	if err != nil {
		return administrator{}, err
	}
	made, err := s.Setup.Administrator(ctx, name)
	if errors.Is(err, store.ErrConflict) {
		err = fmt.Errorf("there is a user %s already; give another with `idpool admin new --name`", name)
	}
	return administrator{made}, closing(s, err)
}
