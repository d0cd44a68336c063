package compat

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// needNode skips without Node and the packages of js/package-lock.json.
func needNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	need(t, err == nil, "Node")
	_, err = os.Stat("js/node_modules")
	need(t, err == nil, "js/node_modules (npm ci in compat/js)")
	return node
}

func runNode(t *testing.T, node, script string) {
	t.Helper()
	vars := mustStart(t)
	dir, err := filepath.Abs("js")
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, vars, "env", "-C", dir, node, script)
}

func TestJavaScriptSDK(t *testing.T) { runNode(t, needNode(t), "node.mjs") }

func TestBrowser(t *testing.T) {
	node := needNode(t)
	_, err := os.Stat("/usr/bin/chromium")
	need(t, err == nil, "Chromium (Debian: chromium)")
	runNode(t, node, "browser.mjs")
}
