package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"dev": startDev, "mint": mint},
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
