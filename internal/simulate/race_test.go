//go:build race

package simulate

// Under the race detector a run takes more than ten times as long, and its runtime keeps
// some memory of each coroutine for ever. There is one thread at a time to watch:
// a small sample shows that runs share nothing.
const (
	seeds    = 60 * int(themes)
	hunting  = false
	replayed = 10
)
