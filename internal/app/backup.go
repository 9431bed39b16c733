package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"kobling/internal/backup"
	"kobling/internal/config"
	"kobling/internal/embedded"
	"kobling/internal/fault"
	"kobling/internal/store"
	"kobling/internal/stream"
	"kobling/internal/telemetry"
)

// Backup writes all that the installation keeps into the directory dir, which must
// not exist. The service may run.
func (i *Installation) Backup(ctx context.Context, dir string, tell backup.Progress) (backup.Manifest, error) {
	return backup.Write(ctx, backups{i}, dir, i.version, tell)
}

// Restore reads the backup in dir into the installation that cfg names, which must
// be empty. No process of it may run.
func Restore(ctx context.Context, cfg config.Config, o Options, dir string, tell backup.Progress) (m backup.Manifest, err error) {
	a := &App{cfg: cfg, options: o, log: o.Log, health: telemetry.NewServer(o.Level)}
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, step := range []func(context.Context) error{a.openDataDir, a.startDatabase, a.openNATS} {
		if err := step(ctx); err != nil {
			return m, err
		}
	}
	i := &Installation{
		url: a.databaseURL(), bin: cfg.PostgresBin, conn: a.conn, streams: streamConfig(cfg), dataDir: cfg.DataDir, version: o.Version,
		own: cfg.EmbeddedNATS(),
	}
	return backup.Restore(ctx, backups{i}, dir, tell)
}

// backups is an installation as a backup reads and writes it.
type backups struct{ *Installation }

func (b backups) Settled(ctx context.Context, name string) (map[string]uint64, error) {
	e, err := b.conn.Extent(ctx, name)
	return e.Settled, err
}

func (b backups) Schema(ctx context.Context) (int64, error) { return b.store.Schema(ctx) }

func (b backups) Newest() (int64, error) { return store.NewestSchema() }

func (b backups) Dump(ctx context.Context, w io.Writer) error {
	return embedded.Dump(ctx, b.bin, b.url, w)
}

func (b backups) Load(ctx context.Context, r io.Reader) error {
	return embedded.RestoreDump(ctx, b.bin, b.url, r)
}

func (b backups) Snapshot(ctx context.Context, name string, w io.Writer) (json.RawMessage, error) {
	meta, err := b.conn.Snapshot(ctx, name, w)
	if err != nil {
		return nil, err
	}
	return json.Marshal(meta)
}

func (b backups) Restore(ctx context.Context, name string, meta json.RawMessage, r io.Reader) error {
	var m stream.SnapshotMeta
	if err := json.Unmarshal(meta, &m); err != nil {
		return fmt.Errorf("restore %s: %w: %w", name, fault.ErrInvalid, err)
	}
	return b.conn.RestoreSnapshot(ctx, name, m, r)
}

// Empty removes what a start makes, if that is all there is.
func (b backups) Empty(ctx context.Context) error {
	if err := b.idle(ctx); err != nil {
		return err
	}
	err := store.Clear(ctx, b.url)
	for _, name := range []string{stream.Intake, stream.Profiles, stream.Events} {
		err = errors.Join(err, b.conn.Discard(ctx, name))
	}
	if err != nil {
		return fmt.Errorf("the installation is not empty: restore into a new data directory, or an empty database and NATS account: %w", err)
	}
	return nil
}

// Resume brings the schema up to date and has what was not settled when the backup
// began delivered again.
func (b backups) Resume(ctx context.Context, settled map[string]map[string]uint64) error {
	if err := store.Migrate(ctx, b.url); err != nil {
		return err
	}
	s, err := openStore(ctx, b.url)
	if err != nil {
		return err
	}
	defer s.Close()
	for name, consumers := range settled {
		e, err := b.conn.Extent(ctx, name)
		if err != nil {
			return err
		}
		for durable, now := range e.Settled {
			if then := consumers[durable]; then < now {
				if err := b.conn.Rewind(ctx, name, durable, then+1); err != nil {
					return err
				}
			}
		}
		if name == stream.Profiles {
			if err := s.QuietUntil(ctx, e.LastSeq); err != nil {
				return err
			}
		}
	}
	return stream.Migrate(ctx, b.conn, b.streams)
}
