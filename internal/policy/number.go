package policy

import (
	"cmp"
	"strings"
)

// number is a decimal number of any length, exact: two numbers that a float64 cannot tell apart are still different.
type number struct {
	negative bool
	whole    string // digits before the point, without leading zeros
	fraction string // digits after the point, without trailing zeros
}

// parseNumber reads an integer or a fraction, with or without a sign. There is no exponent.
func parseNumber(s string) (number, bool) {
	n := number{negative: strings.HasPrefix(s, "-")}
	if n.negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	if !allDigits(whole) || point && !allDigits(fraction) {
		return number{}, false
	}
	n.whole, n.fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if n.whole == "" && n.fraction == "" {
		n.negative = false
	}
	return n, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// compare returns -1, 0 or +1.
func (n number) compare(m number) int {
	if n.negative != m.negative {
		if n.negative {
			return -1
		}
		return +1
	}
	c := cmp.Compare(len(n.whole), len(m.whole))
	if c == 0 {
		c = cmp.Compare(n.whole, m.whole)
	}
	if c == 0 {
		c = cmp.Compare(n.fraction, m.fraction)
	}
	if n.negative {
		return -c
	}
	return c
}

// relation is what an operator asks of the comparison of the request's value with the policy's.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

func (r relation) holds(c int) bool {
	switch r {
	case equal:
		return c == 0
	case less:
		return c < 0
	case lessOrEqual:
		return c <= 0
	case greater:
		return c > 0
	case greaterOrEqual:
		return c >= 0
	}
	return false
}
