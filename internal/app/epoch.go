package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/pack"
	"kobling/internal/score"
	"kobling/internal/store"
	"kobling/internal/translate"
)

// era is what changes with the epoch, or when indexes are to be begun anew.
type era struct {
	epoch      *score.Epoch
	generation int          // of the index; see store.RebuildIndexes
	index      *index.Index // nil without the roles api and match
}

// errNewEpoch ends the roles, to begin anew in another era.
var errNewEpoch = errors.New("another epoch is active, or another index is asked for")

const (
	// watchEvery is how often a process looks which epoch is active.
	watchEvery = time.Second
	// startAttempts bounds how often a start makes an epoch while others do.
	startAttempts = 5
)

// TablesPath is where what is compiled from the packs of a data directory lies.
func TablesPath(dataDir string) string { return filepath.Join(dataDir, "translations.gz") }

// packModel returns the model of what is compiled from the packs of a data
// directory; without packs it has no tables.
func packModel(dataDir string) (m score.Model, err error) {
	m.About.Made = time.Now().UTC().Truncate(time.Second)
	f, err := os.Open(TablesPath(dataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer func() { _ = f.Close() }() // only read
	if m.Tables, err = translate.Read(f); err != nil {
		return m, fmt.Errorf("%s: %w (import or remove a pack to compile them again)", TablesPath(dataDir), err)
	}
	packs, err := pack.Open(filepath.Join(dataDir, "packs")).List()
	if err != nil {
		return m, err
	}
	m.About.Tables = m.Tables.Version()
	for _, p := range packs {
		m.About.Packs = append(m.About.Packs, score.Pack{Name: p.Name, SHA256: p.SHA256, Licence: p.Licence, Source: p.Source})
	}
	return m, nil
}

// activeEpoch is the active epoch and what this program makes of its model.
type activeEpoch struct {
	number      int // 0: there is none yet
	fingerprint string
	model       score.Model
	made        *score.Epoch
}

// same reports whether this program makes the very epoch that is active.
func (a *activeEpoch) same() bool { return a.number > 0 && a.made.Fingerprint() == a.fingerprint }

// readEpoch reads the active epoch; before the first one, the model is what the
// data directory holds.
func readEpoch(ctx context.Context, s *store.Store, dataDir string) (a activeEpoch, err error) {
	if a.number, a.fingerprint, err = s.ActiveEpoch(ctx); err != nil {
		return a, err
	}
	switch kept, missing := s.Epoch(ctx, a.number); {
	case a.number == 0:
		a.model, err = packModel(dataDir)
	case errors.Is(missing, fault.ErrNotFound): // set by a program that kept none
	case missing != nil:
		err = missing
	default:
		if a.model, err = score.ReadModel(bytes.NewReader(kept.Model)); err != nil {
			err = fmt.Errorf("epoch %d: %w; a later version of kobling made it, or the database is damaged", a.number, err)
		}
	}
	if err != nil {
		return a, err
	}
	a.made, err = a.model.Epoch(max(a.number, 1))
	return a, err
}

// olderError says that this program is not to take the place of another.
func (a *activeEpoch) olderError() error {
	by := "another version of kobling"
	if a.model.About.Program != "" {
		by = "kobling " + a.model.About.Program
	}
	return fmt.Errorf("epoch %d was made by %s, which judges otherwise than this program: start that version; to go back to this one, run its \"kobling epoch make --take-over\": %w",
		a.number, by, fault.ErrConflict)
}

// setEpoch makes m the active epoch under e's number. The error wraps
// fault.ErrStale if somebody was faster.
func setEpoch(ctx context.Context, s *store.Store, m score.Model, e *score.Epoch, program string) error {
	m.About = m.About.By(program, e)
	var model bytes.Buffer
	if err := m.Write(&model); err != nil {
		return err
	}
	about, err := json.Marshal(m.About)
	if err != nil {
		return err
	}
	return s.SetEpoch(ctx, e.Number(), e.Fingerprint(), model.Bytes(), about)
}

// openEpoch makes the active epoch. If this program makes another of its model,
// that one becomes active, and everything is matched again; see Run.
func (a *App) openEpoch(ctx context.Context) error {
	for range startAttempts {
		active, err := readEpoch(ctx, a.store, a.cfg.DataDir)
		if err != nil {
			return err
		}
		e, about := active.made, active.model.About
		if active.same() {
			a.now.Store(&era{epoch: e})
			return nil
		}
		// With its own PostgreSQL this is the only process: there is nobody to
		// quarrel with, and an operator who goes back a version may do so.
		if !a.cfg.EmbeddedDatabase() && (about.Maker == e.Maker() || slices.Contains(about.Before, e.Maker())) {
			return active.olderError()
		}
		e = score.NewEpoch(active.number+1, e.Analyzer(), e.Thresholds())
		err = setEpoch(ctx, a.store, active.model, e, a.options.Version)
		if errors.Is(err, fault.ErrStale) {
			continue // another replica has made one, this or a later
		}
		if err != nil {
			return err
		}
		a.log.Info("a new epoch begins", zap.Int("epoch", e.Number()), zap.String("fingerprint", e.Fingerprint()))
		a.now.Store(&era{epoch: e})
		return nil
	}
	return fmt.Errorf("others make epochs all the time: %w", fault.ErrUnavailable)
}

// awaitEpoch returns another era, without its index, with errNewEpoch once its epoch
// is active, read and made, or its generation of the index is asked for.
func (a *App) awaitEpoch(ctx context.Context) (*era, error) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	now := a.now.Load()
	for {
		select {
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // nobody asks any more
		case <-tick.C:
		}
		number, _, err := a.store.ActiveEpoch(ctx)
		if err != nil {
			continue // the readiness tells of the database
		}
		generation, err := a.store.IndexGeneration(ctx)
		if err != nil {
			continue
		}
		if number == now.epoch.Number() {
			if generation != now.generation {
				return &era{epoch: now.epoch, generation: generation}, errNewEpoch
			}
			continue
		}
		active, err := readEpoch(ctx, a.store, a.cfg.DataDir)
		switch {
		case errors.Is(err, fault.ErrUnavailable) || ctx.Err() != nil:
			a.log.Warn("another epoch is active; reading it is tried again", zap.Int("epoch", number), zap.Error(err))
		case err != nil:
			return nil, err
		case !active.same():
			return nil, active.olderError()
		default:
			return &era{epoch: active.made, generation: generation}, errNewEpoch
		}
	}
}

// enter makes the process go on in another era. Its roles do not run meanwhile.
func (a *App) enter(next *era) error {
	old := a.now.Load()
	if old.index != nil {
		if IndexName(next.epoch, next.generation) == IndexName(old.epoch, old.generation) {
			next.index, old.index = old.index, nil
		} else {
			x, err := a.newIndex(next)
			if err != nil {
				return err
			}
			next.index = x
		}
	}
	a.now.Store(next)
	a.log.Info("the era has changed", zap.Int("epoch", next.epoch.Number()), zap.String("fingerprint", next.epoch.Fingerprint()), zap.Int("index", next.generation))
	if old.index == nil {
		return nil
	}
	if err := old.index.Close(); err != nil {
		return err
	}
	return a.removeIndexes(next)
}

// removeIndexes removes those of the epoch that are of an older generation than
// the one in use.
func (a *App) removeIndexes(now *era) error {
	dir := filepath.Join(a.cfg.DataDir, "index")
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range found {
		name := entry.Name()
		if strings.HasPrefix(name, IndexName(now.epoch, 0)) && !strings.HasPrefix(name, IndexName(now.epoch, now.generation)+"-") {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
		}
	}
	return errors.Join(errs...)
}
