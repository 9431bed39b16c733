package testkit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"kobling/internal/embedded"
)

// Migrate brings an empty database to the schema that a test needs.
type Migrate = func(ctx context.Context, databaseURL string) error

const (
	databasePrefix = "kobling_test_"
	serverDirs     = "kobling-testserver-*"
	setupLimit     = 2 * time.Minute
)

// database is the one PostgreSQL server of this test binary, started by the
// first test that asks.
var database struct {
	start   sync.Once
	err     error
	url     string // of the server, through any of its databases
	dir     string // of our own server, else ""
	server  *embedded.Postgres
	mu      sync.Mutex
	schemas map[uintptr]*schema
}

// schema is a migrated database that others are copied from.
type schema struct {
	migrate sync.Once
	name    string
	err     error
}

// Main runs the tests of a package and ends the servers they shared. Call it
// from TestMain and return: the test binary exits with the code by itself. Main
// returns it too.
func Main(m *testing.M) int {
	code := m.Run()
	if database.url != "" {
		dropSchemas()
	}
	if database.server != nil {
		_ = database.server.Stop() // it is thrown away: how it ends does not matter
		_ = os.RemoveAll(database.dir)
	}
	return code
}

// DatabaseURL returns the address of a new database that is this test's alone
// and is dropped afterwards. It is a copy of one on which migrate ran, once in
// the test binary; migrate is known by its function, so it must not depend on
// variables around it. With a nil migrate the database is empty.
func DatabaseURL(tb testing.TB, migrate Migrate) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	database.start.Do(func() { database.err = startDatabase(ctx) })
	if database.err != nil {
		tb.Fatal("testkit:", database.err)
	}
	template, err := migrated(ctx, migrate)
	if err != nil {
		tb.Fatal("testkit: prepare the database:", err)
	}
	name := databasePrefix + strings.ToLower(rand.Text())
	if err := execute(ctx, fmt.Sprintf(`CREATE DATABASE %s TEMPLATE %s`, name, template)); err != nil {
		tb.Fatal("testkit: create a database:", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), setupLimit) // outlives the test's own
		defer cancel()
		if err := execute(ctx, fmt.Sprintf(`DROP DATABASE IF EXISTS %s WITH (FORCE)`, name)); err != nil {
			tb.Error("testkit: drop the database:", err)
		}
	})
	return withDatabase(database.url, name)
}

// Postgres returns a small pool on a database from [DatabaseURL]; it is closed
// when the test ends.
func Postgres(tb testing.TB, migrate Migrate) *pgxpool.Pool {
	tb.Helper()
	config, err := pgxpool.ParseConfig(DatabaseURL(tb, migrate))
	if err != nil {
		tb.Fatal("testkit:", err)
	}
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		tb.Fatal("testkit:", err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

// ExternalDatabase returns the address of the PostgreSQL server that the tests
// were told to use, "" for their own.
func ExternalDatabase() string {
	if u := os.Getenv("KOBLING_TEST_DATABASE_URL"); u != "" {
		return u
	}
	return os.Getenv("KOBLING_DATABASE_URL")
}

func startDatabase(ctx context.Context) error {
	database.schemas = map[uintptr]*schema{}
	if database.url = ExternalDatabase(); database.url != "" {
		return nil
	}
	sweep()
	dir, err := passableDir(serverDirs)
	if err != nil {
		return err
	}
	database.dir = dir
	database.server, err = embedded.StartPostgres(ctx, embedded.PostgresOptions{Dir: dir, Throwaway: true, Log: zap.NewNop()})
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	database.url = database.server.URL()
	return nil
}

// passableDir makes a new directory under the system's temporary one that
// everybody can pass through.
func passableDir(pattern string) (string, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

// sweep removes what test binaries left that were killed, or had no [Main].
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), serverDirs)) // a constant, well-formed pattern
	for _, dir := range dirs {
		// A young directory may belong to somebody who is just about to lock it.
		if info, err := os.Stat(dir); err != nil || time.Since(info.ModTime()) < 10*time.Minute {
			continue
		}
		lock, err := os.Open(filepath.Join(dir, "lock"))
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir) // another user's stays
		}
		_ = lock.Close()
	}
}

// migrated returns the name of the database on which migrate has run.
func migrated(ctx context.Context, migrate Migrate) (string, error) {
	if migrate == nil {
		return "template0", nil
	}
	key := reflect.ValueOf(migrate).Pointer()
	database.mu.Lock()
	s, ok := database.schemas[key]
	if !ok {
		s = &schema{name: databasePrefix + "schema_" + strings.ToLower(rand.Text())}
		database.schemas[key] = s
	}
	database.mu.Unlock()
	s.migrate.Do(func() {
		if s.err = execute(ctx, `CREATE DATABASE `+s.name); s.err != nil {
			return
		}
		if s.err = migrate(ctx, withDatabase(database.url, s.name)); s.err != nil {
			return
		}
		// A database can be copied only while nobody is connected to it.
		s.err = execute(ctx, fmt.Sprintf(`ALTER DATABASE %s WITH ALLOW_CONNECTIONS false`, s.name))
	})
	return s.name, s.err
}

// dropSchemas clears what no single test owns from a server that is not ours.
func dropSchemas() {
	if database.server != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	for _, s := range database.schemas {
		_ = execute(ctx, fmt.Sprintf(`DROP DATABASE IF EXISTS %s WITH (FORCE)`, s.name)) // the tests are over
	}
}

// execute runs one statement that PostgreSQL does not allow in a transaction.
func execute(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, database.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// withDatabase returns the address of another database of the same server.
func withDatabase(server, name string) string {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" { // "host=… dbname=…": the last word counts
		return server + " dbname=" + name
	}
	u.Path = "/" + name
	return u.String()
}
