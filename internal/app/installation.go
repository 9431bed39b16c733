package app

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"kobling/internal/config"
	"kobling/internal/embedded"
	"kobling/internal/fault"
	"kobling/internal/store"
	"kobling/internal/stream"
	"kobling/internal/telemetry"
)

// Installation is the servers of an installation, for the commands that look after
// it.
type Installation struct {
	store   *store.Store
	url     string // of the database
	bin     string // where PostgreSQL's programs are; "": in the usual places
	conn    *stream.Conn
	streams stream.Config // as they are to be
	dataDir string
	version string
	own     bool // the embedded servers were started for this
	close   func() error
}

// OpenInstallation connects to the servers that cfg names, or to those of the
// service that runs with cfg's data directory on this machine.
func OpenInstallation(ctx context.Context, cfg config.Config, version string) (_ *Installation, err error) {
	url, err := databaseURL(cfg)
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	o, err := operatorOptions(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := stream.Connect(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("reach NATS: %w", err)
	}
	return &Installation{
		store: s, url: url, bin: cfg.PostgresBin, conn: conn, streams: streamConfig(cfg), dataDir: cfg.DataDir, version: version,
		close: func() error { conn.Close(); s.Close(); return nil },
	}, nil
}

// OpenInstallationAlone is OpenInstallation for what needs the installation for
// itself: it starts the embedded servers that cfg asks for. The error wraps
// embedded.ErrInUse if a service runs with cfg's data directory.
func OpenInstallationAlone(ctx context.Context, cfg config.Config, o Options) (_ *Installation, err error) {
	if !cfg.EmbeddedDatabase() && !cfg.EmbeddedNATS() {
		return OpenInstallation(ctx, cfg, o.Version)
	}
	a := &App{cfg: cfg, options: o, log: o.Log, health: telemetry.NewServer(o.Level)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	for _, step := range []func(context.Context) error{a.openDataDir, a.startDatabase, a.openDatabase, a.openNATS} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return &Installation{
		store: a.store, url: a.databaseURL(), bin: cfg.PostgresBin, conn: a.conn, streams: streamConfig(cfg), dataDir: cfg.DataDir, version: o.Version,
		own: cfg.EmbeddedNATS(), close: a.Close,
	}, nil
}

// databaseURL returns the address of the database that cfg names, or of that of the
// service that runs with cfg's data directory on this machine.
func databaseURL(cfg config.Config) (string, error) {
	if !cfg.EmbeddedDatabase() {
		return cfg.DatabaseURL.Reveal(), nil
	}
	info, err := ReadRunInfo(cfg.DataDir)
	if err != nil {
		return "", err
	}
	if info.DatabaseURL == "" {
		return "", fmt.Errorf("the service of data directory %s keeps its tables on a server of its own choice: name it with --database-url or KOBLING_DATABASE_URL: %w", cfg.DataDir, fault.ErrInvalid)
	}
	return info.DatabaseURL, nil
}

func openStore(ctx context.Context, url string) (*store.Store, error) {
	s, err := store.Open(ctx, url, store.Options{MaxConns: 4})
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return s, nil
}

// operatorOptions say how the operator reaches NATS.
func operatorOptions(cfg config.Config) (stream.Options, error) {
	o := natsOptions(cfg, zap.NewNop())
	o.Name = "kobling operator"
	if !cfg.EmbeddedNATS() {
		return o, nil
	}
	info, err := ReadRunInfo(cfg.DataDir)
	if err != nil {
		return o, err
	}
	if info.OperatorPassword == "" {
		return o, fmt.Errorf("the service of data directory %s uses a NATS server of its own choice: name it with --nats-url or KOBLING_NATS_URL: %w", cfg.DataDir, fault.ErrInvalid)
	}
	o.URL, o.User, o.Password, o.Wait = info.NATSURL, embedded.OperatorUser, info.OperatorPassword, localWait
	return o, nil
}

// Close ends the connections, and the servers that were started.
func (i *Installation) Close() error { return i.close() }

// client asks the running processes.
func (i *Installation) client() *Client { return &Client{conn: i.conn} }

// answers reports whether a process of the installation answers.
func (i *Installation) answers(ctx context.Context) (bool, error) {
	_, err := i.client().Status(ctx)
	if errors.Is(err, fault.ErrUnavailable) {
		return false, nil
	}
	return err == nil, err
}
