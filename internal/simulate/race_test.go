//go:build race

package simulate_test

// seeds is how many runs the protocol must survive. The race detector keeps
// something of every coroutine there ever was, so under it there are few; "make
// test" runs this package without it too.
const seeds = 250
