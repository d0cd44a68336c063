package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"idpool/internal/client"
	"idpool/internal/sigv4"
)

// Each file of testdata is a shell session. `dev` starts `idpool dev` in the background of a session and sets the
// variables of its environment file; it is stopped when the session ends.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			address, err := fixedPort("127.0.0.1:0")
			env.Setenv("LISTEN", address)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"dev": startDev, "mint": mint, "whoami": whoAmI},
	})
}

func startDev(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("dev takes no !")
	}
	file := ts.MkAbs("dev.env")
	cmd := exec.Command("idpool", append([]string{"dev", "--listen", "127.0.0.1:0", "--env-file", file}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); ; {
		if !lines.Scan() {
			ts.Fatalf("idpool dev ended before it was ready")
		}
		if strings.HasPrefix(lines.Text(), "Ready") {
			go func() {
				for lines.Scan() { // keeps the pipe empty
				}
			}()
			break
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(ts.ReadFile("dev.env")), "\n") {
		name, value, _ := strings.Cut(line, "=")
		ts.Setenv(name, value)
	}
	ts.Setenv("LOGIN_KEY", strings.TrimPrefix(ts.Getenv("IDPOOL_TEST_ISSUER"), "http://"))
}

// mint SUBJECT FILE writes an ID token of the test identity provider.
func mint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mint SUBJECT FILE")
	}
	token, err := mintToken(ts.Getenv("IDPOOL_TEST_ISSUER"), args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs("."), args[1]), []byte(token+"\n"), 0o600))
}

// whoami FILE [CODE] asks STS who signs with the credentials of a file, which must be refused with the code where there is
// one. It sets IDENTITY.
func whoAmI(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: whoami FILE [CODE]")
	}
	var c struct{ IdentityId, AccessKeyId, SecretAccessKey, SessionToken string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &c))
	ts.Setenv("IDENTITY", c.IdentityId)
	api := &client.Client{Endpoint: ts.Getenv("AWS_ENDPOINT_URL"), Region: ts.Getenv("AWS_REGION"), HTTP: http.DefaultClient, Now: time.Now}
	signer := &sigv4.Credentials{AccessKeyID: c.AccessKeyId, Secret: c.SecretAccessKey, Token: c.SessionToken}
	var out struct{}
	err := api.Query(context.Background(), "sts", "2011-06-15", "GetCallerIdentity", nil, signer, &out)
	f, refused := errors.AsType[*client.Fault](err)
	if len(args) == 1 {
		ts.Check(err)
	} else if !refused || f.Code != args[1] {
		ts.Fatalf("got %v, want %s", err, args[1])
	}
}
