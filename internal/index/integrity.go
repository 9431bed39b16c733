package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/blevesearch/bleve/v2/index/scorch"
	bleve "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
	bolt "go.etcd.io/bbolt/errors"
	"go.uber.org/zap"
)

// damageError is an error for which the index itself is to blame: it helps to
// begin anew.
type damageError struct{ err error }

// Error implements error.
func (e *damageError) Error() string { return e.err.Error() }

// Unwrap gives errors.Is and errors.As the cause.
func (e *damageError) Unwrap() error { return e.err }

// isDamage reports whether err is the index's own fault.
func isDamage(err error) bool {
	var damage *damageError
	return errors.As(err, &damage)
}

// openError is err from opening or reading part of an index: damage, unless the
// machine is to blame, for then a new index would fare no better.
func openError(err error) error {
	for _, machine := range []error{fs.ErrPermission, syscall.EMFILE, syscall.ENFILE, syscall.ENOSPC, syscall.EROFS, syscall.ENOMEM, bolt.ErrTimeout} {
		if errors.Is(err, machine) {
			return err
		}
	}
	return &damageError{err}
}

// inspect looks for damage in the half at path and returns its mark, if it has
// one. Bleve itself opens a segment with flipped bits without a word, begins
// anew without a word if a segment is missing, and panics if its root file was
// cut short.
func inspect(path string) (mark Mark, found bool, err error) {
	files, err := segmentFiles(path)
	if err != nil {
		return Mark{}, false, err
	}
	if _, err := os.Stat(filepath.Join(path, rootFile)); errors.Is(err, fs.ErrNotExist) {
		if len(files) > 0 {
			return Mark{}, false, &damageError{errors.New(rootFile + " is missing")}
		}
		return Mark{}, false, nil // there is no index yet
	}
	err = look(path, func(newest *scorch.IndexSnapshot) error {
		if mark, err = markOf(newest.Internal()); err != nil {
			return err
		}
		if found = mark.Seq > 0; !found {
			return &damageError{errors.New("its newest snapshot has no mark")}
		}
		return verify(newest)
	})
	return mark, found && err == nil, err
}

// look opens the half at path without changing it and calls f with its newest
// snapshot, if there is any. If that one cannot be opened the half is damaged,
// even if an older one holds the same, as it does after a merge: bleve would go
// on from there under numbers already used, and mix what it writes with what is
// left of the newest.
func look(path string, f func(newest *scorch.IndexSnapshot) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &damageError{fmt.Errorf("reading it panics: %v", p)}
		}
	}()
	h := &half{
		queue:  bleve.NewAnalysisQueue(1),
		health: &health{log: zap.NewNop(), closing: make(chan struct{}), broken: make(chan struct{})},
	}
	defer h.queue.Close()
	if err := h.open(path, true); err != nil {
		return err
	}
	return errors.Join(h.newest(f), h.scorch.Close())
}

// newest calls f with the newest snapshot on disk, if there is any.
func (h *half) newest(f func(*scorch.IndexSnapshot) error) error {
	s, ok := h.scorch.(*scorch.Scorch)
	if !ok {
		return fmt.Errorf("bleve's index is a %T, not scorch", h.scorch)
	}
	epochs, err := s.RootBoltSnapshotEpochs() // newest first
	if err != nil {
		return openError(err)
	}
	if len(epochs) == 0 {
		return nil
	}
	snapshot, err := s.LoadSnapshot(epochs[0])
	if err != nil {
		return openError(fmt.Errorf("its newest snapshot cannot be opened: %w", err))
	}
	return errors.Join(f(snapshot), snapshot.Close())
}

// The files of an index, as scorch names them.
const (
	rootFile       = "root.bolt"
	segmentPattern = "*.zap"
)

// segmentFiles lists the segment files at path, used or not, and fails if one of
// them cannot be opened for a reason that is not damage.
func segmentFiles(path string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(path, segmentPattern))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		f, err := os.Open(name) //nolint:gosec // a file of our own
		if err != nil {
			return nil, openError(err)
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// verify checks every segment of a snapshot.
func verify(snapshot *scorch.IndexSnapshot) error {
	files, err := usedFiles(snapshot)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := verifySegment(name); err != nil {
			return err
		}
	}
	return nil
}

// usedFiles lists the segment files that a snapshot read from disk is made of.
// Others may lie beside them: bleve removes what it has merged some time later,
// and nobody ever reads what a killed process had not entered in the root file.
func usedFiles(snapshot *scorch.IndexSnapshot) ([]string, error) {
	var files []string
	for _, s := range snapshot.Segments() {
		file, ok := s.Segment().(segment.PersistedSegment)
		if !ok {
			return nil, &damageError{errors.New("a segment is not a file")}
		}
		files = append(files, file.Path())
	}
	return files, nil
}

// verifySegment compares a segment file with its checksum: the last four bytes
// are the CRC-32 (IEEE, big endian) of the rest.
func verifySegment(name string) error {
	f, err := os.Open(name) //nolint:gosec // a file of our own
	if err != nil {
		return openError(err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return openError(err)
	}
	if info.Size() < crc32.Size {
		return &damageError{fmt.Errorf("segment %s has %d bytes", filepath.Base(name), info.Size())}
	}
	sum := crc32.NewIEEE()
	var want [crc32.Size]byte
	if _, err := io.CopyN(sum, f, info.Size()-crc32.Size); err != nil {
		return openError(err)
	}
	if _, err := io.ReadFull(f, want[:]); err != nil {
		return openError(err)
	}
	if sum.Sum32() != binary.BigEndian.Uint32(want[:]) {
		return &damageError{fmt.Errorf("segment %s does not match its checksum", filepath.Base(name))}
	}
	return nil
}

// keepDamaged is how many damaged indexes are kept for somebody to look at.
const keepDamaged = 3

// moveAside renames the directory at path to the first free "<path>.damaged-N"
// and returns the new name. If all are taken, the directory is removed instead:
// a disk that breaks one index after the other must not be filled as well.
func moveAside(path string) (string, error) {
	for n := 1; n <= keepDamaged; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", path, n)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return aside, os.Rename(path, aside)
		}
	}
	return "", os.RemoveAll(path)
}

// diskUsage returns the bytes of all files under path. Files may come and go
// meanwhile.
func diskUsage(path string) (int64, error) {
	var bytes int64
	err := filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		bytes += info.Size()
		return nil
	})
	return bytes, err
}
