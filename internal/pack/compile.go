package pack

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Compiler learns from entries and keeps what it has learnt in place of what it
// had learnt before; without entries it keeps nothing. It looks at ctx before it
// does so: ctx ends when a pack cannot be read. Progress is told as it likes.
type Compiler func(ctx context.Context, entries iter.Seq[Entry], progress func(done, total int)) error

// Table is what a Compiler has made.
type Table struct {
	Words    map[string]int `json:"words"` // by language
	Bytes    int64          `json:"bytes"` // in memory
	Compiled time.Time      `json:"compiled"`
}

// Tables is the other side of packs: what makes tables of them, and what it made.
type Tables interface {
	// Compile is a Compiler.
	Compile(ctx context.Context, entries iter.Seq[Entry], progress func(done, total int)) error
	// Table returns the table in use; ok is false when there is none.
	Table() (t Table, ok bool, err error)
}

// Compile gives the entries of all packs to c. Nobody changes the packs meanwhile.
func (s *Store) Compile(ctx context.Context, c Compiler, progress func(done, total int)) (err error) {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all, failed := s.Entries()
	entries := func(yield func(Entry) bool) {
		for e := range all {
			if ctx.Err() != nil || !yield(e) {
				return
			}
		}
		if err := failed(); err != nil {
			cancel(err)
		}
	}
	err = c(ctx, entries, progress)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
