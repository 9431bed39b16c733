package index_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kobling/internal/index"
	"kobling/internal/profile"
)

// childDir tells the test binary, started again, where to write until it is
// killed.
const childDir = "KOBLING_TEST_INDEX_DIR"

// message is what the stream of this test holds at seq: one of 40 profiles of
// each side posted, replaced, or now and then taken out.
func message(seq uint64) index.Change {
	rng := rand.New(rand.NewPCG(seq, 1))
	kind := profile.Offer
	if rng.IntN(2) == 0 {
		kind = profile.Need
	}
	c := one(profile.ID(fmt.Sprintf("%s.org.%d", kind, rng.IntN(40))), seq, 1)
	if rng.IntN(6) == 0 {
		return index.Change{ID: c.ID, Seq: seq}
	}
	return c
}

// state is what an index that holds everything up to seq contains.
func state(seq uint64, side profile.Side) map[profile.ID]uint64 {
	m := map[profile.ID]uint64{}
	for s := uint64(1); s <= seq; s++ {
		if c := message(s); c.ID.Side() == side {
			delete(m, c.ID)
			if c.Alive {
				m[c.ID] = s
			}
		}
	}
	return m
}

// batchAfter returns the next few messages.
func batchAfter(seq uint64) ([]index.Change, index.Mark) {
	var changes []index.Change
	for n := range seq%7 + 1 {
		changes = append(changes, message(seq+1+n))
	}
	return changes, at(seq + uint64(len(changes)))
}

// TestMarkAndDocumentsAgreeAfterKill kills a process in the middle of writing,
// several times over the same index. Each half must hold exactly what its mark
// says, and the next process must come to the same end as one never killed.
func TestMarkAndDocumentsAgreeAfterKill(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		writeForEver(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	for round := range 5 {
		said := killDuring(t, dir, 5+rand.IntN(60))
		x := open(t, dir)
		if x.Rebuilt() {
			t.Fatalf("round %d: a kill was taken for damage", round)
		}
		for _, side := range []profile.Side{profile.Demand, profile.Supply} {
			mark := x.HalfMark(side)
			if diff := gocmp.Diff(state(mark, side), seqs(t, x, side)); diff != "" {
				t.Fatalf("round %d: %s at %d (-want +got):\n%s", round, side, mark, diff)
			}
		}
		t.Logf("round %d: applied %d, on disk %d and %d", round, said, x.HalfMark(profile.Demand), x.HalfMark(profile.Supply))
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	x := open(t, dir)
	want := x.HalfMark(profile.Demand) + 50
	for x.Applied() < want {
		changes, mark := batchAfter(x.Applied())
		if err := x.Apply(t.Context(), changes, mark); err != nil {
			t.Fatal(err)
		}
	}
	got := map[profile.ID]uint64{}
	maps.Copy(got, seqs(t, x, profile.Demand))
	maps.Copy(got, seqs(t, x, profile.Supply))
	end := state(x.Applied(), profile.Demand)
	maps.Copy(end, state(x.Applied(), profile.Supply))
	if diff := gocmp.Diff(end, got); diff != "" {
		t.Errorf("in the end (-want +got):\n%s", diff)
	}
}

// writeForEver is the child: it says each sequence it has applied.
func writeForEver(t *testing.T, dir string) {
	t.Helper()
	x, err := index.Open(dir, index.Options{Epoch: "epoch-1", Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	for {
		changes, mark := batchAfter(x.Applied())
		if err := x.Apply(t.Context(), changes, mark); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(os.Stderr, "%d\n", mark.Seq)
	}
}

// killDuring starts the child, kills it after it has applied some batches, and
// returns the last sequence it spoke of.
func killDuring(t *testing.T, dir string, batches int) uint64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	said := uint64(0)
	for n := 0; lines.Scan(); n++ {
		if said, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		if n == batches {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err == nil || said == 0 {
		t.Fatalf("the child ended by itself at %d", said)
	}
	return said
}
