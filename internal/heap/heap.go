// Package heap keeps the garbage collector from running for nothing: a server's own data are a few megabytes, and Go would
// collect a hundred times a second for them. It holds memory that nobody touches: the system never has to back it, and the
// collector, which lets a heap double, counts it. So the heap grows by as much before it is collected, and then by as much
// as it always may.
package heap

import "os"

// Ballast is how many bytes are held, and so how much further the heap may grow: with n bytes alive and r in stacks and
// globals, to Ballast + 2n + r instead of 2n + r. What the runtime says of the heap's size counts them too.
const Ballast = 96 << 20

var ballast []byte

// Keep holds the ballast for as long as the process lives. Call it at the start of a program, while memory is still fresh from
// the system: used memory would be cleared, and so touched. Where GOGC or GOMEMLIMIT say what is wanted, it does nothing.
func Keep() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		ballast = make([]byte, Ballast)
	}
}
