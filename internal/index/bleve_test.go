package index_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kobling/internal/analysis"
	"kobling/internal/index"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// TestBleveStillKeepsFrequenciesExactly pins what the scorer relies on and bleve
// does not promise: that a term's frequency comes back as it was written, below
// and above every border of the encoding, in one document or in many, before and
// after segments are merged and documents replaced.
func TestBleveStillKeepsFrequenciesExactly(t *testing.T) {
	t.Parallel()
	const why = "find.go adds up text parts from the frequencies in bleve's postings; if they are not kept exactly, suggestions are wrong. Do not upgrade bleve before this holds."
	x := open(t, t.TempDir())
	weights := []uint32{1, 2, 63, 64, 127, 128, 255, 256, 8191, 8192, 16383, 16384, 65535, 65536}
	sole := func(n int) string { return fmt.Sprintf("c:%05d", n) }
	want := map[profile.ID]uint64{}
	post := func(n int, seq uint64, weight uint32) {
		t.Helper()
		// One term that all share and one that only this document has: bleve
		// keeps a term with one posting of frequency 1 in another way.
		f := []analysis.Feature{{Term: sole(n), Weight: weight}, {Term: "s:shared", Weight: weight}}
		if weight > score.DemandTotal/2 {
			f = f[1:]
		}
		id := profile.ID(fmt.Sprintf("need.org.%d", n))
		err := x.Apply(t.Context(), []index.Change{{ID: id, Seq: seq, Alive: true, Side: score.Side{Features: f}}}, at(seq))
		if err != nil {
			t.Fatal(err)
		}
		want[id] = uint64(weight)
	}
	verify := func(when string) {
		t.Helper()
		if diff := gocmp.Diff(want, x.Frequencies(t, profile.Demand, "s:shared")); diff != "" {
			t.Fatalf("%s: frequencies (-want +got):\n%s\n%s", when, diff, why)
		}
		for n := range weights {
			id := profile.ID(fmt.Sprintf("need.org.%d", n))
			if got := x.Frequencies(t, profile.Demand, sole(n))[id]; want[id] <= score.DemandTotal/2 && got != want[id] {
				t.Fatalf("%s: frequency of a term of its own is %d, want %d\n%s", when, got, want[id], why)
			}
		}
	}
	for n, w := range weights {
		post(n, uint64(n+1), w)
	}
	verify("as written")
	x.Merge(t)
	verify("merged")
	for n := range weights {
		post(n, uint64(100+n), weights[len(weights)-1-n])
	}
	verify("replaced")
	x.Merge(t)
	verify("merged again")
	stats, err := x.Stats()
	if err != nil || stats.Demands != uint64(len(weights)) {
		t.Errorf("Stats = %+v, %v, want %d demands", stats, err, len(weights))
	}
}

// TestBleveStillEndsSegmentsWithAChecksum pins what integrity.go relies on.
func TestBleveStillEndsSegmentsWithAChecksum(t *testing.T) {
	t.Parallel()
	_, path := filled(t)
	name, err := segmentOf(path, profile.Supply)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	end := len(b) - crc32.Size
	if got, want := crc32.ChecksumIEEE(b[:end]), binary.BigEndian.Uint32(b[end:]); got != want {
		t.Errorf("the last four bytes of a segment are %08x, the CRC-32 of the rest is %08x: integrity.go would take every index for damaged", want, got)
	}
}
