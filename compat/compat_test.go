// Package compat runs real clients, unmodified, against a running idpool: they get the server's environment file and
// nothing else. It is a module of its own so that no client is a dependency of idpool.
package compat

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// need skips a test whose client is not installed; under IDPOOL_REQUIRE=all it fails instead.
func need(t *testing.T, ok bool, what string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("IDPOOL_REQUIRE") == "all":
		t.Fatalf("%s is not installed, and IDPOOL_REQUIRE=all", what)
	default:
		t.Skipf("%s is not installed", what)
	}
}

// python is Debian's own interpreter where there is one: its packages are Debian's boto3 and awscli.
func python() string {
	if _, err := os.Stat("/usr/bin/python3"); err == nil {
		return "/usr/bin/python3"
	}
	return "python3"
}

// mustStart builds and starts `idpool dev`, waits until it is ready, and returns the variables of its environment file.
func mustStart(t *testing.T, more ...string) []string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "idpool")
	build := exec.Command("go", "build", "-o", binary, "./cmd/idpool")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	file := filepath.Join(dir, "env")
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "dev", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--env-file", file)
	cmd.Args = append(cmd.Args, more...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			t.Errorf("idpool dev ended with %v", err)
		}
	})
	for lines := bufio.NewScanner(out); ; {
		if !lines.Scan() {
			t.Fatalf("idpool dev ended before it was ready: %v", lines.Err())
		}
		if strings.HasPrefix(lines.Text(), "Ready") {
			go func() {
				for lines.Scan() { // keeps the pipe empty
				}
			}()
			break
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// mustRun runs a client with the variables alone and fails the test when it fails.
func mustRun(t *testing.T, vars []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "LC_ALL=C.UTF-8"}, vars...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s %s\n%s", name, strings.Join(args, " "), out)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

func TestBoto3(t *testing.T) {
	need(t, exec.Command(python(), "-c", "import boto3").Run() == nil, "boto3 (Debian: python3-boto3)")
	mustRun(t, mustStart(t), python(), "testdata/main_job.py")
}

func TestAWSCLI(t *testing.T) {
	_, err := os.Stat("/usr/bin/aws")
	need(t, err == nil, "the aws CLI (Debian: awscli)")
	mustRun(t, mustStart(t), "bash", "testdata/main_job.sh")
}

func TestIAM(t *testing.T) {
	_, err := os.Stat("/usr/bin/aws")
	need(t, err == nil, "the aws CLI (Debian: awscli)")
	_, err = os.Stat("/usr/bin/curl")
	need(t, err == nil, "curl")
	mustRun(t, mustStart(t), "bash", "testdata/iam.sh")
}

// actions are the names in the table of a service.
func actions(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`op\.(?:Reading|Writing)\(shapes, "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(m[1], "OutboundWebIdentityFederation") {
			continue // Debian's clients do not know these yet
		}
		out = append(out, m[1])
	}
	return strings.Join(out, ",")
}

// TestEveryActionOfIAM has both clients call every action that the table has.
func TestEveryActionOfIAM(t *testing.T) {
	need(t, exec.Command(python(), "-c", "import boto3").Run() == nil, "boto3 (Debian: python3-boto3)")
	_, err := os.Stat("/usr/bin/aws")
	need(t, err == nil, "the aws CLI (Debian: awscli)")
	for _, how := range []string{"boto3", "cli"} {
		t.Run(how, func(t *testing.T) {
			mustRun(t, mustStart(t), python(), "testdata/actions.py", how, actions(t, "../internal/iam/table.go"))
		})
	}
}

// A SAML provider that is not ours, made of pysaml2 and xmlsec1, and the login with the aws CLI and boto3.
func TestSAML(t *testing.T) {
	need(t, exec.Command(python(), "-c", "import boto3, saml2").Run() == nil, "boto3 and pysaml2 (Debian: python3-boto3, python3-pysaml2)")
	for _, program := range []string{"aws", "xmlsec1", "openssl"} {
		_, err := os.Stat("/usr/bin/" + program)
		need(t, err == nil, program)
	}
	mustRun(t, mustStart(t), "bash", "testdata/saml.sh")
}

// docs/setup.md shows what testdata/iam.sh and then testdata/saml.sh run: every snippet, line by line, in one order.
func TestSetupIsWhatIsTested(t *testing.T) {
	page, err := os.ReadFile("../docs/setup.md")
	if err != nil {
		t.Fatal(err)
	}
	var script []byte
	for _, file := range []string{"testdata/iam.sh", "testdata/saml.sh"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script = append(script, text...)
	}
	shown, run := fenced.FindAllStringSubmatch(string(page), -1), marked.FindAllStringSubmatch(string(script), -1)
	if len(shown) != len(run) || len(run) < 10 || strings.Count(string(page), "```") != 2*len(shown) {
		t.Fatalf("docs/setup.md shows %d snippets, the scripts have %d", len(shown), len(run))
	}
	for i := range run {
		if shown[i][1] != run[i][1] || plain(shown[i][2]) != plain(run[i][2]) {
			t.Errorf("docs/setup.md shows %s\n%s\nand the scripts run %s\n%s", shown[i][1], shown[i][2], run[i][1], run[i][2])
		}
	}
}
