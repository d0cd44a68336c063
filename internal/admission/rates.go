package admission

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"idpool/internal/fault"
)

// Rates limits how often something happens for each of many keys, each with a bucket of its own. It holds a bounded
// number of buckets; those that are used least give way, and come back full. Safe for concurrent use.
type Rates struct {
	perSecond rate.Limit
	bucket    int
	buckets   *otter.Cache[string, *rate.Limiter]
}

// maxBuckets bounds memory: about 20 MB.
const maxBuckets = 100_000

// NewRates returns buckets of the given size that refill at perSecond. perSecond 0 limits nothing.
func NewRates(perSecond float64, bucket int) *Rates {
	r := &Rates{perSecond: rate.Limit(perSecond), bucket: bucket}
	if r.limits() {
		r.buckets = otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: maxBuckets})
	}
	return r
}

// limits reports whether there is a limit at all: only exactly 0 means none.
func (r *Rates) limits() bool { return r.perSecond != 0 }

// Take takes one from the key's bucket, or returns TooManyRequests. A nil Rates limits nothing.
func (r *Rates) Take(key string, now time.Time) error {
	if r == nil || !r.limits() {
		return nil
	}
	if !r.of(key).AllowN(now, 1) {
		return fault.New(fault.TooManyRequests, "Rate exceeded")
	}
	return nil
}

// until takes one from the key's bucket, also before it is there, and returns how long that will be; or, where it would be
// longer than most, takes nothing and returns most. A nil Rates limits nothing.
func (r *Rates) until(key string, now time.Time, most time.Duration) time.Duration {
	if r == nil || !r.limits() {
		return 0
	}
	taken := r.of(key).ReserveN(now, 1)
	wait := taken.DelayFrom(now)
	if wait <= most {
		return wait
	}
	taken.CancelAt(now)
	return most
}

// of is the bucket of a key, a full one where the key is new.
func (r *Rates) of(key string) *rate.Limiter {
	limiter, ok := r.buckets.GetIfPresent(key)
	if !ok {
		limiter, _ = r.buckets.SetIfAbsent(key, rate.NewLimiter(r.perSecond, r.bucket))
	}
	return limiter
}

// Neighbourhood is the network that counts as one client: an IPv4 address, or the /64 of an IPv6 address, of which a
// client can have every address.
func Neighbourhood(client netip.Addr) string {
	client = client.Unmap()
	if client.Is4() || !client.IsValid() {
		return client.String()
	}
	prefix, err := client.WithZone("").Prefix(64)
	if err != nil {
		return client.String()
	}
	return prefix.String()
}
