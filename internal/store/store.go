// Package store keeps everything in PostgreSQL: the heads, pairs and
// notifications of the match protocol, the tenants, and River's jobs. It owns
// all SQL, and nothing of PostgreSQL leaves it. What its transactions must do,
// and why, is said in package match; here is how.
//
// Lock order everywhere: the turn (active_epoch) → profile → suggestion → pair →
// notification, each by key.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
	"go.uber.org/zap/zapcore"

	"kobling/internal/fault"
)

// Options are what Open needs besides an address. The zero value is usable.
type Options struct {
	Log      *zap.Logger // nil: none
	MaxConns int32       // 0: 16; River's listener and its liveness lock take one each
}

// Store is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	jobs *river.Client[pgx.Tx] // inserts only; RunJobs has a client of its own
	log  *zap.Logger
}

// sessionDefaults bound what one statement or a forgotten transaction can do to
// everybody else. The address may set others. Compiling these short queries
// costs more than running them, hence no jit.
//
// Each statement is planned for what it is asked, and no plan is kept: one made
// while the tables were small reads them whole until autovacuum has looked. Into
// an empty database go the first 8,000 profiles in 8 s (BenchmarkFill), 16,000
// in 20; with plans kept it is 15 s and 55. For that the transaction of a single
// profile takes 5 ms and not 3.5 (BenchmarkCommit); of 16 or more it is the same.
var sessionDefaults = map[string]string{
	"application_name":                    "kobling",
	"statement_timeout":                   "15s",
	"lock_timeout":                        "5s",
	"idle_in_transaction_session_timeout": "30s",
	"timezone":                            "UTC",
	"jit":                                 "off",
	"plan_cache_mode":                     "force_custom_plan",
}

// Open connects to the database at url and checks that its schema is the one
// this program knows; see CheckVersion.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	cfg, err := poolConfig(url, o)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{pool: pool, log: o.Log}
	if err := checkVersion(ctx, pool, o.Log); err != nil {
		pool.Close()
		return nil, err
	}
	s.jobs, err = river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: slogger(o.Log)})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open job queue: %w", err)
	}
	return s, nil
}

// Close waits until every connection is returned and closes them.
func (s *Store) Close() { s.pool.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ping database: %w", classify(err))
	}
	return nil
}

func poolConfig(url string, o Options) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	for name, value := range sessionDefaults {
		if _, set := cfg.ConnConfig.RuntimeParams[name]; !set {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	}
	cfg.MaxConns = 16
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	cfg.MaxConnLifetime = time.Hour
	cfg.MaxConnLifetimeJitter = 10 * time.Minute // not all replicas reconnect at once
	cfg.PingTimeout = 2 * time.Second
	return cfg, nil
}

// slogger lets River, which speaks slog, write into our log: warnings and
// worse, for it says at Info that it starts and stops its parts.
func slogger(log *zap.Logger) *slog.Logger {
	return slog.New(zapslog.NewHandler(warnings{log.Named("river").Core()}, zapslog.WithName("river")))
}

// warnings is a core without its lower levels. zap.IncreaseLevel complains when
// the core is quieter than that already.
type warnings struct{ zapcore.Core }

// Enabled implements zapcore.Core.
func (w warnings) Enabled(l zapcore.Level) bool { return l >= zap.WarnLevel && w.Core.Enabled(l) }

// With implements zapcore.Core.
func (w warnings) With(fields []zap.Field) zapcore.Core { return warnings{w.Core.With(fields)} }

// Check implements zapcore.Core.
func (w warnings) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !w.Enabled(e.Level) {
		return ce
	}
	return w.Core.Check(e, ce)
}

// attempts is how often a transaction is tried that PostgreSQL ended to resolve
// a deadlock or a serialisation failure.
const attempts = 4

// inTx runs fn in a READ COMMITTED transaction, the whole of it again when
// PostgreSQL asks for that. fn must therefore leave nothing behind but what it
// wrote through tx. The error carries its kind of fault.
func (s *Store) inTx(ctx context.Context, what string, fn func(pgx.Tx) error) error {
	var err error
	for n := range attempts {
		if n > 0 {
			pause := time.NewTimer(time.Duration(n) * (5*time.Millisecond + rand.N(20*time.Millisecond))) //nolint:gosec // jitter is no secret
			select {
			case <-ctx.Done():
				pause.Stop()
				return fmt.Errorf("%s: %w", what, ctx.Err())
			case <-pause.C:
			}
		}
		err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, fn)
		if !tryAgain(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, classify(err))
	}
	return nil
}

// tryAgain reports whether err is a deadlock or a serialisation failure.
func tryAgain(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pgErr.Code == "40001" || pgErr.Code == "40P01")
}

// exec runs one statement outside a transaction.
func (s *Store) exec(ctx context.Context, what, query string, args pgx.NamedArgs) (pgconn.CommandTag, error) {
	tag, err := s.pool.Exec(ctx, query, args)
	if err != nil {
		return tag, fmt.Errorf("%s: %w", what, classify(err))
	}
	return tag, nil
}

// rows runs one query and collects its rows by scan.
func rows[T any](ctx context.Context, s *Store, what, query string, args pgx.NamedArgs, scan pgx.RowToFunc[T]) ([]T, error) {
	r, err := s.pool.Query(ctx, query, args)
	if err == nil {
		var all []T
		if all, err = pgx.CollectRows(r, scan); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", what, classify(err))
}

// notFound returns the error for a thing that is not there.
func notFound(what, id string) error {
	return fmt.Errorf("%s %s: %w", what, id, fault.ErrNotFound)
}
