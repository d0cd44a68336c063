package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"idpool/internal/arn"
)

// The functions here read the text of a value. They return what is wrong with it without repeating it.

const addressHint = "write IP:PORT, such as 127.0.0.1:8440, or :8440 for all addresses"

// parseAddress reads the address of a listener. Names are refused but for localhost: what they mean is decided elsewhere,
// and whether it is a loopback address must be known here.
func parseAddress(s string) (string, *complaint) {
	host, port, err := net.SplitHostPort(s)
	switch {
	case err != nil:
		return "", &complaint{"not an address with a port", addressHint}
	case !validPort(port, 0):
		return "", &complaint{"the port is not a number from 0 to 65535", addressHint}
	case host == "" || host == localhost:
		return s, nil
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return "", &complaint{"names a host where an address is expected", addressHint}
	}
	return s, nil
}

const localhost = "localhost"

// validPort reports whether s is a port of at least least, in the one way to write it.
func validPort(s string, least uint64) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n >= least && strconv.FormatUint(n, 10) == s
}

// loopback reports whether a host, without brackets, is this machine alone.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == localhost || err == nil && addr.Unmap().IsLoopback()
}

// parsePrefix reads a range of addresses, or an address as a range of one.
func parsePrefix(s string) (netip.Prefix, *complaint) {
	const hint = "write a range such as 10.0.0.0/8, or an address such as 192.0.2.7"
	if addr, err := netip.ParseAddr(s); err == nil {
		switch {
		case addr.Zone() != "":
			return netip.Prefix{}, &complaint{"names a zone", hint}
		case addr.Is4In6():
			return netip.Prefix{}, &complaint{"an IPv4 address in IPv6 form", "write " + addr.Unmap().String()}
		}
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Prefix{}, &complaint{"neither an address nor a range", hint}
	case prefix.Bits() == 0:
		return netip.Prefix{}, &complaint{"holds every address there is", "write the ranges that you mean"}
	case prefix.Addr().Is4In6():
		return netip.Prefix{}, &complaint{"an IPv4 range in IPv6 form", "write it in IPv4 form, such as 10.0.0.0/8"}
	case prefix != prefix.Masked():
		return netip.Prefix{}, &complaint{"an address inside a range", fmt.Sprintf("write %s for the range, or the address without /%d", prefix.Masked(), prefix.Bits())}
	}
	return prefix, nil
}

var regionPattern = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)

// maxRegion leaves room for the colon and the 36 characters of a UUID in the 55 of a pool or identity id.
const maxRegion = 18

func parseRegion(s string) (string, *complaint) {
	switch {
	case !regionPattern.MatchString(s):
		return "", &complaint{"not the name of a region", "write one such as us-east-1"}
	case len(s) > maxRegion:
		return "", &complaint{fmt.Sprintf("longer than %d characters", maxRegion), "write a shorter one, such as us-east-1"}
	}
	return s, nil
}

func parseAccount(s string) (string, *complaint) {
	if !arn.ValidAccount(s) {
		return "", &complaint{"not an account id of 12 digits", `write one such as "123456789012"`}
	}
	return s, nil
}

func parsePath(s string) (string, *complaint) {
	if s == "~" || strings.HasPrefix(s, "~/") {
		return "", &complaint{"~ does not stand for a folder here", "write the whole path"}
	}
	return s, nil
}

// parseEvents reads where events go. A path needs a slash, so that a misspelt word makes no file of its name.
func parseEvents(s string) (string, *complaint) {
	if s == Stderr || s == Stdout {
		return s, nil
	}
	if !strings.Contains(s, "/") || strings.HasSuffix(s, "/") {
		return "", &complaint{"neither stderr, stdout nor the path of a file", "write one of them; a path needs a slash, such as ./events.jsonl"}
	}
	return parsePath(s)
}

// parsePermission reads allow or deny.
func parsePermission(s string) (bool, *complaint) {
	switch s {
	case "allow":
		return true, nil
	case "deny":
		return false, nil
	}
	return false, &complaint{"neither allow nor deny", "write one of them"}
}

const minDuration = 100 * time.Millisecond

// durationUpTo returns a reader of durations from minDuration to most.
func durationUpTo(most time.Duration) func(string) (time.Duration, *complaint) {
	return func(s string) (time.Duration, *complaint) {
		d, err := time.ParseDuration(s)
		switch {
		case err != nil:
			return 0, &complaint{"not a duration", durationHint}
		case d < minDuration || d > most:
			return 0, &complaint{"out of range", fmt.Sprintf("write a duration from %s to %s", short(minDuration), short(most))}
		}
		return d, nil
	}
}

const durationHint = "write a number with its unit, such as 15s"

// short is a duration without the zero seconds and minutes that String appends: 10m0s is 10m.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
