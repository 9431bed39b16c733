// Package rig is what a measurement stands on: the servers, a database, a stream that
// fills with the profiles of a corpus, the matcher as a process of its own, and the
// instruments.
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kobling/internal/bench/corpus"
	"kobling/internal/embedded"
	"kobling/internal/epoch"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/store"
	"kobling/internal/stream"
)

// inFlight is how many messages are published at once.
const inFlight = 64

// Rig is the servers of a measurement and what is in them.
type Rig struct {
	Dir     string // where they keep it
	Corpus  *corpus.Corpus
	Epoch   *score.Epoch
	Created time.Time // when PROFILES was

	nats     *embedded.NATS
	postgres *embedded.Postgres
	conn     *stream.Conn
	streams  *stream.Streams
	store    *store.Store
	pool     *pgxpool.Pool // for the measurement's own questions
	server   int           // process id of PostgreSQL

	published int // profiles of the corpus that are in PROFILES: the nth has sequence n+1, give or take those in flight
}

// Open starts the servers in dir, whose parents everybody may pass, with the PostgreSQL
// programs of a folder, "" for those of the machine. Close them after use.
func Open(ctx context.Context, c *corpus.Corpus, dir, binaries string) (_ *Rig, err error) {
	r := &Rig{Dir: dir, Corpus: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.nats, err = embedded.StartNATS(ctx, embedded.NATSOptions{
		Dir: filepath.Join(dir, "nats"), Listen: "127.0.0.1:0", Service: true, Log: zap.NewNop(),
	}); err != nil {
		return nil, err
	}
	options := stream.Options{Name: "bench"}
	options.Driver = append(options.Driver, r.nats.ConnectOption())
	if r.conn, err = stream.Connect(ctx, options); err != nil {
		return nil, err
	}
	if err := stream.Migrate(ctx, r.conn, stream.Config{FirstIntake: submissions}); err != nil {
		return nil, err
	}
	if r.streams, err = stream.Open(ctx, r.conn); err != nil {
		return nil, err
	}
	info, err := r.streams.Info(ctx)
	if err != nil {
		return nil, err
	}
	r.Created = info.Created
	if r.postgres, err = embedded.StartPostgres(ctx, embedded.PostgresOptions{
		Dir: filepath.Join(dir, "postgres"), Binaries: binaries, Log: zap.NewNop(),
	}); err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx, r.postgres.URL()); err != nil {
		return nil, err
	}
	return r, r.OpenStore(ctx)
}

// OpenStore connects to the database.
func (r *Rig) OpenStore(ctx context.Context) (err error) {
	if r.store, err = store.Open(ctx, r.postgres.URL(), store.Options{}); err != nil {
		return err
	}
	if r.pool, err = pgxpool.New(ctx, r.postgres.URL()); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	var backend int
	if err := r.pool.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&backend); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	r.server, err = parentOf(backend)
	return err
}

// CloseStore ends all connections to the database.
func (r *Rig) CloseStore() {
	if r.pool != nil {
		r.pool.Close()
		r.pool = nil
	}
	if r.store != nil {
		r.store.Close()
		r.store = nil
	}
}

// Close ends everything.
func (r *Rig) Close() error {
	r.CloseStore()
	if r.conn != nil {
		r.conn.Close()
	}
	if r.nats != nil {
		r.nats.Stop()
	}
	if r.postgres != nil {
		return r.postgres.Stop()
	}
	return nil
}

// submissions is where INTAKE begins: behind all that the profiles' submissions can
// have been, for they never were there, and a service stops when INTAKE has lost some.
const submissions = 1 << 40

// statistics is how many profiles the epoch's statistics are made of, at most.
const statistics = 10_000

// Begin makes the epoch of a corpus that has n profiles, and makes it the active one.
func (r *Rig) Begin(ctx context.Context, n int, progress func(done, total int)) error {
	bare, err := score.DefaultEpoch(1)
	if err != nil {
		return err
	}
	size := min(n, statistics)
	background, err := epoch.Background(ctx, bare.Analyzer(), func(yield func([]profile.Text, error) bool) {
		for i := range size {
			if !yield(r.Corpus.Profile(i*n/size).Texts, nil) {
				return
			}
			progress(i+1, size)
		}
	})
	if err != nil {
		return err
	}
	model := score.Model{Background: background}
	if r.Epoch, err = model.Epoch(1); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := model.Write(&b); err != nil {
		return err
	}
	return r.store.SetEpoch(ctx, 1, r.Epoch.Fingerprint(), b.Bytes(), nil)
}

// Letter is a profile of the corpus, ready to be published.
type Letter struct {
	Profile *profile.Profile
	Message event.Message
	id      string // of the message
}

// letters are the next n profiles of the corpus.
func (r *Rig) letters(n int) ([]Letter, error) {
	list := make([]Letter, n)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range list {
		g.Go(func() (err error) {
			list[i], err = r.Letter(r.published + i)
			return err
		})
	}
	return list, g.Wait()
}

// Letter is the nth profile of the corpus.
func (r *Rig) Letter(n int) (Letter, error) {
	p := r.Corpus.Profile(n)
	rev := event.Revision{ID: p.ID, IntakeSeq: uint64(n) + 1, Revision: p.Revision, Status: p.Status, Profile: p} //nolint:gosec // not negative
	m, err := event.EncodeRevision(rev)
	return Letter{p, m, rev.MessageID()}, err
}

// Publish publishes the profiles of the corpus up to the nth that are not there yet.
func (r *Rig) Publish(ctx context.Context, n int, progress func(done, total int)) error {
	const some = 1000
	for from := r.published; r.published < n; progress(r.published-from, n-from) {
		list, err := r.letters(min(some, n-r.published))
		if err == nil {
			err = r.post(ctx, list)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// post publishes the next letters, some at once.
func (r *Rig) post(ctx context.Context, list []Letter) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for i := range list {
		g.Go(func() error { return r.postOne(ctx, &list[i]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.published += len(list)
	return nil
}

func (r *Rig) postOne(ctx context.Context, l *Letter) error {
	_, err := r.streams.Publish(ctx, l.Message, l.id, 0)
	return err
}

// Published is how many profiles of the corpus are in PROFILES.
func (r *Rig) Published() int { return r.published }

// Last is the sequence of the last message published.
func (r *Rig) Last() uint64 { return uint64(r.published) } //nolint:gosec // not negative

// Follow hands out the messages of PROFILES after the sequence after up to until, at
// most batch at once, in order.
func (r *Rig) Follow(ctx context.Context, after, until uint64, batch int, handle func(context.Context, []event.Message) error) error {
	if after >= until {
		return nil
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	f := &stream.Follower{From: r.streams, Created: r.Created, Log: zap.NewNop()}
	reached := after
	err := f.Run(ctx, after+1, func(ctx context.Context, ms []event.Message) error {
		for len(ms) > 0 && reached < until {
			n := min(batch, len(ms))
			for n > 0 && ms[n-1].Sequence > until {
				n--
			}
			if err := handle(ctx, ms[:n]); err != nil {
				return err
			}
			reached, ms = ms[n-1].Sequence, ms[n:]
		}
		if reached >= until {
			done()
		}
		return nil
	})
	if err == nil && reached < until {
		err = context.Cause(ctx)
	}
	return err
}

// DatabaseVersion is that of PostgreSQL.
func (r *Rig) DatabaseVersion(ctx context.Context) (version string, err error) {
	if err := r.pool.QueryRow(ctx, `SHOW server_version`).Scan(&version); err != nil {
		return "", fmt.Errorf("database: %w", err)
	}
	return version, nil
}

// Sizes are the bytes of the service's database and of PROFILES.
func (r *Rig) Sizes(ctx context.Context) (database, profiles int64, err error) {
	if err := r.pool.QueryRow(ctx, `SELECT pg_database_size(current_database())`).Scan(&database); err != nil {
		return 0, 0, fmt.Errorf("database: %w", err)
	}
	info, err := r.streams.Info(ctx)
	return database, int64(info.Bytes), err //nolint:gosec // bytes on a disk
}

// CopyDatabase makes a copy of the service's database, to which nobody may be
// connected, and returns its address.
func (r *Rig) CopyDatabase(ctx context.Context, name string) (string, error) {
	err := r.administer(ctx, `CREATE DATABASE `+name+` TEMPLATE kobling STRATEGY file_copy`)
	return r.database(name), err
}

// CreateDatabase makes an empty database and returns its address.
func (r *Rig) CreateDatabase(ctx context.Context, name string) (string, error) {
	err := r.administer(ctx, `CREATE DATABASE `+name)
	return r.database(name), err
}

// DropDatabase removes a database, whoever is connected to it.
func (r *Rig) DropDatabase(ctx context.Context, name string) error {
	return r.administer(ctx, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`)
}

// administer runs a statement that concerns a whole database; its names are ours.
func (r *Rig) administer(ctx context.Context, statement string) (err error) {
	c, err := pgx.Connect(ctx, r.database("postgres"))
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	if _, err := c.Exec(ctx, statement); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

// database returns the address of a database of the server.
func (r *Rig) database(name string) string {
	u, err := url.Parse(r.postgres.URL())
	if err != nil { // it was made by url.URL
		return ""
	}
	u.Path = "/" + name
	return u.String()
}
