package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Buckets is into how many parts the digest of an index is divided, by profile.
const Buckets = 1024

// Contents is what an index holds.
type Contents struct {
	Applied   uint64 // sequence of PROFILES up to which all is searchable
	Documents int
	Digests   []uint64 // by bucket
	Damage    string   // what is wrong with its files; "": nothing
}

// Entry is a document of an index.
type Entry struct {
	ID  profile.ID
	Seq uint64
}

// NewContents returns the contents of an empty index.
func NewContents() Contents { return Contents{Digests: make([]uint64, Buckets)} }

// Add adds a document. The order of documents does not matter.
func (c *Contents) Add(id profile.ID, seq uint64, facts score.Facts) {
	c.Documents++
	c.Digests[BucketOf(id)] ^= digest(id, seq, facts)
}

// BucketOf returns the bucket of a profile.
func BucketOf(id profile.ID) int {
	sum := sha256.Sum256([]byte(id))
	return int(binary.BigEndian.Uint16(sum[:])) % Buckets
}

func digest(id profile.ID, seq uint64, facts score.Facts) uint64 {
	b := binary.BigEndian.AppendUint64([]byte(id), seq)
	sum := sha256.Sum256(facts.AppendBinary(b))
	return binary.BigEndian.Uint64(sum[:])
}

// maxBuckets is how many buckets are looked into, when many differ.
const maxBuckets = 16

// compareIndex compares the documents of the index with PROFILES.
func (r *run) compareIndex(ctx context.Context) error {
	if r.Index == nil {
		return nil
	}
	r.progress("Asking the index", 0, 0)
	got, err := r.Index.Contents(ctx)
	if err != nil {
		return err
	}
	if len(got.Digests) != Buckets {
		return fmt.Errorf("the service answers with %d digests, not %d: it is of another version", len(got.Digests), Buckets)
	}
	r.report.Checked.Documents = got.Documents
	r.found(damage(got.Damage), "index_damaged", "a file of the index does not match its checksum", mendIndex)
	now, err := r.Log.Extent(ctx, profileStream)
	if err != nil {
		return err
	}
	if got.Applied > now.LastSeq {
		var t tally
		t.add("it has applied %d, %s ends at %d", got.Applied, profileStream, now.LastSeq)
		r.found(t, "index_ahead", "the index has seen more than "+profileStream+" holds: the stream lost data", mendStream)
	}
	moved, err := r.since(ctx, now.LastSeq)
	if err != nil {
		return err
	}
	want := NewContents()
	for _, n := range r.newest {
		if n.status == profile.Published && !n.unread {
			want.Add(n.id, n.seq, n.facts)
		}
	}
	var differs tally
	looked := 0
	for b := range Buckets {
		if got.Digests[b] == want.Digests[b] {
			continue
		}
		if looked++; looked > maxBuckets {
			break
		}
		entries, err := r.Index.Bucket(ctx, b)
		if err != nil {
			return err
		}
		r.compareBucket(b, entries, got, moved, &differs)
	}
	r.found(differs, "index_differs", "the index holds other profiles or revisions than "+profileStream, mendIndex)
	return nil
}

func damage(what string) (t tally) {
	if what != "" {
		t.add("%s", what)
	}
	return t
}

// since returns the profiles of which a message came after PROFILES was read.
func (r *run) since(ctx context.Context, last uint64) (map[profile.ID]bool, error) {
	moved := map[profile.ID]bool{}
	return moved, r.Log.Walk(ctx, profileStream, r.walked+1, last, func(m event.Message) error {
		if id, err := event.SubjectID(m.Subject); err == nil {
			moved[id] = true
		}
		return nil
	})
}

// compareBucket counts what differs in one bucket. What the index has not applied
// yet, and what has changed since PROFILES was read, is not judged.
func (r *run) compareBucket(b int, entries []Entry, got Contents, moved map[profile.ID]bool, differs *tally) {
	has := make(map[profile.ID]uint64, len(entries))
	same := uint64(0)
	for _, e := range entries {
		has[e.ID] = e.Seq
	}
	excused := false
	before := differs.count
	for id, n := range r.newest {
		if BucketOf(id) != b {
			continue
		}
		seq, there := has[id]
		delete(has, id)
		if n.seq > got.Applied || moved[id] {
			excused = true
			continue
		}
		switch alive := n.status == profile.Published && !n.unread; {
		case alive && !there:
			differs.add("%s is missing", id)
		case alive && seq != n.seq:
			differs.add("%s at %d, want %d", id, seq, n.seq)
		case !alive && there:
			differs.add("%s is no more, and there at %d", id, seq)
		case alive:
			same ^= digest(id, n.seq, n.facts)
		}
	}
	for id, seq := range has {
		if moved[id] {
			excused = true
			continue
		}
		differs.add("%s at %d is in no message", id, seq)
	}
	if differs.count == before && !excused && same != got.Digests[b] {
		differs.add("facts of a profile among %d", len(entries))
	}
}
