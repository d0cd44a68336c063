package shape

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"
)

const maxInt64 = math.MaxInt64

// ParseInteger reads a decimal integer of 64 bits with nothing around it: no plus sign, no leading zeros, no
// fraction, no exponent.
func ParseInteger(text string) (int64, bool) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// ParseFloat reads a decimal number, or one of the words NaN, Infinity and -Infinity.
func ParseFloat(text string) (float64, bool) {
	switch text {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false // the words, hexadecimal and underscores that Go would take
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// AppendFloat writes the shortest decimal that ParseFloat reads as f, or one of its words.
func AppendFloat(dst []byte, f float64) []byte {
	switch size := math.Abs(f); {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case size != 0 && (size < 1e-6 || size >= 1e21):
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// ParseBlob reads standard base64 with its padding. Bits or bytes that a second spelling could differ in are refused.
func ParseBlob(text string) ([]byte, bool) {
	if strings.ContainsAny(text, "\r\n") { // Strict skips these
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil
}

// TimeFormat is one way to write a timestamp.
type TimeFormat uint8

// The formats. A Style holds 0 where the protocol's own applies.
const (
	ISO8601  TimeFormat = iota + 1 // 2026-11-22T13:00:00Z; milliseconds when there are any
	Seconds                        // ISO8601 cut to whole seconds
	HTTPDate                       // Sun, 22 Nov 2026 13:00:00 GMT
	Epoch                          // seconds since 1970; a fraction of at most three digits, never an exponent
)

// timeFormats are the model's words for them.
var timeFormats = map[string]TimeFormat{"iso8601": ISO8601, "rfc822": HTTPDate, "unixTimestamp": Epoch}

const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// The first and the last second that four digits of a year can name.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
)

// Or returns the format, or another in place of none.
func (f TimeFormat) Or(other TimeFormat) TimeFormat {
	if f == 0 {
		return other
	}
	return f
}

// Parse reads a timestamp of the years 1 to 9999 and returns it in UTC, to the millisecond.
func (f TimeFormat) Parse(text string) (time.Time, bool) {
	if f == Epoch {
		return parseEpoch(text)
	}
	layout := time.RFC3339
	if f == HTTPDate {
		layout = httpDate
	}
	t, err := time.Parse(layout, text)
	exact := f == HTTPDate && t.Format(httpDate) == text || f != HTTPDate && !strings.Contains(text, ",")
	if err != nil || !exact || t.Unix() < firstSecond || t.Unix() > lastSecond {
		return time.Time{}, false
	}
	return t.UTC().Truncate(time.Millisecond), true
}

func parseEpoch(text string) (time.Time, bool) {
	seconds, ok := ParseFloat(text)
	if !ok || !(seconds >= firstSecond && seconds <= lastSecond) { // the negation takes NaN along
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), true
}

// Append writes a timestamp. What is finer than the format is cut off towards the past.
func (f TimeFormat) Append(dst []byte, t time.Time) []byte {
	t = t.UTC()
	switch f {
	case Epoch:
		return appendEpoch(dst, t.UnixMilli())
	case HTTPDate:
		return t.AppendFormat(dst, httpDate)
	case Seconds:
		return t.AppendFormat(dst, "2006-01-02T15:04:05Z")
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05.999Z")
}

func appendEpoch(dst []byte, millis int64) []byte {
	if millis < 0 {
		dst, millis = append(dst, '-'), -millis
	}
	dst = strconv.AppendInt(dst, millis/1000, 10)
	fraction := millis % 1000
	if fraction == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+fraction/100), byte('0'+fraction/10%10), byte('0'+fraction%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
