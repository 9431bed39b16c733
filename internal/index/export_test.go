package index

import (
	"context"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"

	"kobling/internal/profile"
)

// Settle waits until everything applied is on disk, which nobody but a test
// needs to know.
func (x *Index) Settle(tb testing.TB) {
	tb.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for _, side := range sides() {
		for !x.settled(tb, side) {
			select {
			case <-tick.C:
			case <-late:
				tb.Fatal("the index was not persisted within a minute")
			}
		}
	}
}

// settled compares what the root file says with what is in memory.
func (x *Index) settled(tb testing.TB, side profile.Side) bool {
	tb.Helper()
	stats := x.halves[side].scorch.StatsMap()
	root, ok := stats["CurRootEpoch"].(uint64)
	persisted, ok2 := stats["LastPersistedEpoch"].(uint64)
	if !ok || !ok2 {
		tb.Fatalf("bleve's statistics no longer name their epochs: %v", stats)
	}
	return persisted >= root
}

// Merge merges each half into one segment.
func (x *Index) Merge(tb testing.TB) {
	tb.Helper()
	x.Settle(tb)
	for _, side := range sides() {
		s, ok := x.halves[side].scorch.(*scorch.Scorch)
		if !ok {
			tb.Fatalf("the index is a %T", x.halves[side].scorch)
		}
		if err := s.ForceMerge(context.WithoutCancel(tb.Context()), nil); err != nil {
			tb.Fatal(err)
		}
	}
}

// UsedFiles returns the segment files of which the half at path, which is
// closed, is made.
func UsedFiles(path string) (files []string, err error) {
	err = look(path, func(newest *scorch.IndexSnapshot) error {
		files, err = usedFiles(newest)
		return err
	})
	return files, err
}

// HalfMark returns how far one side has come.
func (x *Index) HalfMark(side profile.Side) uint64 { return x.halves[side].mark.Seq }

// Path is where the index lies.
func (x *Index) Path() string { return x.path }
