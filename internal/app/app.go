package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"go.uber.org/zap"

	"kobling/internal/config"
	"kobling/internal/embedded"
	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/notify/mail"
	"kobling/internal/store"
	"kobling/internal/stream"
	"kobling/internal/telemetry"
)

// Options are what a process knows besides its settings.
type Options struct {
	Version string
	Log     *zap.Logger
	Level   zap.AtomicLevel
}

// App is a process with its servers, its stores and the parts of its roles.
// Start it, Run it, Close it.
type App struct {
	cfg     config.Config
	options Options
	log     *zap.Logger

	nats     *embedded.NATS     // nil with an external server
	postgres *embedded.Postgres // nil with an external server
	conn     *stream.Conn
	streams  *stream.Streams
	store    *store.Store
	now      atomic.Pointer[era] // never nil once started
	sink     *mail.Sink          // nil with a mail server
	http     net.Listener
	health   *telemetry.Server

	ready         *cached[telemetry.Status]
	intake, match *stream.Consumer // counted in metrics; also without the role
	rematcher     *rematcher       // likewise
	meters        meters
	closers       []func() error // in the order of opening
}

// Start brings up the embedded servers that cfg asks for, and opens everything.
// Nothing is worked on until Run. ctx bounds the start only.
func Start(ctx context.Context, cfg config.Config, o Options) (_ *App, err error) {
	a := &App{cfg: cfg, options: o, log: o.Log, health: telemetry.NewServer(o.Level)}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	for _, step := range []func(context.Context) error{
		a.openDataDir, a.startDatabase, a.openDatabase, a.openNATS, a.openStreams, a.fence, a.openEpoch, a.openIndex, a.openMail, a.openHTTP, a.saveTenants,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	a.watch() //nolint:contextcheck // what it adds is read at a scrape, which brings no context
	return a, a.writeRunInfo()
}

func (a *App) onClose(f func() error) { a.closers = append(a.closers, f) }

// Close ends what Start began, last first. Run must have returned.
func (a *App) Close() error {
	var errs []error
	for _, end := range slices.Backward(a.closers) {
		errs = append(errs, end())
	}
	a.closers = nil
	return errors.Join(errs...)
}

// openDataDir makes the data directory. Others may enter it, because PostgreSQL
// runs under another account when the process is root; what is in it is closed
// to them.
func (a *App) openDataDir(context.Context) error {
	if err := os.MkdirAll(a.cfg.DataDir, 0o711); err != nil { //nolint:gosec // see above
		return fmt.Errorf("data directory: %w (choose another with --data-dir)", err)
	}
	return nil
}

// startDatabase starts the embedded PostgreSQL, if cfg asks for it.
func (a *App) startDatabase(ctx context.Context) error {
	if a.cfg.EmbeddedDatabase() {
		pg, err := embedded.StartPostgres(ctx, embedded.PostgresOptions{
			Dir: filepath.Join(a.cfg.DataDir, "postgres"), Binaries: a.cfg.PostgresBin, Log: a.log.Named("postgres"),
		})
		if err != nil {
			return err
		}
		a.postgres = pg
		a.onClose(pg.Stop)
	}
	return nil
}

// databaseURL returns the address of the database, which has been started.
func (a *App) databaseURL() string {
	if a.postgres != nil {
		return a.postgres.URL()
	}
	return a.cfg.DatabaseURL.Reveal()
}

func (a *App) openDatabase(ctx context.Context) error {
	if a.postgres != nil {
		if err := store.Migrate(ctx, a.databaseURL()); err != nil {
			return err
		}
	}
	s, err := store.Open(ctx, a.databaseURL(), store.Options{Log: a.log.Named("store"), MaxConns: int32(min(a.cfg.DatabaseConn, 1000))}) //nolint:gosec // bounded
	if err != nil {
		return err
	}
	a.store = s
	a.onClose(func() error { s.Close(); return nil })
	return nil
}

func (a *App) openNATS(ctx context.Context) error {
	o := natsOptions(a.cfg, a.log.Named("nats"))
	if a.cfg.EmbeddedNATS() {
		n, err := embedded.StartNATS(ctx, embedded.NATSOptions{
			Dir: filepath.Join(a.cfg.DataDir, "nats"), Listen: a.cfg.NATSListen, Log: a.log.Named("nats"),
		})
		if err != nil {
			return err
		}
		a.nats = n
		a.onClose(func() error { n.Stop(); return nil })
		o = stream.Options{Name: "kobling", Log: a.log.Named("nats"), Driver: append(o.Driver, n.ConnectOption())}
	}
	conn, err := stream.Connect(ctx, o)
	if err != nil {
		return err
	}
	a.conn = conn
	a.onClose(func() error { conn.Close(); return nil })
	return nil
}

func (a *App) openStreams(ctx context.Context) (err error) {
	a.streams, err = stream.Open(ctx, a.conn)
	if a.cfg.EmbeddedNATS() && (err == nil || errors.Is(err, fault.ErrNotFound)) {
		if a.streams, err = a.ownStreams(ctx, err); err != nil {
			return err
		}
	}
	return err
}

// ownStreams creates the streams of an installation that is new, and brings
// those of an older one up to date. That streams are missing which once held
// profiles is never repaired silently: it would hide a loss.
func (a *App) ownStreams(ctx context.Context, missing error) (*stream.Streams, error) {
	if missing != nil {
		used, err := a.store.Used(ctx)
		if err != nil {
			return nil, err
		}
		if used {
			return nil, fmt.Errorf("the database knows profiles, but the streams that held them are gone from %s: run \"kobling rebuild stream\", or restore that directory from a backup: %w",
				filepath.Join(a.cfg.DataDir, "nats"), missing)
		}
	}
	if err := stream.Migrate(ctx, a.conn, streamConfig(a.cfg)); err != nil {
		return nil, err
	}
	return stream.Open(ctx, a.conn)
}

func streamConfig(cfg config.Config) stream.Config {
	return stream.Config{Replicas: cfg.NATSReplicas, MaxBytes: cfg.StreamMaxMiB << 20}
}

func (a *App) openIndex(ctx context.Context) error {
	if !a.cfg.Has(config.RoleMatch) && !a.cfg.Has(config.RoleAPI) {
		return nil
	}
	generation, err := a.store.IndexGeneration(ctx)
	if err != nil {
		return err
	}
	now := &era{epoch: a.now.Load().epoch, generation: generation}
	if now.index, err = a.newIndex(now); err != nil {
		return err
	}
	a.now.Store(now)
	a.onClose(func() error { return a.now.Load().index.Close() })
	return a.removeIndexes(now)
}

// newIndex opens the index of an era, which is empty if the era is new here.
func (a *App) newIndex(e *era) (*index.Index, error) {
	return index.Open(filepath.Join(a.cfg.DataDir, "index"), index.Options{Epoch: IndexName(e.epoch, e.generation), Log: a.log.Named("index")})
}

func (a *App) openMail(ctx context.Context) error {
	if !a.cfg.Has(config.RoleNotify) || a.cfg.SMTPURL != "" {
		return nil
	}
	sink, err := mail.NewSink(ctx, a.mailDir())
	if err != nil {
		return err
	}
	a.sink = sink
	return nil
}

func (a *App) mailDir() string { return filepath.Join(a.cfg.DataDir, "mail") }

func (a *App) openHTTP(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", a.cfg.HTTPListen)
	if err != nil {
		return fmt.Errorf("HTTP: %w (choose another address with --http-listen; port 0 takes a free one)", err)
	}
	a.http = l
	a.onClose(func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return nil
}

func (a *App) saveTenants(ctx context.Context) error {
	for _, c := range a.cfg.Clusters {
		if err := a.store.SaveCluster(ctx, store.Cluster{ID: c.ID, Name: c.Name, Enrolment: store.Enrolment(c.Enrolment), Review: c.Review}); err != nil {
			return err
		}
	}
	for _, n := range a.cfg.Networks {
		if err := a.store.SaveNetwork(ctx, store.Network{ID: n.ID, Name: n.Name, Clusters: n.Clusters}); err != nil {
			return err
		}
	}
	return nil
}

// Info says how to reach the process.
func (a *App) Info() RunInfo {
	r := RunInfo{PID: os.Getpid(), Version: a.options.Version, NATSURL: a.cfg.NATSURL, HTTP: "http://" + a.http.Addr().String()}
	if a.nats != nil {
		r.NATSURL, r.NATSUser, r.NATSPassword = a.nats.ClientURL(), embedded.LocalUser, a.nats.Password()
		r.OperatorPassword = a.nats.OperatorPassword()
	}
	if a.postgres != nil {
		r.DatabaseURL = a.postgres.URL()
	}
	if a.sink != nil {
		r.MailDir = a.mailDir()
	}
	return r
}

func (a *App) writeRunInfo() error {
	if err := writeRunInfo(a.cfg.DataDir, a.Info()); err != nil {
		return err
	}
	a.onClose(func() error { return os.Remove(runInfoPath(a.cfg.DataDir)) })
	return nil
}

// Client returns a client of the service in this process.
func (a *App) Client() *Client { return &Client{conn: a.conn} }

// prefixes reads the ranges that webhooks may reach; they were checked with the
// settings.
func prefixes(cidrs []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, c := range cidrs {
		p, err := netip.ParsePrefix(c)
		if err != nil {
			return nil, fmt.Errorf("webhook-allow-private: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}
