package pack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"kobling/internal/fault"
)

// Store keeps packs in a folder, each as <name>/pack.json, which says where it
// comes from, and <name>/entries.tsv.gz. Packs appear, are replaced and disappear
// whole, whatever happens meanwhile; readers never wait.
//
// A pack that is complete waits as .new-<name> for its predecessor to be removed.
// From then on it is the pack; whoever changes the store next finishes what a
// crash left undone.
type Store struct {
	dir string
	now func() time.Time
}

// Names of what is not a pack, or not yet.
const (
	freshPrefix = ".new-" // complete, its predecessor may still be there
	draftPrefix = ".tmp-" // being written, or being removed
	lockName    = ".lock"
	infoName    = "pack.json"
	entriesName = "entries.tsv.gz"
)

// Pack is a stored pack: what it is, and what its file had besides.
type Pack struct {
	Info
	Report
}

// Import says what to import.
type Import struct {
	Name    string // [a-z0-9-]{1,40}; a pack of that name is replaced
	Licence string // both must be given: no pack without them
	Source  string
	Options
}

// Open returns the store in dir, which need not exist: <data directory>/packs.
func Open(dir string) *Store { return &Store{dir: dir, now: time.Now} }

var nameForm = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// CheckName says what is wrong with the name of a pack. The error wraps
// fault.ErrInvalid.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("pack name %.60q: want 1 to 40 of a-z, 0-9 and -: %w", name, fault.ErrInvalid)
	}
	return nil
}

// maxNote is the longest licence or source, in characters.
const maxNote = 500

// check says what is wrong with how something is to be imported.
func (i Import) check() error {
	errs := []error{}
	if err := CheckName(i.Name); err != nil {
		errs = append(errs, err)
	}
	for _, note := range []struct{ what, text string }{{"licence", i.Licence}, {"source", i.Source}} {
		switch {
		case note.text == "":
			errs = append(errs, fmt.Errorf("no %s: %w", note.what, fault.ErrInvalid))
		case tooLong(note.text, maxNote):
			errs = append(errs, fmt.Errorf("%s of more than %d characters: %w", note.what, maxNote, fault.ErrInvalid))
		}
	}
	return errors.Join(errs...)
}

// Import reads the file at path and keeps it as a pack. With an error nothing has
// changed. The error wraps fault.ErrInvalid if it is about the file, and
// fault.ErrConflict if the store is being changed by somebody else.
func (s *Store) Import(ctx context.Context, path string, i Import) (p Pack, err error) {
	i.Licence, i.Source = clean(i.Licence), clean(i.Source)
	if err := i.check(); err != nil {
		return Pack{}, err
	}
	unlock, err := s.lock()
	if err != nil {
		return Pack{}, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	draft, err := os.MkdirTemp(s.dir, draftPrefix)
	if err != nil {
		return Pack{}, err
	}
	defer func() { _ = os.RemoveAll(draft) }() // gone already when all went well
	p, err = s.write(ctx, draft, path, i)
	if err != nil {
		return p, err
	}
	if err := os.Chmod(draft, 0o755); err != nil { //nolint:gosec // the service may run as another user; packs are no secret
		return p, err
	}
	if err := os.Rename(draft, filepath.Join(s.dir, freshPrefix+i.Name)); err != nil {
		return p, err
	}
	return p, s.settle(i.Name)
}

// write writes both files of a pack into the folder draft.
func (s *Store) write(ctx context.Context, draft, path string, i Import) (p Pack, err error) {
	err = create(filepath.Join(draft, entriesName), func(f *os.File) error {
		w := newEntryWriter(f)
		var err error
		p.Info, p.Report, err = Scan(ctx, path, i.Options, w.write)
		return errors.Join(err, w.close())
	})
	p.Name, p.Licence, p.Source, p.Date = i.Name, i.Licence, i.Source, s.now().UTC().Truncate(time.Second)
	if err != nil {
		return p, err
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return p, err
	}
	err = create(filepath.Join(draft, infoName), func(f *os.File) error {
		_, err := f.Write(append(b, '\n'))
		return err
	})
	return p, errors.Join(err, syncDir(draft))
}

// settle puts the complete new pack called name in the place of the old one.
func (s *Store) settle(name string) error {
	at := filepath.Join(s.dir, name)
	if err := errors.Join(syncDir(s.dir), s.discard(name), os.Rename(filepath.Join(s.dir, freshPrefix+name), at)); err != nil {
		return fmt.Errorf("put pack %s in its place: %w", name, err)
	}
	return syncDir(s.dir)
}

// discard removes the folder of a pack at once, though its files may take a
// while.
func (s *Store) discard(name string) error {
	grave, err := os.MkdirTemp(s.dir, draftPrefix)
	if err != nil {
		return err
	}
	err = os.Rename(filepath.Join(s.dir, name), filepath.Join(grave, name))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(grave))
}

// Remove removes the pack called name. The error wraps fault.ErrNotFound if there
// is none.
func (s *Store) Remove(name string) (err error) {
	if err := CheckName(name); err != nil {
		return err
	}
	if f, err := s.open(name, "."); err != nil { // its files may be damaged
		return err
	} else if err := f.Close(); err != nil {
		return err
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return errors.Join(s.discard(name), syncDir(s.dir))
}

// lock makes the folder if need be, waits for nobody, and finishes or clears away
// what a crash left.
func (s *Store) lock() (unlock func() error, err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil { //nolint:gosec // see Import
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("another command is changing the packs in %s; try again when it has ended: %w", s.dir, fault.ErrConflict)
		}
		return nil, errors.Join(err, f.Close())
	}
	unlock = func() error { return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close()) }
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, unlock())
	}
	return unlock, nil
}

func (s *Store) recover() error {
	left, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, d := range left {
		if strings.HasPrefix(d.Name(), draftPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, d.Name())))
		}
		if name, ok := strings.CutPrefix(d.Name(), freshPrefix); ok {
			err = errors.Join(err, s.settle(name))
		}
	}
	return err
}

// List returns the packs called names, in that order; every pack, in order of
// name, if none is named. The error wraps fault.ErrNotFound if one is not there.
func (s *Store) List(names ...string) ([]Pack, error) {
	if len(names) == 0 {
		return s.all()
	}
	packs := make([]Pack, 0, len(names))
	for _, name := range names {
		if err := CheckName(name); err != nil {
			return nil, err
		}
		p, err := s.pack(name)
		if err != nil {
			return nil, err
		}
		packs = append(packs, p)
	}
	return packs, nil
}

func (s *Store) all() ([]Pack, error) {
	found, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var packs []Pack
	for _, d := range found {
		name := strings.TrimPrefix(d.Name(), freshPrefix)
		if !nameForm.MatchString(name) || slices.ContainsFunc(packs, func(p Pack) bool { return p.Name == name }) {
			continue
		}
		p, err := s.pack(name)
		if errors.Is(err, fault.ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		packs = append(packs, p)
	}
	slices.SortFunc(packs, func(a, b Pack) int { return cmp.Compare(a.Name, b.Name) })
	return packs, nil
}

// pack reads what a pack is.
func (s *Store) pack(name string) (Pack, error) {
	f, err := s.open(name, infoName)
	if err != nil {
		return Pack{}, err
	}
	defer func() { _ = f.Close() }() // only read
	var p Pack
	if err := json.NewDecoder(f).Decode(&p); err != nil || p.Name != name {
		return Pack{}, fmt.Errorf("pack %s: %s is damaged (%w); import it again, or remove it with: kobling lexicon remove %s", name, f.Name(), cmp.Or(err, errors.New("it is of another pack")), name)
	}
	return p, nil
}

// open opens a file of the pack called name, wherever that is at the moment.
func (s *Store) open(name, file string) (*os.File, error) {
	for range 10 { // it may be put in its place between two looks
		for _, prefix := range []string{freshPrefix, ""} {
			f, err := os.Open(filepath.Join(s.dir, prefix+name, file)) //nolint:gosec // the name was checked
			if err == nil || !errors.Is(err, fs.ErrNotExist) {
				return f, err
			}
		}
	}
	return nil, fmt.Errorf("pack %q does not exist; list them with: kobling lexicon list: %w", name, fault.ErrNotFound)
}

// Entries returns the entries of the packs called names, in that order; of all
// packs if none is named. They may be gone through more than once. What went
// wrong is told by failed afterwards: entries end early then.
func (s *Store) Entries(names ...string) (entries iter.Seq[Entry], failed func() error) {
	var failure error
	return func(yield func(Entry) bool) {
		var packs []Pack
		if packs, failure = s.List(names...); failure != nil {
			return
		}
		for _, p := range packs {
			err := s.each(p.Name, func(e Entry) error {
				if !yield(e) {
					return errStop
				}
				return nil
			})
			if errors.Is(err, errStop) {
				return
			}
			if err != nil {
				failure = err
				return
			}
		}
	}, func() error { return failure }
}

// each calls f for each entry of a pack.
func (s *Store) each(name string, f func(Entry) error) error {
	file, err := s.open(name, entriesName)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	err = readEntries(file, f)
	if err != nil && !errors.Is(err, errStop) {
		err = fmt.Errorf("pack %s: %w; import it again", name, err)
	}
	return err
}

// Verify reads all of a pack and says whether it is what it was.
func (s *Store) Verify(name string) (Pack, error) {
	packs, err := s.List(name)
	if err != nil {
		return Pack{}, err
	}
	p, n, terms := packs[0], 0, make(map[string]int)
	err = s.each(name, func(e Entry) error {
		n++
		for _, t := range e.Terms {
			terms[t.Lang]++
		}
		return nil
	})
	if err == nil && (n != p.Entries || !maps.Equal(terms, p.Terms)) {
		err = fmt.Errorf("pack %s has %d entries, %s says %d: %w; import it again", name, n, infoName, p.Entries, fault.ErrInvalid)
	}
	return p, err
}
