//go:build !race

package simulate

const (
	seeds    = 3000 * int(themes) // of the protocol
	hunting  = true               // find the first seed of each mutant, or only run it
	replayed = 200                // seeds that are run twice
)
