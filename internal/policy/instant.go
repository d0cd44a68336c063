package policy

import (
	"cmp"
	"strings"
	"time"
)

// instant is a point in time: seconds since 1970 and nanoseconds within the second.
type instant struct {
	seconds int64
	nanos   int64
}

func (t instant) compare(u instant) int {
	if c := cmp.Compare(t.seconds, u.seconds); c != 0 {
		return c
	}
	return cmp.Compare(t.nanos, u.nanos)
}

// parseInstant reads the forms of W3C's note on dates, from the year alone to fractions of a second, and seconds since
// 1970 (spec §2.3). Four digits are a year. Dates without a time, and years, begin in UTC.
func parseInstant(s string) (instant, bool) {
	if allDigits(s) && len(s) != 4 {
		return parseEpoch(s)
	}
	p := dateScanner{rest: s, ok: true}
	year, month, day := p.digits(4), 1, 1
	if p.rest != "" && p.skip("-") {
		month = p.digits(2)
	}
	dated := p.rest != "" && p.skip("-")
	if dated {
		day = p.digits(2)
	}
	var clock time.Duration
	if p.rest != "" {
		p.ok = p.ok && dated
		clock = p.clock()
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !p.ok || p.rest != "" || t.Month() != time.Month(month) { // a day that a month does not have lies in another
		return instant{}, false
	}
	nanos := clock % time.Second
	if nanos < 0 {
		nanos += time.Second
	}
	return instant{t.Unix() + int64((clock-nanos)/time.Second), int64(nanos)}, true
}

func parseEpoch(s string) (instant, bool) {
	const longest = 18 // digits that an int64 holds
	if len(s) > longest {
		return instant{}, false
	}
	var n int64
	for i := range len(s) {
		n = n*10 + int64(s[i]-'0')
	}
	return instant{seconds: n}, true
}

// dateScanner takes a date from the front of a text. Once something is missing ok stays false.
type dateScanner struct {
	rest string
	ok   bool
}

// digits takes exactly n digits.
func (p *dateScanner) digits(n int) (value int) {
	if !p.ok || len(p.rest) < n || !allDigits(p.rest[:n]) {
		p.ok = false
		return 0
	}
	for i := range n {
		value = value*10 + int(p.rest[i]-'0')
	}
	p.rest = p.rest[n:]
	return value
}

// skip takes a mark and reports whether it was there.
func (p *dateScanner) skip(mark string) bool {
	rest, found := strings.CutPrefix(p.rest, mark)
	p.rest = rest
	return found
}

// want takes a mark that must be there.
func (p *dateScanner) want(mark string) {
	if !p.skip(mark) {
		p.ok = false
	}
}

// below takes two digits of a value less than limit.
func (p *dateScanner) below(limit int) time.Duration {
	n := p.digits(2)
	p.ok = p.ok && n < limit
	return time.Duration(n)
}

// clock takes Thh:mm, Thh:mm:ss or Thh:mm:ss.fraction and the zone, and returns the time since midnight in UTC.
func (p *dateScanner) clock() time.Duration {
	p.want("T")
	d := p.below(24) * time.Hour
	p.want(":")
	d += p.below(60) * time.Minute
	if p.skip(":") {
		d += p.below(60) * time.Second
		if p.skip(".") {
			d += p.fraction()
		}
	}
	return d - p.zone()
}

// fraction takes one to nine digits as nanoseconds.
func (p *dateScanner) fraction() (nanos time.Duration) {
	taken, unit := 0, time.Second
	for taken < 9 && taken < len(p.rest) && p.rest[taken] >= '0' && p.rest[taken] <= '9' {
		unit /= 10
		nanos += time.Duration(p.rest[taken]-'0') * unit
		taken++
	}
	p.ok = p.ok && taken > 0
	p.rest = p.rest[taken:]
	return nanos
}

// zone takes Z, +hh:mm or -hh:mm and returns how far it is ahead of UTC.
func (p *dateScanner) zone() time.Duration {
	if p.skip("Z") {
		return 0
	}
	sign := time.Duration(+1)
	if !p.skip("+") {
		p.want("-")
		sign = -1
	}
	d := p.below(24) * time.Hour
	p.want(":")
	return sign * (d + p.below(60)*time.Minute)
}
