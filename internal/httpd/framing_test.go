package httpd

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

const host = "Host: x\r\n"

// framingRows are first requests and the status that their framing alone earns; 0 where it is sound (security I4).
var framingRows = []struct {
	name, raw string
	want      int
}{
	{"POST", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}", 0},
	{"GET", "GET /a?b=c HTTP/1.1\r\n" + host + "\r\n", 0},
	{"HTTP/1.0, as proxies speak it", "GET / HTTP/1.0\r\n\r\n", 0},
	{"spaces around a value", "GET / HTTP/1.1\r\nHost: \t x \t\r\n\r\n", 0},
	{"UTF-8 in a value", "GET / HTTP/1.1\r\n" + host + "User-Agent: Zoë\r\n\r\n", 0},
	{"empty value", "GET / HTTP/1.1\r\n" + host + "X:\r\n\r\n", 0},
	{"expect", "POST / HTTP/1.1\r\n" + host + "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n{}", 0},
	{"another upgrade, ignored", "GET / HTTP/1.1\r\n" + host + "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", 0},
	{"Upgrade-Insecure-Requests", "GET / HTTP/1.1\r\n" + host + "Upgrade-Insecure-Requests: 1\r\n\r\n", 0},

	{"chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 411},
	{"length, then chunked", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
	{"chunked, then length", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", 411},
	{"chunked in odd letters", "POST / HTTP/1.1\r\n" + host + "tRaNsFeR-eNcOdInG: \tchunked\r\n\r\n0\r\n\r\n", 411},
	{"identity", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", 411},
	{"unknown coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n", 411},
	{"empty coding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\nContent-Length: 0\r\n\r\n", 411},
	{"chunked on HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", 411},
	{"space before the colon", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}", 400},
	{"tab before the colon", "POST / HTTP/1.1\r\n" + host + "Content-Length\t: 2\r\n\r\n{}", 400},
	{"a vertical tab before chunked", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: \x0bchunked\r\n\r\n", 400},

	{"two lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
	{"two equal lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}", 400},
	{"a list of lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2, 2\r\n\r\n{}", 400},
	{"plus", "POST / HTTP/1.1\r\n" + host + "Content-Length: +2\r\n\r\n{}", 400},
	{"minus", "POST / HTTP/1.1\r\n" + host + "Content-Length: -2\r\n\r\n{}", 400},
	{"hexadecimal", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x2\r\n\r\n{}", 400},
	{"underscore", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1_0\r\n\r\n{}", 400},
	{"other digits", "POST / HTTP/1.1\r\n" + host + "Content-Length: ２\r\n\r\n{}", 400},
	{"empty length", "POST / HTTP/1.1\r\n" + host + "Content-Length: \r\n\r\n", 400},
	{"length beyond all", "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n{}", 400},

	{"bare LF everywhere", "GET / HTTP/1.1\nHost: x\n\n", 400},
	{"bare LF after the request line", "GET / HTTP/1.1\n" + host + "\r\n", 400},
	{"bare LF in the fields", "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", 400},
	{"bare LF at the end of the head", "GET / HTTP/1.1\r\n" + host + "\n", 400},
	{"bare CR in a value", "GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", 400},
	{"CR CR LF", "GET / HTTP/1.1\r\r\n" + host + "\r\n", 400},
	{"bare CR at the start of a line", "GET / HTTP/1.1\r\n\rTransfer-Encoding: chunked\r\n" + host + "\r\n", 400},
	{"folded line", "GET / HTTP/1.1\r\n" + host + "X-Amz-Date: a\r\n b\r\n\r\n", 400},
	{"folded with a tab", "GET / HTTP/1.1\r\n" + host + "X-Amz-Date: a\r\n\tb\r\n\r\n", 400},
	{"first field indented", "GET / HTTP/1.1\r\n " + host + "\r\n", 400},
	{"NUL in a value", "GET / HTTP/1.1\r\nHost: x\x00\r\n\r\n", 400},
	{"NUL in a name", "GET / HTTP/1.1\r\nHo\x00st: x\r\n\r\n", 400},
	{"NUL in the target", "GET /\x00 HTTP/1.1\r\n" + host + "\r\n", 400},
	{"escape character", "GET / HTTP/1.1\r\n" + host + "X: \x1b[2J\r\n\r\n", 400},
	{"delete character", "GET / HTTP/1.1\r\n" + host + "X: \x7f\r\n\r\n", 400},
	{"no colon", "GET / HTTP/1.1\r\n" + host + "nonsense\r\n\r\n", 400},
	{"no name", "GET / HTTP/1.1\r\n" + host + ": x\r\n\r\n", 400},
	{"UTF-8 in a name", "GET / HTTP/1.1\r\n" + host + "Zoë: x\r\n\r\n", 400},
	{"empty line first", "\r\nGET / HTTP/1.1\r\n" + host + "\r\n", 400},

	{"absolute-form", "GET http://other/ HTTP/1.1\r\n" + host + "\r\n", 400},
	{"absolute-form, https", "POST https://other/ HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}", 400},
	{"authority-form", "CONNECT other:443 HTTP/1.1\r\n" + host + "\r\n", 400},
	{"asterisk-form", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 400},
	{"relative", "GET a HTTP/1.1\r\n" + host + "\r\n", 400},
	{"no target", "GET HTTP/1.1\r\n" + host + "\r\n", 400},
	{"empty target", "GET  HTTP/1.1\r\n" + host + "\r\n", 400},
	{"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
	{"space at the end", "GET / HTTP/1.1 \r\n" + host + "\r\n", 400},
	{"space in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", 400},
	{"tabs", "GET\t/\tHTTP/1.1\r\n" + host + "\r\n", 400},
	{"UTF-8 in the target", "GET /ë HTTP/1.1\r\n" + host + "\r\n", 400},
	{"HTTP/0.9", "GET /\r\n", 400},
	{"HTTP/1.2", "GET / HTTP/1.2\r\n" + host + "\r\n", 505},
	{"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
	{"lower case", "GET / http/1.1\r\n" + host + "\r\n", 400},
	{"h2c by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	{"h2c by upgrade", "GET / HTTP/1.1\r\n" + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n", 400},
	{"h2c in a list", "GET / HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: websocket, H2C\r\n\r\n", 400},
	{"another expectation", "POST / HTTP/1.1\r\n" + host + "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}", 417},
	{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
	{"large head", "GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 16<<10) + "\r\n\r\n", 431},
	{"large request line", "GET /" + strings.Repeat("a", 16<<10) + " HTTP/1.1\r\n" + host + "\r\n", 431},
	{"many fields", "GET / HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", 3000) + "\r\n", 431},
	{"large head without an end", "GET / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 3000), 431},

	{"smuggled second request", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", 411},
	{"longer body than said", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\n{}{}\r\n", 400},
}

func TestScanner(t *testing.T) {
	for _, tt := range framingRows {
		t.Run(tt.name, func(t *testing.T) {
			s := newScanner(16 << 10)
			if _, refused := s.feed([]byte(tt.raw)); status(refused) != tt.want {
				t.Errorf("got %d, want %d", status(refused), tt.want)
			}
		})
	}
}

func status(r *refusal) int {
	if r == nil {
		return 0
	}
	return r.status
}

// What is passed on of a refused head must never have its end, or the line that was refused.
func TestScannerKeepsBackTheRefusedLine(t *testing.T) {
	for _, tt := range framingRows {
		s := newScanner(16 << 10)
		n, refused := s.feed([]byte(tt.raw))
		if refused == nil {
			if n != len(tt.raw) {
				t.Errorf("%s: %d of %d bytes are passed on", tt.name, n, len(tt.raw))
			}
			continue
		}
		passed := tt.raw[:n]
		if strings.Contains(strings.ToLower(passed), "transfer-encoding") || strings.Contains(passed, "h2c") || n > 0 && passed[n-1] != '\n' && !strings.HasSuffix(passed, "{}") {
			t.Errorf("%s: %q is passed on", tt.name, passed)
		}
	}
}

func TestScannerBoundsTheHead(t *testing.T) {
	request := func(size int) string {
		const around = len("GET / HTTP/1.1\r\nX: \r\n\r\n")
		return "GET / HTTP/1.1\r\nX: " + strings.Repeat("a", size-around) + "\r\n\r\n"
	}
	for _, tt := range []struct {
		raw  string
		want int
	}{
		{request(1000), 0},
		{request(1001), 431},
		{request(1000) + request(1000), 0}, // each head by itself
		{request(1000) + request(1001), 431},
		{"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat("\n", 5000) + request(1000), 0}, // bodies do not count
	} {
		s := newScanner(1000)
		if _, refused := s.feed([]byte(tt.raw)); status(refused) != tt.want {
			t.Errorf("%d bytes: got %d, want %d", len(tt.raw), status(refused), tt.want)
		}
	}
}

// The scanner is the strict half of two parsers. Where it is content, net/http must read the same request: the same body,
// no transfer coding, a path. And it must not matter how the bytes were cut up on the way.
func FuzzFraming(f *testing.F) {
	for _, row := range framingRows {
		f.Add([]byte(row.raw[:min(len(row.raw), 2*fuzzHead)]), uint8(3))
	}
	f.Fuzz(func(t *testing.T, raw []byte, cut uint8) {
		whole := newScanner(fuzzHead)
		n, refused := whole.feed(raw)
		if n < 0 || n > len(raw) || refused == nil && n != len(raw) {
			t.Fatalf("passed on %d of %d bytes", n, len(raw))
		}
		// Which of two flaws is named may depend on the pieces; that one is, may not.
		if got := feedInPieces(raw, int(cut)%7+1); (got == nil) != (refused == nil) {
			t.Fatalf("in pieces: got %v, whole: %v", got, refused)
		}
		if refused != nil {
			return
		}
		first := newScanner(fuzzHead)
		head := bytes.Index(raw, []byte("\r\n\r\n"))
		if head < 0 {
			return
		}
		if _, refused := first.feed(raw[:head+4]); refused != nil {
			t.Fatalf("the head alone is refused: %v", refused)
		}
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		if len(req.TransferEncoding) != 0 || req.ContentLength != first.body || !strings.HasPrefix(req.RequestURI, "/") {
			t.Fatalf("net/http reads length %d, coding %v, target %q; the scanner reads length %d",
				req.ContentLength, req.TransferEncoding, req.RequestURI, first.body)
		}
	})
}

const fuzzHead = 300 // bytes; small, so that inputs stay small

func feedInPieces(raw []byte, size int) *refusal {
	s := newScanner(fuzzHead)
	for len(raw) > 0 {
		n := min(size, len(raw))
		if _, refused := s.feed(raw[:n]); refused != nil {
			return refused
		}
		raw = raw[n:]
	}
	return nil
}

func BenchmarkScanner(b *testing.B) {
	raw := []byte("POST / HTTP/1.1\r\n" + host + strings.Repeat("X-Amz-Header: some value\r\n", 20) + "Content-Length: 2000\r\n\r\n" + strings.Repeat("x", 2000))
	s := newScanner(16 << 10)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		s.feed(raw)
	}
}
