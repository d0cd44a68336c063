package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// perAddress is how many connections come from one loopback address: idpool lets one client hold no more than 256.
const perAddress = 200

// clients are open connections to one program. The requests that they send are made beforehand, and the answers are looked
// at afterwards, so that the generator takes little of the time that the program needs.
type clients struct {
	conns []*client
}

type client struct {
	net.Conn
	in    *bufio.Reader
	again int // how often the server said that it has too many requests
}

// The loopback networks that connections come from.
const (
	honest    = 0 // 127.0.0.x
	attackers = 1 // 127.0.1.x
)

// dial opens n connections from addresses of a network, and sends a first request on each.
func dial(addr string, network byte, n int) (*clients, error) {
	c := &clients{}
	hello := []byte("GET /livez HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")
	for i := range n {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, network, byte(1+i/perAddress))}
		conn, err := (&net.Dialer{LocalAddr: from}).Dial("tcp", addr)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		one := &client{Conn: conn, in: bufio.NewReaderSize(conn, 8<<10)}
		c.conns = append(c.conns, one)
		if _, err := one.do(hello); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *clients) close() error {
	var errs []error
	for _, one := range c.conns {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// warm sends one request on each connection, all at once. A server spends more on the first of a connection than on those
// after it: it grows the stack that serves the connection, and the buffers.
func (c *clients) warm(requests [][]byte) error {
	if len(requests) == 0 {
		return nil
	}
	errs := make([]error, len(c.conns))
	var wg sync.WaitGroup
	for i, one := range c.conns {
		wg.Go(func() { _, errs[i] = one.insist(requests[i%len(requests)]) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// again is how often the server said that it has too many requests, on all connections together.
func (c *clients) again() (sum int) {
	for _, one := range c.conns {
		sum += one.again
	}
	return sum
}

// do sends a request and returns the body of its answer. Any status but 200 is an error.
func (c *client) do(request []byte) ([]byte, error) {
	status, body, err := c.exchange(request)
	if err == nil && status != 200 {
		err = fmt.Errorf("%d: %.300s", status, body)
	}
	if err != nil {
		return nil, err
	}
	return body, nil
}

// exchange sends a request and returns the status and the body of its answer.
func (c *client) exchange(request []byte) (status int, body []byte, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, nil, err
	}
	length := 0
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if status == 0 {
			if status, err = statusIn(line); err != nil {
				return 0, nil, err
			}
		} else if n, ok := contentLength(line); ok {
			length = n
		}
	}
	body = make([]byte, length)
	_, err = io.ReadFull(c.in, body)
	return status, body, err
}

func statusIn(line []byte) (int, error) {
	rest, found := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	n, err := strconv.Atoi(string(code))
	if !found || err != nil {
		return 0, fmt.Errorf("not a status line: %.100q", line)
	}
	return n, nil
}

// insist does a request again where the server says that it has too many, as clients do: what that costs it is counted.
func (c *client) insist(request []byte) (answer []byte, err error) {
	for try := range 100 {
		if answer, err = c.do(request); err == nil || !strings.Contains(err.Error(), "TooManyRequestsException") {
			return answer, err
		}
		c.again++
		time.Sleep(time.Duration(try+1) * time.Millisecond)
	}
	return answer, err
}

func contentLength(line []byte) (int, bool) {
	const name = "content-length:"
	if len(line) < len(name) || !strings.EqualFold(string(line[:len(name)]), name) {
		return 0, false
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(line[len(name):])))
	return n, err == nil
}

// post makes the bytes of a request.
func post(addr, path, contentType, more, body string) []byte {
	return []byte("POST " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: bench\r\nContent-Type: " + contentType + "\r\n" +
		more + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

// burst sends all requests as fast as the answers come, each connection one at a time, and returns the answers in the
// order of the requests.
func (c *clients) burst(requests [][]byte) ([][]byte, error) {
	answers := make([][]byte, len(requests))
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(c.conns))
	for i, one := range c.conns {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(requests)); n = next.Add(1) - 1 {
				if answers[n], errs[i] = one.insist(requests[n]); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return answers, errors.Join(errs...)
}

// arrive sends requests at a fixed rate a second, whether or not earlier ones were answered, and returns how long each
// took from the moment at which it was due, sorted. A request whose turn comes while all connections are busy waits, and
// its waiting counts: so a slow answer cannot hide those that it held up. The answers are in the order of the requests.
func (c *clients) arrive(requests [][]byte, rate float64) (took []time.Duration, answers [][]byte, err error) {
	type due struct {
		at time.Time
		n  int
	}
	turns := make(chan due, len(requests))
	took, answers = make([]time.Duration, len(requests)), make([][]byte, len(requests))
	errs := make([]error, len(c.conns))
	var wg sync.WaitGroup
	for i, one := range c.conns {
		wg.Go(func() {
			for d := range turns {
				if answers[d.n], errs[i] = one.insist(requests[d.n]); errs[i] != nil {
					return
				}
				took[d.n] = time.Since(d.at)
			}
		})
	}
	start := time.Now()
	for n := range requests {
		at := start.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		sleepUntil(at)
		turns <- due{at, n}
	}
	close(turns)
	wg.Wait()
	slices.Sort(took)
	return took, answers, errors.Join(errs...)
}

// sleepUntil sleeps in the kernel: the runtime's timers may be a millisecond late.
func sleepUntil(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		t := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&t, nil) // an interrupted sleep is slept on
	}
}
