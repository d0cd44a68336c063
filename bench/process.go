package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// process is a program under measurement.
type process struct {
	cmd     *exec.Cmd
	addr    string
	startup time.Duration // from its start to its first answer
	peak    int64         // its resident memory at the highest until then, in bytes
	ended   chan struct{}
}

// startProcess starts a program that will listen on addr, and waits until it answers at path.
func startProcess(addr, path string, output io.Writer, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), addr: addr, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = output, output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // it does not outlive the measuring
	p.cmd.Env = append(os.Environ(), "GOTRACEBACK=single")
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its output
		close(p.ended)
	}()
	for time.Since(began) < 30*time.Second {
		if answers("http://" + addr + path) {
			p.startup = time.Since(began)
			_, p.peak = p.memory()
			return p, p.forgetPeak()
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("%s ended at once", name)
		case <-time.After(time.Millisecond):
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s does not answer", name)
}

func answers(url string) bool {
	r, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// stop ends the process and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(35 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// cpu is the CPU time of all threads of the process so far, in user and kernel mode, from the kernel's own count.
func (p *process) cpu() time.Duration {
	// The clock of another process: see clock_getcpuclockid(3).
	clock := uint32(^p.cmd.Process.Pid)<<3 | 2
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(int32(clock)), uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		panic(fmt.Sprintf("the CPU time of process %d: %v", p.cmd.Process.Pid, errno))
	}
	return time.Duration(t.Nano())
}

// forgetPeak has the kernel count the highest memory anew, so that what starting took is not taken for that of serving:
// see proc_pid_clear_refs(5).
func (p *process) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// memory returns the resident memory of the process now and at its highest since forgetPeak, in bytes.
func (p *process) memory() (now, most int64) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kib << 10
		case "VmHWM":
			most = kib << 10
		}
	}
	return now, most
}

// freeAddress is a loopback address with a port that was free a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
