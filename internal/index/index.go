// Package index answers which profiles of the other side share enough text with
// one: exactly, not approximately. It keeps two bleve indexes, one for demand
// and one for supply, on the local disk. Both can be rebuilt from the PROFILES
// stream at any time, so nothing here is the truth and nothing is synced for
// safety's sake.
//
// Bleve keeps the documents: the features of each with their integer weights, its
// sequence and its facts; and it finds those of one organisation (twins.go), for
// near-duplicates. The inverted lists over the features are in memory (package
// inverted), from bleve's documents at the start and from each batch thereafter.
// They give the text part of the pair predicate to the bit, on every replica. As
// postings of bleve's they took two thirds of the CPU that an event costs
// (BenchmarkEvent of package match: 470 events/s, and 1,330 so): 150 features are
// 150 tiny lists in each of the small segments that a batch makes, written, merged
// and looked up one by one.
//
// Each batch writes its [Mark], the last sequence it holds, together with the
// documents, so that after a crash the two always agree and the indexer goes on
// from [Index.Applied].
package index

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"go.uber.org/zap"

	"kobling/internal/fault"
	"kobling/internal/profile"
)

// Version names the shape of an index on disk. Raise it, and say why, whenever
// what an existing index holds would be read wrongly or miss something. Versions
// lie side by side, so a rollback finds its own index unharmed.
//
//	1: features as postings with the weight as frequency; one stored field
//	   "meta" with the sequence and the facts; one internal value with the mark
//	2: a field "o" with the organisation as terms, the signature's sketch as
//	   their frequency, and the signature stored
//	3: the features are stored and no longer postings
const Version = 3

// Options say which index to open.
type Options struct {
	// Epoch is the fingerprint of the epoch whose features the index holds: 1 to
	// 64 of A-Z a-z 0-9 _ and -. Epochs lie side by side.
	Epoch string
	// Log is told of damage and of errors in the background. Required.
	Log *zap.Logger
}

// Index finds profiles. Use Open; all methods are safe for concurrent use. It
// implements match.Finder.
type Index struct {
	path    string
	log     *zap.Logger
	lock    *os.File
	rebuilt bool

	applying sync.Mutex // one Apply or Reset at a time

	mu     sync.RWMutex // held for reading while the halves are in use
	closed bool
	halves map[profile.Side]*half

	progress progress
}

// sides are both sides in the order in which they are opened.
func sides() []profile.Side { return []profile.Side{profile.Demand, profile.Supply} }

// Open opens the index of an epoch under dir, making an empty one if there is
// none. Every segment's checksum is verified first; a damaged index is moved
// aside to a directory called "<its own name>.damaged-N" and begun anew, which
// [Index.Rebuilt] tells. The error wraps fault.ErrConflict if another process
// has the index open. Close it after use.
func Open(dir string, opts Options) (*Index, error) {
	if !profile.ValidToken(opts.Epoch) {
		return nil, fmt.Errorf("open index: epoch %q must be 1 to 64 of A-Z a-z 0-9 _ -: %w", opts.Epoch, fault.ErrInvalid)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-v%d", opts.Epoch, Version))
	lock, err := acquire(path + ".lock")
	if err != nil {
		return nil, err
	}
	x := &Index{
		path: path, log: opts.Log, lock: lock,
		progress: progress{moved: make(chan struct{})},
	}
	if err := x.openOrRebuild(); err != nil {
		return nil, errors.Join(fmt.Errorf("open index %s: %w", path, err), release(lock))
	}
	return x, nil
}

// openOrRebuild opens both halves. If what lies on disk cannot be trusted, both
// are begun anew: a half that survived alone could belong to another stream,
// and its mark would be the only one to say so.
func (x *Index) openOrRebuild() error {
	damage := x.inspect()
	if damage == nil {
		damage = x.open()
	}
	if damage == nil || !isDamage(damage) {
		return damage
	}
	aside, err := moveAside(x.path)
	if err != nil {
		return errors.Join(damage, err)
	}
	x.log.Warn("index is damaged; it was moved aside and is rebuilt from the stream",
		zap.String("path", x.path), zap.String("moved_to", aside), zap.Error(damage))
	x.rebuilt = true
	return x.open()
}

// inspect looks for damage in what lies on disk.
func (x *Index) inspect() error {
	var marks []Mark
	for _, side := range sides() {
		mark, found, err := inspect(filepath.Join(x.path, string(side)))
		if err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
		if found {
			marks = append(marks, mark)
		}
	}
	if len(marks) == 2 && !marks[0].Created.Equal(marks[1].Created) {
		return &damageError{errors.New("the two halves were made from different streams")}
	}
	return nil
}

// open opens both halves as they are.
func (x *Index) open() error {
	halves := map[profile.Side]*half{}
	for _, side := range sides() {
		h, err := openHalf(filepath.Join(x.path, string(side)), side, x.log.With(zap.String("side", string(side))))
		if err != nil {
			err = fmt.Errorf("%s: %w", side, err)
			for _, other := range halves {
				err = errors.Join(err, other.close())
			}
			return err
		}
		halves[side] = h
	}
	x.halves = halves
	x.progress.set(x.marks())
	return nil
}

// Close closes the index and lets go of its directory. It waits for the queries
// in hand. A second Close does nothing.
func (x *Index) Close() error {
	x.applying.Lock()
	defer x.applying.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	return errors.Join(x.closeHalves(), release(x.lock))
}

func (x *Index) closeHalves() error {
	var err error
	for _, side := range sides() {
		err = errors.Join(err, x.halves[side].close())
	}
	return err
}

// Reset throws away everything the index holds and begins anew, for when the
// fence shows that it was made from another stream. It waits for the queries in
// hand; later ones see an empty index.
func (x *Index) Reset() error {
	x.applying.Lock()
	defer x.applying.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return errClosed
	}
	err := errors.Join(x.closeHalves(), os.RemoveAll(x.path))
	if err == nil {
		err = x.open()
	}
	if err != nil {
		x.closed = true
		return errors.Join(fmt.Errorf("reset index: %w", err), release(x.lock))
	}
	return nil
}

// errClosed is what every method says of an index that is closed.
var errClosed = fmt.Errorf("index is closed: %w", fault.ErrUnavailable)

// use calls f while the halves cannot be closed.
func (x *Index) use(f func() error) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.closed {
		return errClosed
	}
	return f()
}

// Err says why the index cannot be trusted to keep up: the disk is full, or
// bleve broke in the background. It wraps fault.ErrUnavailable and is nil while
// all is well; it becomes nil again once a full disk has room. While it is not
// nil the process is not ready, and Apply refuses.
func (x *Index) Err() error {
	return x.use(func() error {
		for _, side := range sides() {
			if err := x.halves[side].health.err(); err != nil {
				return fmt.Errorf("index, %s: %w: %w", side, err, fault.ErrUnavailable)
			}
		}
		return nil
	})
}

// Rebuilt reports whether Open found the index damaged and began it anew.
func (x *Index) Rebuilt() bool { return x.rebuilt }

// Stats is what an operator may want to know of an index.
type Stats struct {
	Demands  uint64 // documents on each side
	Supplies uint64
	Segments int    // of both halves
	Bytes    int64  // on disk
	Applied  uint64 // PROFILES sequence up to which all is searchable
}

// Stats returns the state of the index now.
func (x *Index) Stats() (Stats, error) {
	s := Stats{Applied: x.Applied()}
	err := x.use(func() error {
		for _, side := range sides() {
			snapshot, err := x.halves[side].snapshot()
			if err != nil {
				return err
			}
			docs, err := snapshot.DocCount()
			s.Segments += len(snapshot.Segments())
			if err := errors.Join(err, snapshot.Close()); err != nil {
				return fmt.Errorf("index statistics: %w", err)
			}
			if side == profile.Demand {
				s.Demands = docs
			} else {
				s.Supplies = docs
			}
		}
		var err error
		s.Bytes, err = diskUsage(x.path)
		return err
	})
	return s, err
}
