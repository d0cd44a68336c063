package heap

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// ofItsOwn is set in the process that TestUntouched starts.
const ofItsOwn = "IDPOOL_TEST_UNTOUCHED"

// TestUntouched: the system backs next to nothing of the ballast. That takes a process that has used no memory yet; half of
// the ballast is far from what else it takes, and from all.
func TestUntouched(t *testing.T) {
	if os.Getenv(ofItsOwn) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestUntouched$", "-test.count=1", "-test.v")
		cmd.Env = append(os.Environ(), ofItsOwn+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestUntouched") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	before := resident(t)
	mustKeep(t)
	runtime.GC()
	if grew := resident(t) - before; grew > Ballast/2 {
		t.Errorf("resident memory grew by %d MB, want the ballast of %d MB untouched", grew>>20, Ballast>>20)
	}
}

// resident is the memory in bytes that the system backs: see proc_pid_statm(5).
func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
