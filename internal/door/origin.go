package door

import "net/netip"

// Origin is what the frame knows about where a request came from, before anything of it was read.
type Origin struct {
	// RequestID is ours, a lower-case UUID; every answer carries it.
	RequestID string
	// Client is the address of the client: the socket's, or what a trusted proxy says.
	Client netip.Addr
	// Secure is whether the client speaks TLS, to us or to a trusted proxy.
	Secure bool
}
