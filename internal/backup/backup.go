// Package backup writes all that an installation keeps into a directory, and reads
// it back. It decides in which order, and knows no driver.
//
// # The order
//
// An installation is not stopped for a backup, and its servers are not asked at one
// moment. So what follows from something is always written before it: first how far
// each consumer has come, then the database, then PROFILES, then EVENTS, last INTAKE.
// After a restore each consumer goes back to where it was first. What it handles
// again is known to be handled, or was lost with the database and comes back. Nobody
// is told of what comes back: nobody knows who was told of it before.
//
// # The directory
//
// manifest.json names every file with its length and SHA-256, and is written last. A
// directory without it is not a backup. database.dump is in the custom format of
// pg_dump, and <stream>.snapshot as the NATS server gives it.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kobling/internal/fault"
)

// format is what this program writes. It reads every format up to this one.
const format = 1

// The files of a backup.
const (
	manifestFile = "manifest.json"
	databaseFile = "database.dump"
	snapshotExt  = ".snapshot"
)

// streams are in the order in which they are written.
var streams = []string{"PROFILES", "EVENTS", "INTAKE"}

// Manifest says what a backup is and holds.
type Manifest struct {
	Format  int       `json:"format"`
	Program string    `json:"program"` // the version of kobling
	Schema  int64     `json:"schema"`  // of the database
	Made    time.Time `json:"made"`
	// Settled says how far each durable consumer of each stream had come before
	// anything else was written.
	Settled map[string]map[string]uint64 `json:"settled"`
	Files   []File                       `json:"files"`
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Stream string `json:"stream,omitempty"`
	// Meta is what the server must be told to take the stream back.
	Meta json.RawMessage `json:"meta,omitempty"`
}

// Installation is what is backed up and restored.
type Installation interface {
	// Settled returns how far each durable consumer of a stream has come.
	Settled(ctx context.Context, stream string) (map[string]uint64, error)
	// Schema returns the version of the database's schema.
	Schema(ctx context.Context) (int64, error)
	// Dump and Load write and read the database.
	Dump(ctx context.Context, w io.Writer) error
	Load(ctx context.Context, r io.Reader) error
	// Snapshot and Restore write and read a stream.
	Snapshot(ctx context.Context, stream string, w io.Writer) (meta json.RawMessage, err error)
	Restore(ctx context.Context, stream string, meta json.RawMessage, r io.Reader) error
	// Empty returns an error that wraps fault.ErrConflict unless nothing was ever kept.
	Empty(ctx context.Context) error
	// Resume has each consumer go on from where it had come, and keeps quiet of what
	// that brings.
	Resume(ctx context.Context, settled map[string]map[string]uint64) error
	// Newest is the newest schema that this program knows.
	Newest() (int64, error)
}

// Progress is told which file is being worked on and how many bytes of it are done.
type Progress func(file string, bytes int64)

// Write writes a backup into the directory dir, which must not exist, and returns
// what it wrote. A backup that was cut off lies in dir.part.
func Write(ctx context.Context, from Installation, dir, program string, tell Progress) (Manifest, error) {
	m := Manifest{Format: format, Program: program, Made: time.Now().UTC().Truncate(time.Second), Settled: map[string]map[string]uint64{}}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%w: %s is there already", fault.ErrConflict, dir)
	}
	part := dir + ".part"
	if err := os.Mkdir(part, 0o700); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	var err error
	for _, name := range streams {
		if m.Settled[name], err = from.Settled(ctx, name); err != nil {
			return m, err
		}
	}
	if m.Schema, err = from.Schema(ctx); err != nil {
		return m, err
	}
	w := writer{dir: part, tell: tell}
	if err := w.file(&m, File{Name: databaseFile}, func(f *File, out io.Writer) error { return from.Dump(ctx, out) }); err != nil {
		return m, err
	}
	for _, name := range streams {
		err := w.file(&m, File{Name: name + snapshotExt, Stream: name}, func(f *File, out io.Writer) (err error) {
			f.Meta, err = from.Snapshot(ctx, name, out)
			return err
		})
		if err != nil {
			return m, err
		}
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	if err := w.file(&Manifest{}, File{Name: manifestFile}, func(_ *File, out io.Writer) error {
		_, err := out.Write(append(b, '\n'))
		return err
	}); err != nil {
		return m, err
	}
	return m, errors.Join(syncDir(part), os.Rename(part, dir), syncDir(filepath.Dir(dir)))
}

// writer writes files and counts what it writes.
type writer struct {
	dir  string
	tell Progress

	out  *os.File
	sum  hash.Hash
	name string
	n    int64
}

// Write implements io.Writer.
func (w *writer) Write(b []byte) (int, error) {
	n, err := w.out.Write(b)
	w.sum.Write(b[:n])
	w.n += int64(n)
	if w.tell != nil {
		w.tell(w.name, w.n)
	}
	return n, err
}

// file writes one file, safe on the disk, and enters it in m.
func (w *writer) file(m *Manifest, f File, write func(*File, io.Writer) error) error {
	out, err := os.OpenFile(filepath.Join(w.dir, f.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	w.out, w.sum, w.name, w.n = out, sha256.New(), f.Name, 0
	err = write(&f, w)
	if err == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("backup of %s: %w", f.Name, err)
	}
	f.Bytes, f.SHA256 = w.n, hex.EncodeToString(w.sum.Sum(nil))
	m.Files = append(m.Files, f)
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// maxManifest bounds a manifest, in bytes.
const maxManifest = 1 << 20

// Read reads the manifest of a backup and compares every file with it. The error
// wraps fault.ErrInvalid if anything differs.
func Read(ctx context.Context, dir string, tell Progress) (Manifest, error) {
	var m Manifest
	f, err := os.Open(filepath.Join(dir, manifestFile)) //nolint:gosec // the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%w: %s is no backup: it has no %s", fault.ErrInvalid, dir, manifestFile)
	}
	if err != nil {
		return m, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err := errors.Join(err, f.Close()); err != nil {
		return m, err
	}
	if m, err = parse(b); err != nil {
		return m, err
	}
	for _, f := range m.Files {
		if err := verify(ctx, dir, f, tell); err != nil {
			return m, err
		}
	}
	return m, nil
}

// parse reads a manifest, which names every file of a backup and no other.
func parse(b []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%s: %w: %w", manifestFile, fault.ErrInvalid, err)
	}
	if m.Format < 1 || m.Format > format {
		return m, fmt.Errorf("%w: the backup has format %d, and this program reads up to %d: use the kobling that made it, %s", fault.ErrInvalid, m.Format, format, m.Program)
	}
	want := map[string]string{databaseFile: ""}
	for _, name := range streams {
		want[name+snapshotExt] = name
	}
	for _, f := range m.Files {
		if of, ok := want[f.Name]; !ok || of != f.Stream {
			return m, fmt.Errorf("%w: the backup has a file %q of %q that this program does not know", fault.ErrInvalid, f.Name, f.Stream)
		}
		delete(want, f.Name)
	}
	for name := range want {
		return m, fmt.Errorf("%w: %s is not in the backup", fault.ErrInvalid, name)
	}
	return m, nil
}

// verify compares one file with the manifest.
func verify(ctx context.Context, dir string, f File, tell Progress) error {
	in, err := os.Open(filepath.Join(dir, f.Name)) //nolint:gosec // its name was checked
	if err != nil {
		return fmt.Errorf("%w: %w", fault.ErrInvalid, err)
	}
	defer func() { _ = in.Close() }() // only read
	sum := sha256.New()
	n, err := io.Copy(sum, reader{ctx, in, f.Name, tell, new(int64)})
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != f.Bytes || got != f.SHA256 {
		return fmt.Errorf("%w: %s has %d bytes with SHA-256 %s, the manifest says %d and %s: the backup is damaged", fault.ErrInvalid, f.Name, n, got, f.Bytes, f.SHA256)
	}
	return nil
}

// reader reads until its context ends, and tells how far it is.
type reader struct {
	ctx  context.Context
	in   io.Reader
	name string
	tell Progress
	n    *int64
}

// Read implements io.Reader.
func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.in.Read(b)
	*r.n += int64(n)
	if r.tell != nil {
		r.tell(r.name, *r.n)
	}
	return n, err
}

// Restore reads a backup into an installation that is empty and stopped. All files
// are verified before anything is changed. If it fails after that, the installation
// must be emptied before another attempt.
func Restore(ctx context.Context, to Installation, dir string, tell Progress) (Manifest, error) {
	m, err := Read(ctx, dir, tell)
	if err != nil {
		return m, err
	}
	newest, err := to.Newest()
	if err != nil {
		return m, err
	}
	if m.Schema > newest {
		return m, fmt.Errorf("%w: the database of the backup has schema %d, and this program knows only %d: use kobling %s, which made it", fault.ErrInvalid, m.Schema, newest, m.Program)
	}
	if err := to.Empty(ctx); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	for _, f := range m.Files {
		if err := restoreFile(ctx, to, dir, f, tell); err != nil {
			return m, fmt.Errorf("%w; empty the installation and try again", err)
		}
	}
	return m, to.Resume(ctx, m.Settled)
}

func restoreFile(ctx context.Context, to Installation, dir string, f File, tell Progress) error {
	in, err := os.Open(filepath.Join(dir, f.Name)) //nolint:gosec // Read has checked its name
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	r := reader{ctx, in, f.Name, tell, new(int64)}
	if f.Stream != "" {
		return to.Restore(ctx, f.Stream, f.Meta, r)
	}
	return to.Load(ctx, r)
}
