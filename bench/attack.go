package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// attackCommand sends requests that must be refused until its input ends, and then says what became of them. It is a
// process of its own, so that the honest clients do not wait for the attackers within the generator.
type attackCommand struct {
	Addr     string  `required:"" help:"Whom to attack."`
	Requests string  `required:"" help:"A JSON file of the requests, which are sent again and again."`
	Conns    int     `default:"64" help:"On how many connections."`
	Rate     float64 `help:"How many a second in all; 0 means as fast as the answers come."`
	// Patience is how long an attacker waits for an answer, before he leaves and comes on a new connection.
	Patience time.Duration `help:"How long one waits for an answer before it connects anew; 0 means for ever."`
}

// tally is what became of an attack.
type tally struct {
	Sent    int
	Missed  int            // that were due while their connection still waited for an answer
	Answers map[string]int // by error code, or by status where there is none
	Seconds float64
	Rate    float64 // that was wanted, a second; 0: as fast as the answers come
}

// Run attacks.
func (c *attackCommand) Run(ctx context.Context) error {
	text, err := os.ReadFile(c.Requests)
	if err != nil {
		return err
	}
	var requests [][]byte
	if err := json.Unmarshal(text, &requests); err != nil {
		return err
	}
	all, err := dial(c.Addr, attackers, c.Conns)
	if err != nil {
		return err
	}
	defer func() { _ = all.close() }()
	fmt.Println("ready")
	ctx, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	got, err := all.attack(ctx, requests, c.Rate, c.Patience)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(got)
}

// attack sends requests on all connections until ctx ends: rate a second in all, each connection one at a time.
func (c *clients) attack(ctx context.Context, requests [][]byte, rate float64, patience time.Duration) (*tally, error) {
	out := &tally{Answers: map[string]int{}}
	var next atomic.Int64
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	began := time.Now()
	for i, one := range c.conns {
		wg.Go(func() {
			own := pace{every: everyOf(rate, len(c.conns))}
			own.due = began.Add(own.every * time.Duration(i) / time.Duration(len(c.conns)))
			answers := map[string]int{}
			var err error
			for err == nil && own.wait(ctx) {
				var code string
				if code, err = one.try(requests[int(next.Add(1))%len(requests)], patience); err == nil {
					answers[code]++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			out.add(answers)
			out.Missed += own.missed
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	out.Seconds = time.Since(began).Seconds()
	return out, failed
}

func everyOf(rate float64, conns int) time.Duration {
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(conns) / rate * float64(time.Second))
}

// pace is when an attacker sends next. One who was kept waiting does not make up for it.
type pace struct {
	every  time.Duration
	due    time.Time
	missed int
}

// wait waits for the next turn. It returns false when ctx has ended.
func (p *pace) wait(ctx context.Context) bool {
	if left := time.Until(p.due); p.every > 0 && left > 0 {
		select {
		case <-time.After(left):
		case <-ctx.Done():
		}
	}
	if late := time.Since(p.due); late > p.every {
		p.due = p.due.Add(late)
		if p.every > 0 {
			p.missed += int(late / p.every)
		}
	}
	p.due = p.due.Add(p.every)
	return ctx.Err() == nil
}

// What became of a request of who did not wait for its answer, or did not get a connection for it.
const (
	left         = "left"
	noConnection = "no connection"
)

// try is refusal with patience, after which the attacker leaves and comes on a new connection; so he does when he was shown
// the door.
func (c *client) try(request []byte, patience time.Duration) (string, error) {
	if patience == 0 {
		return c.refusal(request)
	}
	err := c.SetDeadline(time.Now().Add(patience))
	if err == nil {
		var code string
		if code, err = c.refusal(request); err == nil {
			return code, nil
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return left, c.dialAgain()
	}
	return noConnection, c.dialAgain()
}

// dialAgain replaces the connection by a new one from the same address. Where none is to be had, that shows at the next try.
func (c *client) dialAgain() error {
	own, ok := c.LocalAddr().(*net.TCPAddr)
	if !ok {
		return fmt.Errorf("a connection from %v", c.LocalAddr())
	}
	_ = c.Close() // nobody waits for anything on it
	if conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: own.IP}}).Dial("tcp", c.RemoteAddr().String()); err == nil {
		c.Conn = conn
		c.in.Reset(conn)
	}
	return nil
}

// refusal sends a request and returns the code of the answer.
func (c *client) refusal(request []byte) (string, error) {
	status, body, err := c.exchange(request)
	if code := field(body, "__type"); code != "" {
		return code, err
	}
	return strconv.Itoa(status), err
}

func (t *tally) add(answers map[string]int) {
	for code, n := range answers {
		t.Answers[code] += n
		t.Sent += n
	}
}

// attack is a running attackCommand.
type attack struct {
	cmd *exec.Cmd
	in  io.Closer
	out *json.Decoder
}

// startAttack starts one and waits until it is under way. The requests lie in file.
func startAttack(addr, file string, rate float64, patience time.Duration, output io.Writer) (*attack, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	a := &attack{cmd: exec.Command(self, "attack", "--addr", addr, "--requests", file, "--rate", strconv.FormatFloat(rate, 'f', 1, 64), "--patience", patience.String())}
	a.cmd.Stderr = output
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscanln(out, new(string)); err != nil {
		return nil, fmt.Errorf("the attackers did not start: %w", a.cmd.Wait())
	}
	a.out = json.NewDecoder(out)
	return a, nil
}

// stop ends the attack and returns what became of it.
func (a *attack) stop() (*tally, error) {
	if err := a.in.Close(); err != nil {
		return nil, err
	}
	t := &tally{}
	err := a.out.Decode(t)
	if ended := a.cmd.Wait(); ended != nil {
		return nil, fmt.Errorf("the attackers: %w", ended)
	}
	return t, err
}
