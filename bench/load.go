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
	in *bufio.Reader
}

// dial opens n connections and sends a first request on each.
func dial(addr string, n int) (*clients, error) {
	c := &clients{}
	hello := []byte("GET /livez HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")
	for i := range n {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i/perAddress))}
		conn, err := (&net.Dialer{LocalAddr: from}).Dial("tcp", addr)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		one := &client{conn, bufio.NewReaderSize(conn, 8<<10)}
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

// do sends a request and returns the body of its answer. Any status but 200 is an error.
func (c *client) do(request []byte) ([]byte, error) {
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	status, length := "", 0
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if status == "" {
			status = string(line)
		} else if n, ok := contentLength(line); ok {
			length = n
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(c.in, body); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200") {
		return nil, fmt.Errorf("%s: %.300s", status, body)
	}
	return body, nil
}

// insist does a request again where the server says that it has too many, as clients do: what that costs it is counted.
func (c *client) insist(request []byte) (answer []byte, err error) {
	for try := range 100 {
		if answer, err = c.do(request); err == nil || !strings.Contains(err.Error(), "TooManyRequestsException") {
			return answer, err
		}
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
// its waiting counts: so a slow answer cannot hide those that it held up.
func (c *clients) arrive(requests [][]byte, rate float64) ([]time.Duration, error) {
	type due struct {
		at      time.Time
		request []byte
	}
	turns := make(chan due, len(requests))
	took := make([][]time.Duration, len(c.conns))
	errs := make([]error, len(c.conns))
	var wg sync.WaitGroup
	for i, one := range c.conns {
		wg.Go(func() {
			for d := range turns {
				if _, errs[i] = one.insist(d.request); errs[i] != nil {
					return
				}
				took[i] = append(took[i], time.Since(d.at))
			}
		})
	}
	start := time.Now()
	for n, request := range requests {
		at := start.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		sleepUntil(at)
		turns <- due{at, request}
	}
	close(turns)
	wg.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	return all, errors.Join(errs...)
}

// sleepUntil sleeps in the kernel: the runtime's timers may be a millisecond late.
func sleepUntil(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		t := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&t, nil) // an interrupted sleep is slept on
	}
}
