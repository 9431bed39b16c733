package translate

import (
	"slices"
	"strings"
	"testing"
)

// One that waits for the others must not take the only processor from them.
func TestOneProcessorIsEnough(t *testing.T) {
	t.Parallel()
	entries := []Entry{{Terms: []Term{{"da", "hus"}, {"sv", "hus"}, {"en", "house"}}}}
	fields := func(_, text string) []string { return strings.Fields(text) }
	done := 0
	tables, err := learn(t.Context(), slices.Values(entries), fields, func(int, int) { done++ }, 1)
	if err != nil || !tables.Knows("da", "hus") || !tables.Knows("sv", "hus") || done != 2 {
		t.Errorf("learned of %v after %d pairs, %v", tables.Languages(), done, err)
	}
}
