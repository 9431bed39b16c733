package index

import (
	"context"
	"fmt"
	"testing"

	"github.com/blevesearch/bleve/v2/index/scorch"
	bleve "github.com/blevesearch/bleve_index_api"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kobling/internal/profile"
)

// TestBleveStillKeepsFrequenciesExactly pins what twins.go relies on and bleve
// does not promise: that a term's frequency comes back as it was written, below
// and above every border of the encoding, in one document or in many, before and
// after segments are merged and documents replaced; and the interfaces by which
// it is read.
func TestBleveStillKeepsFrequenciesExactly(t *testing.T) {
	t.Parallel()
	const why = "twins.go rules out documents by a sketch that it keeps as the frequency in bleve's postings; if it is not kept exactly, near-duplicates are missed. Do not upgrade bleve before this holds."
	h, err := openHalf(t.TempDir(), profile.Demand, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.close() }()
	frequencies := []int{1, 2, 63, 64, 127, 128, 255, 256, 8191, 8192, 16383, 16384, 65536, 1<<31 - 1, 1 << 32, 1<<61 - 1, 1 << 61}
	want := map[string]uint64{}
	post := func(n, frequency int) {
		t.Helper()
		id := fmt.Sprintf("need.org.%d", n)
		freq := new(bleve.TokenFreq)
		freq.SetFrequency(frequency)
		// One term that all share and one that only this document has: bleve keeps a
		// term with one posting of frequency 1 in another way.
		batch := bleve.NewBatch()
		batch.Update(&document{id: id, fields: []*field{
			{name: fieldID, options: bleve.IndexField | bleve.StoreField, value: []byte(id), terms: bleve.TokenFrequencies{id: once()}},
			{name: fieldOrg, options: bleve.IndexField, terms: bleve.TokenFrequencies{"shared": freq, id: freq}},
		}})
		if err := h.write(batch); err != nil {
			t.Fatal(err)
		}
		want[id] = uint64(frequency)
	}
	verify := func(when string) {
		t.Helper()
		if diff := cmp.Diff(want, h.frequencies(t, "shared")); diff != "" {
			t.Fatalf("%s: frequencies (-want +got):\n%s\n%s", when, diff, why)
		}
		for id := range want {
			if got := h.frequencies(t, id)[id]; got != want[id] {
				t.Fatalf("%s: frequency of a term of its own is %d, want %d\n%s", when, got, want[id], why)
			}
		}
	}
	merge := func() {
		t.Helper()
		s, ok := h.scorch.(*scorch.Scorch)
		if !ok {
			t.Fatalf("the index is a %T", h.scorch)
		}
		if err := s.ForceMerge(context.WithoutCancel(t.Context()), nil); err != nil {
			t.Fatal(err)
		}
	}
	for n, f := range frequencies {
		post(n, f)
	}
	verify("as written")
	merge()
	verify("merged")
	for n := range frequencies {
		post(n, frequencies[len(frequencies)-1-n])
	}
	verify("replaced")
	merge()
	verify("merged again")
}

// frequencies returns what the postings of term hold, read as twins reads them:
// the frequency of each document that is not deleted, by id.
func (h *half) frequencies(tb testing.TB, term string) map[string]uint64 {
	tb.Helper()
	snapshot, err := h.snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = snapshot.Close() }()
	got := map[string]uint64{}
	for _, seg := range snapshot.Segments() {
		dict, err := seg.Segment().Dictionary(fieldOrg)
		if err != nil {
			tb.Fatal(err)
		}
		list, err := dict.PostingsList([]byte(term), nil, nil)
		if err != nil {
			tb.Fatal(err)
		}
		for iter := list.Iterator(true, false, false, nil); ; {
			posting, err := iter.Next()
			if err != nil {
				tb.Fatal(err)
			}
			if posting == nil {
				break
			}
			if deleted(seg, uint32(posting.Number())) {
				continue
			}
			id, err := seg.DocID(posting.Number())
			if err != nil {
				tb.Fatal(err)
			}
			got[string(id)] = posting.Frequency()
		}
	}
	return got
}
