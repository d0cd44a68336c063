package compat

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mustCeph starts a Ceph object gateway and returns the variables that name it.
func mustCeph(t *testing.T) []string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := func(action string) ([]byte, error) {
		cmd := exec.Command("../.ci/ceph", action, dir, port)
		cmd.Stderr = os.Stderr
		return cmd.Output()
	}
	t.Cleanup(func() {
		if _, err := script("stop"); err != nil {
			t.Errorf("stopping Ceph: %v", err)
		}
	})
	out, err := script("start")
	if err != nil {
		t.Fatalf("starting Ceph: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// Logins become credentials of a real Ceph object gateway, and docs/storage.md shows what held.
func TestCeph(t *testing.T) {
	_, err := exec.LookPath("radosgw")
	need(t, err == nil, "Ceph (Debian: radosgw ceph-mon ceph-osd)")
	need(t, exec.Command(python(), "-c", "import boto3").Run() == nil, "boto3 (Debian: python3-boto3)")
	node := needProvider(t)
	p := mustStartIdP(t, "idp/oidc-provider", node, "provider.mjs", redirectURI)
	const client = "app-RS256"
	login := []string{"IDPOOL_TEST_LOGIN_ISSUER=" + p.issuer, "IDPOOL_TEST_LOGIN_CLIENT=" + client, "IDPOOL_TEST_LOGIN_TOKEN=" + p.mustLogIn(client)}
	ceph := mustCeph(t)
	endpoint := strings.TrimPrefix(ceph[0], "IDPOOL_TEST_CEPH=")
	policy, err := filepath.Abs("testdata/ceph-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "authorities.yaml")
	text := "authorities:\n  ceph:\n    kind: ceph\n    endpoint: " + endpoint + "\n    roles: [\"arn:aws:iam:::role/*\"]\n    session_policy: " + policy + "\n    duration: 15m\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := mustRun(t, slices.Concat(mustStart(t, "--authorities", file), ceph, login), python(), "-u", "testdata/ceph.py")
	_, matrix, found := strings.Cut(out, "\n| | ")
	page, err := os.ReadFile("../docs/storage.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "| | " + strings.TrimSpace(matrix); !found || !strings.Contains(string(page), want) {
		t.Errorf("docs/storage.md does not show what held:\n%s", want)
	}
}
