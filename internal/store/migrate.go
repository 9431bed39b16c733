package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"go.uber.org/zap"

	"kobling/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The advisory locks of this product; River's own keys are hashes.
const (
	lockMigrate int64 = 0x6b6f626c01 // one migrates at a time
	lockWorker  int32 = 0x6b6f62     // first half of the lock that says "this job client is alive"
)

// Migrate brings the database at url to the schema of this program: our own
// tables, then River's. Any number of processes may call it at once; one does
// the work and the others find it done.
func Migrate(ctx context.Context, url string) error {
	cfg, err := poolConfig(url, Options{MaxConns: 4})
	if err != nil {
		return err
	}
	cfg.ConnConfig.RuntimeParams["statement_timeout"] = "0" // an index takes as long as it takes
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer pool.Close()

	unlock, err := lockMigrations(ctx, pool)
	if err != nil {
		return fmt.Errorf("migrate: %w", classify(err))
	}
	defer unlock()
	if err := migrateTables(ctx, pool); err != nil {
		return fmt.Errorf("migrate: %w", classify(err))
	}
	// Migrate, not MigrateTx: PostgreSQL 15 cannot use a new enum value in the
	// transaction that adds it.
	jobs, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slogger(zap.NewNop())})
	if err != nil {
		return fmt.Errorf("migrate jobs: %w", err)
	}
	if _, err := jobs.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate jobs: %w", classify(err))
	}
	return nil
}

// lockMigrations takes the lock that covers both sets of migrations. It asks
// again and again instead of waiting inside one statement: a session that waits
// in a statement holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for
// that snapshot while the session waits for it.
func lockMigrations(ctx context.Context, pool *pgxpool.Pool) (unlock func(), err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var ok bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, lockMigrate).Scan(&ok); err != nil {
			conn.Release()
			return nil, err
		}
		if ok {
			// Closing the session is the one way of unlocking that cannot fail.
			return func() { _ = conn.Hijack().Close(context.WithoutCancel(ctx)) }, nil
		}
		select {
		case <-ctx.Done():
			conn.Release()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

func migrateTables(ctx context.Context, pool *pgxpool.Pool) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	// Our own lock is held; goose's keeps out a goose command run by hand.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(pool)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return errors.Join(err, db.Close())
	}
	_, err = provider.Up(ctx)
	return errors.Join(err, provider.Close())
}

// CheckVersion returns nil if the schema of the database at url is the one this
// program knows, and otherwise an error that says what to do.
func CheckVersion(ctx context.Context, url string) error {
	cfg, err := poolConfig(url, Options{MaxConns: 2})
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	defer pool.Close()
	return checkVersion(ctx, pool, zap.NewNop())
}

const selectVersion = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`

func checkVersion(ctx context.Context, pool *pgxpool.Pool, log *zap.Logger) error {
	var have int64
	err := pool.QueryRow(ctx, selectVersion).Scan(&have)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == "42P01" { // no such table: never migrated
		have, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("check schema: %w", classify(err))
	}
	want, err := newestMigration()
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	switch {
	case have == 0:
		return fmt.Errorf("%w: the database has no kobling schema yet: run \"kobling migrate\"", fault.ErrInvalid)
	case have < want:
		return fmt.Errorf("%w: the database schema is at version %d, this program needs %d: run \"kobling migrate\"", fault.ErrInvalid, have, want)
	case have > want:
		return fmt.Errorf("%w: the database schema is at version %d, this program knows only %d: start the newer kobling that migrated it", fault.ErrInvalid, have, want)
	}
	return checkJobs(ctx, pool, log)
}

// checkJobs does the same for River's tables. Validation writes nothing.
func checkJobs(ctx context.Context, pool *pgxpool.Pool, log *zap.Logger) error {
	driver := riverpgxv5.New(pool)
	jobs, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slogger(log)})
	if err != nil {
		return fmt.Errorf("check schema of jobs: %w", err)
	}
	res, err := jobs.Validate(ctx, nil)
	if err != nil {
		return fmt.Errorf("check schema of jobs: %w", classify(err))
	}
	if !res.OK {
		return fmt.Errorf("%w: the job queue's tables are older than this program: run \"kobling migrate\"", fault.ErrInvalid)
	}
	return nil
}

// NewestSchema returns the version of the schema that this program makes.
func NewestSchema() (int64, error) { return newestMigration() }

// Schema returns the version of the database's schema.
func (s *Store) Schema(ctx context.Context) (int64, error) {
	var have int64
	if err := s.pool.QueryRow(ctx, selectVersion).Scan(&have); err != nil {
		return 0, fmt.Errorf("schema: %w", classify(err))
	}
	return have, nil
}

const (
	selectTables = `
SELECT count(*), count(*) FILTER (WHERE c.relname = 'goose_db_version')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')`

	selectHolds = `
SELECT EXISTS (SELECT FROM profile) OR EXISTS (SELECT FROM rejection) OR EXISTS (SELECT FROM subscription) OR EXISTS (SELECT FROM decision)`

	dropAll = `DROP SCHEMA public CASCADE; CREATE SCHEMA public`
)

// Clear removes the tables of the database at url, if they hold nothing but what a
// start puts there. The error wraps fault.ErrConflict if they do, or are not ours.
func Clear(ctx context.Context, url string) error {
	cfg, err := poolConfig(url, Options{MaxConns: 1})
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("clear the database: %w", err)
	}
	defer pool.Close()
	var tables, ours int
	if err := pool.QueryRow(ctx, selectTables).Scan(&tables, &ours); err != nil {
		return fmt.Errorf("clear the database: %w", classify(err))
	}
	used := tables > 0
	if ours > 0 {
		if err := pool.QueryRow(ctx, selectHolds).Scan(&used); err != nil {
			return fmt.Errorf("clear the database: %w", classify(err))
		}
	}
	switch {
	case used:
		return fmt.Errorf("the database holds something: %w", fault.ErrConflict)
	case tables == 0:
		return nil
	}
	if _, err := pool.Exec(ctx, dropAll); err != nil {
		return fmt.Errorf("clear the database: %w", classify(err))
	}
	return nil
}

// newestMigration returns the number of the last file in migrations.
func newestMigration() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted by name
	if err != nil || len(files) == 0 {
		return 0, errors.Join(err, errors.New("no migrations"))
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(files[len(files)-1], "migrations/"), "_")
	return strconv.ParseInt(number, 10, 64)
}
