package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"go.uber.org/zap"

	"kobling/internal/config"
	"kobling/internal/epoch"
	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/store"
)

// Epochs shows and makes the epochs of an installation, whose processes may run.
type Epochs struct {
	store   *store.Store
	dataDir string
	version string
}

// OpenEpochs connects to the database that cfg names, or to that of the service
// that runs with cfg's data directory on this machine.
func OpenEpochs(ctx context.Context, cfg config.Config, version string) (*Epochs, error) {
	url, err := databaseURL(cfg)
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, url)
	if err != nil {
		return nil, err
	}
	return &Epochs{store: s, dataDir: cfg.DataDir, version: version}, nil
}

// Close ends the connection.
func (e *Epochs) Close() { e.store.Close() }

// EpochInfo says what the active epoch is.
type EpochInfo struct {
	Number      int         `json:"number"`
	Fingerprint string      `json:"fingerprint"`
	Since       time.Time   `json:"since"`
	About       score.About `json:"about"`
}

// Active returns the active epoch.
func (e *Epochs) Active(ctx context.Context) (EpochInfo, error) {
	kept, err := e.store.AboutEpoch(ctx)
	if err != nil {
		return EpochInfo{}, err
	}
	info := EpochInfo{Number: kept.Number, Fingerprint: kept.Fingerprint, Since: kept.MadeAt.UTC()}
	if err := json.Unmarshal(kept.About, &info.About); err != nil {
		return info, fmt.Errorf("epoch %d: %w", kept.Number, err)
	}
	return info, nil
}

// MakeEpoch says how an epoch is made.
type MakeEpoch struct {
	WithoutPacks bool // although there are some in the data directory
	DryRun       bool // only measure
	TakeOver     bool // although the program of the active epoch is another
	Progress     func(stage string, done, total int)
}

// NewEpoch is what was made.
type NewEpoch struct {
	EpochInfo

	Made      bool         `json:"made"` // it is the active epoch now
	Same      bool         `json:"same"` // as the one that was active: none was made
	Volume    epoch.Volume `json:"volume"`
	Histogram []epoch.Bar  `json:"histogram"` // of suggestions of a demand
}

// Make makes the next epoch of what the installation and the data directory hold,
// and measures how many suggestions there will be. What was measured is returned
// also with an error that wraps epoch.ErrTooMany.
func (e *Epochs) Make(ctx context.Context, o MakeEpoch) (made NewEpoch, err error) {
	active, err := readEpoch(ctx, e.store, e.dataDir)
	switch {
	case err != nil && !o.TakeOver:
		return made, err
	case active.number == 0:
		return made, fmt.Errorf("there is no epoch yet: start \"kobling serve\" first: %w", fault.ErrUnavailable)
	case !o.TakeOver && !active.same():
		return made, fmt.Errorf("epoch %d was made by kobling %s, and this program judges otherwise: restart the service with this version first, or give --take-over: %w",
			active.number, active.model.About.Program, fault.ErrConflict)
	}
	var m score.Model
	if !o.WithoutPacks {
		if m, err = packModel(e.dataDir); err != nil {
			return made, err
		}
	}
	m.About.Made = time.Now().UTC().Truncate(time.Second)
	m.About.Maker, m.About.Before = active.model.About.Maker, active.model.About.Before

	x, err := newTempIndex()
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, x.remove()) }()
	stats, err := e.store.Stats(ctx)
	if err != nil {
		return made, err
	}
	corpus := epoch.Corpus{Profiles: e.profiles(ctx), Total: int(stats.Profiles), Index: x, Progress: o.Progress}
	m, next, volume, err := epoch.Make(ctx, m, corpus)
	if next == nil {
		return made, err
	}
	next = score.NewEpoch(active.number+1, next.Analyzer(), next.Thresholds())
	made = NewEpoch{
		EpochInfo: EpochInfo{Number: next.Number(), Fingerprint: next.Fingerprint(), Since: m.About.Made, About: m.About.By(e.version, next)},
		Same:      next.Fingerprint() == active.fingerprint,
		Volume:    volume, Histogram: volume.Histogram(),
	}
	if made.Same {
		made.Number = active.number
	}
	if err != nil || o.DryRun || made.Same {
		return made, err
	}
	err = setEpoch(ctx, e.store, m, next, e.version)
	if errors.Is(err, fault.ErrStale) {
		return made, fmt.Errorf("somebody else made an epoch meanwhile: try again: %w", fault.ErrUnavailable)
	}
	made.Made = err == nil
	return made, err
}

// pageSize is how many profiles are read at a time.
const pageSize = 500

// profiles yields all live profiles, page by page: no transaction is kept open.
func (e *Epochs) profiles(ctx context.Context) iter.Seq2[*profile.Profile, error] {
	return func(yield func(*profile.Profile, error) bool) {
		var after profile.ID
		for {
			page, err := e.store.LiveProfiles(ctx, after, pageSize)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, p := range page {
				if !yield(p, nil) {
					return
				}
				after = p.ID
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// tempIndex is an index of supplies for as long as a measurement takes.
type tempIndex struct {
	*index.Index

	dir  string
	last uint64
}

func newTempIndex() (*tempIndex, error) {
	dir, err := os.MkdirTemp("", "kobling-epoch-*")
	if err != nil {
		return nil, err
	}
	x, err := index.Open(dir, index.Options{Epoch: "measured", Log: zap.NewNop()})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &tempIndex{Index: x, dir: dir}, nil
}

func (x *tempIndex) remove() error { return errors.Join(x.Close(), os.RemoveAll(x.dir)) }

// Add implements [epoch.Index].
func (x *tempIndex) Add(ctx context.Context, docs []epoch.Document) error {
	changes := make([]index.Change, len(docs))
	for i, d := range docs {
		x.last++
		changes[i] = index.Change{ID: d.ID, Seq: x.last, Side: d.Side, Alive: true}
	}
	return x.Apply(ctx, changes, index.Mark{Created: time.Unix(1, 0), Seq: x.last, Time: time.Unix(1, 0)})
}
