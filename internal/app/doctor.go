package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"kobling/internal/config"
	"kobling/internal/embedded"
	"kobling/internal/fault"
	"kobling/internal/store"
	"kobling/internal/stream"
)

// Finding is one thing that Examine looked at.
type Finding struct {
	What    string `json:"what"`
	OK      bool   `json:"ok"`
	Warning bool   `json:"warning,omitempty"` // it works, but better if something is done
	Detail  string `json:"detail"`
}

// minFree is how much room the data directory's disk should have, in bytes.
const minFree = 1 << 30

// Examine checks whether this machine and these settings are fit to run. It
// starts nothing and changes nothing but the existence of the data directory.
func Examine(ctx context.Context, cfg config.Config) []Finding {
	var found []Finding
	add := func(what, detail string, err error) {
		f := Finding{What: what, OK: err == nil, Detail: detail}
		if err != nil {
			f.Detail = err.Error()
		}
		found = append(found, f)
	}
	running, err := ReadRunInfo(cfg.DataDir)
	isRunning := err == nil
	if isRunning {
		add("service", fmt.Sprintf("running, process %d, %s", running.PID, running.HTTP), nil)
	} else {
		add("service", "not running with data directory "+cfg.DataDir, nil)
	}
	detail, err := examineDir(cfg.DataDir)
	add("disk", detail, err)
	if cfg.EmbeddedDatabase() {
		bin, err := embedded.Binaries(ctx, cfg.PostgresBin)
		add("postgresql", "embedded, programs in "+bin, err)
	} else {
		add("postgresql", "external, schema is current", store.CheckVersion(ctx, cfg.DatabaseURL.Reveal()))
	}
	if !cfg.EmbeddedNATS() {
		add("nats", "external, streams are there", examineNATS(ctx, cfg))
	}
	if isRunning || !cfg.EmbeddedDatabase() {
		if f, ok := examinePacks(ctx, cfg); ok {
			found = append(found, f)
		}
	}
	for name, addr := range map[string]string{"nats-listen": cfg.NATSListen, "http-listen": cfg.HTTPListen} {
		if isRunning || (name == "nats-listen" && !cfg.EmbeddedNATS()) {
			continue // it is ours already, or not used
		}
		add(name, addr+" is free", examineAddress(ctx, addr))
	}
	return found
}

func examineDir(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // see openDataDir
		return "", err
	}
	probe := filepath.Join(dir, ".doctor")
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		return "", err
	}
	if err := os.Remove(probe); err != nil {
		return "", err
	}
	free, err := freeBytes(dir)
	if err != nil {
		return "", err
	}
	if free < minFree {
		return "", fmt.Errorf("%s has %d MiB free; 1 GiB is the least to run with", dir, free>>20)
	}
	return fmt.Sprintf("%s can be written, %d GiB free", dir, free>>30), nil
}

// examinePacks compares the compiled packs of the data directory with those of
// the active epoch. It finds nothing where there are none, or no database.
func examinePacks(ctx context.Context, cfg config.Config) (f Finding, ok bool) {
	f = Finding{What: "packs", OK: true, Detail: "the active epoch has those of the data directory"}
	epochs, err := OpenEpochs(ctx, cfg, "")
	if err != nil {
		return f, false // the database has a finding of its own
	}
	defer epochs.Close()
	active, err := epochs.Active(ctx)
	if err != nil {
		return f, false
	}
	m, err := packModel(cfg.DataDir)
	switch {
	case err != nil:
		f.Warning, f.Detail = true, err.Error()
	case m.About.Tables != active.About.Tables:
		f.Warning, f.Detail = true, "those compiled in the data directory are not those of the active epoch: run \"kobling epoch make\""
	}
	return f, f.Warning || m.About.Tables != ""
}

func examineNATS(ctx context.Context, cfg config.Config) error {
	conn, err := stream.Connect(ctx, natsOptions(cfg, zap.NewNop()))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = stream.Open(ctx, conn)
	return err
}

func examineAddress(ctx context.Context, addr string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return l.Close()
}

// Migrate creates or upgrades the tables and streams of servers that are not
// embedded.
func Migrate(ctx context.Context, cfg config.Config, log *zap.Logger) error {
	if !cfg.EmbeddedDatabase() {
		if err := store.Migrate(ctx, cfg.DatabaseURL.Reveal()); err != nil {
			return err
		}
	}
	if cfg.EmbeddedNATS() {
		return nil
	}
	conn, err := stream.Connect(ctx, natsOptions(cfg, log))
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := stream.Open(ctx, conn); errors.Is(err, fault.ErrNotFound) && !cfg.EmbeddedDatabase() {
		if err := refuseLoss(ctx, cfg); err != nil {
			return err
		}
	}
	return stream.Migrate(ctx, conn, streamConfig(cfg))
}

// refuseLoss keeps migrate from making empty streams where full ones were lost.
func refuseLoss(ctx context.Context, cfg config.Config) error {
	s, err := store.Open(ctx, cfg.DatabaseURL.Reveal(), store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	used, err := s.Used(ctx)
	if err == nil && used {
		err = fmt.Errorf("the database knows profiles, but the NATS server lacks the streams that held them: run \"kobling rebuild stream\", or restore them from a backup: %w", fault.ErrNotFound)
	}
	return err
}
