package index

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	bleve "github.com/blevesearch/bleve_index_api"

	"kobling/internal/fault"
	"kobling/internal/inverted"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Change is what one PROFILES message does to the index.
type Change struct {
	ID    profile.ID
	Seq   uint64     // PROFILES sequence
	Side  score.Side // what to search and to keep; empty when not alive
	Alive bool       // otherwise the profile is taken out
}

// Mark says how far an index has come, and in which stream. It is written with
// each batch.
type Mark struct {
	Created time.Time // when the stream was created: another time, another stream
	Seq     uint64    // of the last message applied
	Time    time.Time // that message's own time in the stream
	Hash    [32]byte  // SHA-256 of that message's body
}

// Apply applies changes, which are in order of sequence, and then holds
// everything up to mark.Seq. It returns once they are searchable. Changes that
// the index holds already are passed over, so applying twice does no harm. No
// changes at all only moves the mark.
//
// The error wraps fault.ErrInvalid, and nothing was applied, if a change is not
// one that can be; it wraps fault.ErrConflict if the mark is of another stream,
// and fault.ErrUnavailable while [Index.Err] is not nil.
func (x *Index) Apply(ctx context.Context, changes []Change, mark Mark) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := check(changes, mark); err != nil {
		return fmt.Errorf("apply to index: %w", err)
	}
	x.applying.Lock()
	defer x.applying.Unlock()
	if err := x.Err(); err != nil {
		return err
	}
	return x.use(func() error {
		errs := make(chan error, len(x.halves))
		for _, h := range x.halves {
			go func() { errs <- h.apply(changes, mark) }()
		}
		var err error
		for range x.halves {
			err = errors.Join(err, <-errs)
		}
		x.progress.set(x.marks())
		return err
	})
}

// check says what is wrong with changes.
func check(changes []Change, mark Mark) error {
	last := uint64(0)
	for _, c := range changes {
		if _, err := profile.ParseID(string(c.ID)); err != nil {
			return fmt.Errorf("%w: %w", err, fault.ErrInvalid)
		}
		if c.Seq <= last || c.Seq > mark.Seq {
			return fmt.Errorf("%s: sequence %d after %d, with the mark at %d: %w", c.ID, c.Seq, last, mark.Seq, fault.ErrInvalid)
		}
		last = c.Seq
		if !c.Alive {
			continue
		}
		if err := checkFeatures(c.Side.Features, c.ID.Side()); err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
	}
	return nil
}

// apply writes what concerns this half, and the mark, in one batch.
func (h *half) apply(changes []Change, mark Mark) error {
	if h.mark.Seq > 0 && !h.mark.Created.Equal(mark.Created) {
		return fmt.Errorf("apply to index, %s: it was made from a stream created at %s, not %s: %w",
			h.side, h.mark.Created, mark.Created, fault.ErrConflict)
	}
	if mark.Seq <= h.mark.Seq {
		return nil
	}
	last := map[profile.ID]int{} // the change of each profile that counts
	for i, c := range changes {
		last[c.ID] = i
	}
	batch := bleve.NewBatch()
	var docs []inverted.Document
	var gone []string
	for i, c := range changes {
		switch {
		case c.ID.Side() != h.side || c.Seq <= h.mark.Seq || last[c.ID] != i:
		case c.Alive:
			batch.Update(newDocument(c.ID, c.Seq, c.Side))
			docs = append(docs, inverted.Document{ID: string(c.ID), Meta: encodeMeta(c.Seq, c.Side.Facts), Features: c.Side.Features})
		default:
			batch.Delete(string(c.ID))
			gone = append(gone, string(c.ID))
		}
	}
	batch.SetInternal([]byte(markKey), mark.append(nil))
	if err := h.write(batch); err != nil {
		return fmt.Errorf("apply to index, %s: %w", h.side, err)
	}
	h.memory.Apply(docs, gone)
	h.mark = mark
	return nil
}

// marks returns how far both halves have come: all of it is searchable up to
// the least, and something of the greatest is.
func (x *Index) marks() (least, greatest Mark) {
	least, greatest = x.halves[profile.Demand].mark, x.halves[profile.Supply].mark
	if least.Seq > greatest.Seq {
		return greatest, least
	}
	return least, greatest
}

// progress is how far the index has come, for those who wait.
type progress struct {
	mu              sync.Mutex
	least, greatest Mark
	moved           chan struct{} // closed and replaced when least or greatest change
}

// set wakes everybody who waits.
func (p *progress) set(least, greatest Mark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.least, p.greatest = least, greatest
	close(p.moved)
	p.moved = make(chan struct{})
}

func (p *progress) get() (least, greatest Mark, moved <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.least, p.greatest, p.moved
}

// Applied is the PROFILES sequence up to which everything is searchable: the
// smaller of both halves'. The indexer goes on after it. It is 0 for an empty
// index.
func (x *Index) Applied() uint64 {
	least, _, _ := x.progress.get()
	return least.Seq
}

// Fence returns what the stream must still be for the index to fit it: created
// at that time, holding at least that sequence, and with that message there or
// superseded. It is the mark of the half that came further. Without a mark the
// index is empty and fits any stream.
func (x *Index) Fence() (Mark, bool) {
	_, greatest, _ := x.progress.get()
	return greatest, greatest.Seq > 0
}

// WaitFor returns once the index has applied the PROFILES sequence seq, or an
// error wrapping fault.ErrUnavailable when ctx ends first.
func (x *Index) WaitFor(ctx context.Context, seq uint64) error {
	for {
		least, _, moved := x.progress.get()
		if least.Seq >= seq {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("index has applied sequence %d, waited for %d: %w: %w",
				least.Seq, seq, fault.ErrUnavailable, context.Cause(ctx))
		}
	}
}

// markKey is the internal value that holds the mark.
const markKey = "mark"

// markSize is the length of an encoded mark: created, sequence, time, hash and
// a checksum, because bolt does not protect what it stores.
const markSize = 8 + 8 + 8 + 32 + 4

// append appends m to b.
func (m Mark) append(b []byte) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint64(b, nanos(m.Created))
	b = binary.BigEndian.AppendUint64(b, m.Seq)
	b = binary.BigEndian.AppendUint64(b, nanos(m.Time))
	b = append(b, m.Hash[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
}

// parseMark reads what append wrote.
func parseMark(b []byte) (Mark, error) {
	if len(b) != markSize {
		return Mark{}, &damageError{fmt.Errorf("its mark has %d bytes", len(b))}
	}
	body := b[:markSize-4]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(b[markSize-4:]) {
		return Mark{}, &damageError{errors.New("its mark has a wrong checksum")}
	}
	m := Mark{
		Created: instant(binary.BigEndian.Uint64(body)),
		Seq:     binary.BigEndian.Uint64(body[8:]),
		Time:    instant(binary.BigEndian.Uint64(body[16:])),
	}
	copy(m.Hash[:], body[24:])
	return m, nil
}

// markOf returns the mark among a snapshot's internal values, the zero Mark if
// there is none.
func markOf(internal map[string][]byte) (Mark, error) {
	b, ok := internal[markKey]
	if !ok {
		return Mark{}, nil
	}
	return parseMark(b)
}

// nanos is t since 1970 in nanoseconds; the zero time is 0.
func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func instant(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n)).UTC() //nolint:gosec // written by nanos
}
