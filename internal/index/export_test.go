package index

import (
	"context"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	segment "github.com/blevesearch/scorch_segment_api/v2"

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

// Frequencies returns what the postings of term hold, read as the scorer reads
// them: the frequency of each document that is not deleted, by id.
func (x *Index) Frequencies(tb testing.TB, side profile.Side, term string) map[profile.ID]uint64 {
	tb.Helper()
	snapshot, err := x.halves[side].snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = snapshot.Close() }()
	got := map[profile.ID]uint64{}
	for _, seg := range snapshot.Segments() {
		for doc, freq := range frequencies(tb, seg.Segment(), term) {
			if gone := seg.Deleted(); gone != nil && gone.Contains(uint32(doc)) {
				continue
			}
			c, err := candidate(seg.Segment(), uint32(doc))
			if err != nil {
				tb.Fatal(err)
			}
			got[c.ID] = freq
		}
	}
	return got
}

func frequencies(tb testing.TB, seg segment.Segment, term string) map[uint64]uint64 {
	tb.Helper()
	dict, err := seg.Dictionary(fieldFeatures)
	if err != nil {
		tb.Fatal(err)
	}
	list, err := dict.PostingsList([]byte(term), nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	got := map[uint64]uint64{}
	for iter := list.Iterator(true, false, false, nil); ; {
		posting, err := iter.Next()
		if err != nil {
			tb.Fatal(err)
		}
		if posting == nil {
			return got
		}
		got[posting.Number()] = posting.Frequency()
	}
}
