package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"idpool/internal/arn"
	"idpool/internal/client"
	"idpool/internal/config"
	"idpool/internal/server"
	"idpool/internal/setup"
	"idpool/internal/store/storetest"
	"idpool/internal/testidp"
)

// TestMain makes this test binary run as idpool itself where it is called by that name: what is killed and started again
// here is the program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"idpool": main})
}

// site is a production site: a configuration made by `idpool init`, an identity provider with TLS, and a pool.
type site struct {
	t      *testing.T
	dir    string
	idp    *testidp.Provider
	key    string // of the identity provider, in a Logins map
	poolID string
}

// mustSite makes a site whose store is at the URL; empty for SQLite.
func mustSite(t *testing.T, storeURL string) *site {
	t.Helper()
	s := &site{t: t, dir: filepath.Join(t.TempDir(), "site")}
	args := []string{"init", s.dir, "--account-id", "111122223333"}
	if storeURL != "" {
		args = append(args, "--store", storeURL)
	}
	if out, err := exec.Command("idpool", args...).CombinedOutput(); err != nil {
		t.Fatalf("idpool init: %v\n%s", err, out)
	}
	s.startIdP()
	s.seed()
	return s
}

// startIdP starts the identity provider behind TLS and tells the configuration to trust it.
func (s *site) startIdP() {
	s.t.Helper()
	var handler http.Handler
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	web.StartTLS()
	s.t.Cleanup(web.Close)
	var err error
	if s.idp, err = testidp.New(testidp.Config{Issuer: web.URL}); err != nil {
		s.t.Fatal(err)
	}
	handler, s.key = s.idp.Handler(), web.Listener.Addr().String()
	ca := filepath.Join(s.dir, "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.append("fetch:\n  allow: [127.0.0.0/8]\n  ca_files: [" + ca + "]\n")
}

func (s *site) configFile() string { return filepath.Join(s.dir, "idpool.yaml") }

func (s *site) append(text string) {
	s.t.Helper()
	old, err := os.ReadFile(s.configFile())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.configFile(), append(old, text...), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) replace(old, replacement string) {
	s.t.Helper()
	text, err := os.ReadFile(s.configFile())
	if err != nil || !strings.Contains(string(text), old) {
		s.t.Fatalf("the configuration has no %q: %v", old, err)
	}
	if err := os.WriteFile(s.configFile(), []byte(strings.Replace(string(text), old, replacement, 1)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// seed makes a pool, as an administrator would over the wire.
func (s *site) seed() {
	s.t.Helper()
	cfg, err := config.Load(s.configFile(), os.LookupEnv)
	if err != nil {
		s.t.Fatal(err)
	}
	opened, err := server.Open(s.t.Context(), server.Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	seeded, err := opened.Setup.Dev(s.t.Context(), opened.Source, s.idp.Issuer())
	if err = errors.Join(err, opened.Close()); err != nil {
		s.t.Fatal(err)
	}
	s.poolID = seeded.PoolID
}

// node is one running server process.
type node struct {
	cmd *exec.Cmd
	api *client.Client
}

var servingAt = regexp.MustCompile(`msg=serving url=(\S+)`)

// mustServe starts a server process on a free port, which is killed when the test ends.
func (s *site) mustServe() *node {
	s.t.Helper()
	text, err := os.ReadFile(s.configFile())
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.dir, fmt.Sprintf("node-%d.yaml", time.Now().UnixNano()))
	if err := os.WriteFile(file, append([]byte("listen: 127.0.0.1:0\n"), text...), 0o600); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("idpool", "serve", "--config", file)
	logs, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(logs)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if m := servingAt.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() { // keeps the pipe empty
				}
			}()
			return &node{cmd, &client.Client{Endpoint: m[1], Region: "us-east-1", HTTP: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 128}}, Now: time.Now}}
		}
	}
	s.t.Fatalf("idpool serve did not start:\n%s", strings.Join(said, "\n"))
	return nil
}

func (s *site) login(sub string) map[string]string {
	s.t.Helper()
	token, err := s.idp.Mint(testidp.TokenRequest{Sub: sub, Aud: setup.DevAudience})
	if err != nil {
		s.t.Fatal(err)
	}
	return map[string]string{s.key: token}
}

// stores are the databases that promises are made for.
func stores(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.PostgresURL(t)) })
}

// 64 first GetIds with one login, all at once, are one identity: on one node and on two that share a PostgreSQL.
func TestOneLoginIsOneIdentity(t *testing.T) {
	for _, tc := range []struct {
		name  string
		nodes int
		url   func(*testing.T) string
	}{
		{"sqlite", 1, func(*testing.T) string { return "" }},
		{"postgres", 1, func(t *testing.T) string { return storetest.PostgresURL(t) }},
		{"two processes on one postgres", 2, func(t *testing.T) string { return storetest.PostgresURL(t) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := mustSite(t, tc.url(t))
			var nodes []*node
			for range tc.nodes {
				nodes = append(nodes, s.mustServe())
			}
			for round := range 5 {
				oneIdentity(t, s, nodes, fmt.Sprintf("user-%d", round))
			}
		})
	}
}

func oneIdentity(t *testing.T, s *site, nodes []*node, sub string) {
	t.Helper()
	const calls = 64
	login := s.login(sub)
	ids, errs := make([]string, calls), make([]error, calls)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range calls {
		all.Go(func() {
			<-start
			ids[i], errs[i] = getID(t.Context(), nodes[i%len(nodes)].api, s.poolID, login)
		})
	}
	close(start)
	all.Wait()
	for i := range calls {
		if errs[i] != nil {
			t.Fatalf("call %d: %v", i, errs[i])
		}
		if ids[i] != ids[0] {
			t.Fatalf("%s has two identities: %s and %s", sub, ids[0], ids[i])
		}
	}
}

// kill -9 in the middle of a burst loses no identity that was answered, and credentials outlive the restart.
func TestKillLosesNothing(t *testing.T) {
	stores(t, func(t *testing.T, url string) {
		s := mustSite(t, url)
		first := s.mustServe()
		alice, err := vend(t.Context(), first.api, s.poolID, "", s.login("alice"), "")
		if err != nil {
			t.Fatal(err)
		}
		answered := s.burst(first, 40)
		if len(answered) < 40 {
			t.Fatalf("only %d were answered before the kill", len(answered))
		}
		again := s.mustServe()
		for sub, id := range answered {
			got, err := getID(t.Context(), again.api, s.poolID, s.login(sub))
			if err != nil || got != id {
				t.Fatalf("%s was answered %s, and after the kill is %s: %v", sub, id, got, err)
			}
		}
		w := &walk{api: again.api}
		if got, err := w.whoAmI(t.Context(), alice); err != nil || got != arn.AssumedRole("111122223333", setup.DevAuthenticatedRole, "CognitoIdentityCredentials") {
			t.Errorf("alice's credentials after the restart: %s, %v", got, err)
		}
	})
}

// burst has many users come at once and kills the server after enough were answered; it returns who was answered what.
func (s *site) burst(n *node, enough int) map[string]string {
	s.t.Helper()
	var mu sync.Mutex
	answered := map[string]string{}
	kill := sync.OnceFunc(func() { _ = n.cmd.Process.Signal(syscall.SIGKILL) })
	var all sync.WaitGroup
	for worker := range 32 {
		all.Go(func() {
			for i := 0; ; i++ {
				sub := fmt.Sprintf("burst-%d-%d", worker, i)
				id, err := getID(context.Background(), n.api, s.poolID, s.login(sub))
				if err != nil {
					return // the server is gone
				}
				mu.Lock()
				answered[sub] = id
				if len(answered) >= enough {
					kill()
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	_ = n.cmd.Wait()
	return answered
}

// A server whose store has no keys says what to do, and one with another key file does not start.
func TestServeRefuses(t *testing.T) {
	s := mustSite(t, "")
	key := filepath.Join(s.dir, "key")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("idpool", "serve", "--config", s.configFile()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "only its owner may read it") {
		t.Errorf("a key file with mode 0644: %v\n%s", err, out)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	other := mustSite(t, "")
	text, err := os.ReadFile(filepath.Join(other.dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = exec.Command("idpool", "serve", "--config", s.configFile()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "does not open with this key file") {
		t.Errorf("another key file: %v\n%s", err, out)
	}
}

// The server's own TLS speaks nothing older than TLS 1.2 (security K3).
func TestServeSpeaksTLS(t *testing.T) {
	s := mustSite(t, "")
	web := httptest.NewTLSServer(nil)
	web.Close()
	certificate, key := mustPair(t, web, s.dir)
	s.append("tls:\n  certificate: " + certificate + "\n  key: " + key + "\n")
	s.replace("public_url: http:", "public_url: https:")
	n := s.mustServe()
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(n.api.Endpoint, "https://"), &tls.Config{
			InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, //nolint:gosec // the version is what is tested
		})
		if (err == nil) != want {
			t.Errorf("TLS %x: %v", version, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}
