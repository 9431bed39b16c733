package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
)

const (
	superuser    = "postgres" // of the cluster; nobody but the process can reach its socket
	databaseName = "kobling"
	startLimit   = 2 * time.Minute // crash recovery included
)

// PostgresOptions say where and how a private PostgreSQL cluster runs.
type PostgresOptions struct {
	// Dir holds the cluster, its lock and its log; it is made when missing. For
	// a root process every directory above it must be open to the account that
	// PostgreSQL runs as, since that is never root.
	Dir string
	// Binaries is the directory of initdb and postgres; "" searches the machine.
	Binaries string
	// Throwaway gives up durability for speed. For tests only: a crash of the
	// machine destroys such a cluster.
	Throwaway bool
	Log       *zap.Logger
}

// Postgres is a running private PostgreSQL server.
type Postgres struct {
	cluster   *cluster
	lock      *dirLock
	throwaway bool
	logName   string
	logStart  int64 // size of the log when this server started

	cmd      *exec.Cmd
	done     chan struct{} // closed once the server has exited
	exit     error         // its exit status; read after done
	stopping atomic.Bool
}

// StartPostgres starts the cluster in o.Dir, making it first if need be, and
// returns when its database "kobling" takes connections. It returns an error
// wrapping [ErrInUse] when the cluster already has a keeper and
// [ErrNoBinaries] when the machine has no PostgreSQL. ctx bounds the start
// only. The caller must call Stop.
func StartPostgres(ctx context.Context, o PostgresOptions) (_ *Postgres, err error) {
	dir, err := postgresDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	p := &Postgres{lock: lock, throwaway: o.Throwaway, logName: filepath.Join(dir, "postgres.log")}
	if err := p.start(ctx, dir, o); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", errors.Join(err, p.Stop()))
	}
	return p, nil
}

// postgresDir makes dir and returns it without symbolic links, as PostgreSQL
// itself sees it. Root's is open to the server's account, which may pass
// through but can list nothing.
func postgresDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if os.Geteuid() != 0 {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", err
		}
		return filepath.EvalSymlinks(dir)
	}
	if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // see above
		return "", err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if uid, _ := owner(info); uid == 0 && info.Mode()&0o001 == 0 {
		if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // see above
			return "", err
		}
	}
	return filepath.EvalSymlinks(dir)
}

func (p *Postgres) start(ctx context.Context, dir string, o PostgresOptions) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	begun := time.Now()

	var err error
	if p.cluster, err = openCluster(ctx, dir, o.Binaries, o.Log); err != nil {
		return err
	}
	if err := p.cluster.create(ctx, o.Throwaway); err != nil {
		return err
	}
	if err := p.cluster.clear(ctx); err != nil {
		return err
	}
	if err := p.launch(ctx); err != nil {
		return err
	}
	if err := p.ready(ctx); err != nil {
		return err
	}
	o.Log.Info("PostgreSQL is up",
		zap.String("dir", dir), zap.Int("version", p.cluster.bin.major), zap.String("account", p.cluster.account.name),
		zap.Int("pid", p.cmd.Process.Pid), zap.Duration("took", time.Since(begun)))
	return nil
}

// launch starts the postmaster and the goroutine that waits for its end.
func (p *Postgres) launch(ctx context.Context) error {
	logFile, err := p.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }() // the server has its own copy

	args := []string{"-D", p.cluster.data, "-k", p.cluster.sockets, "-h", ""}
	for _, setting := range p.settings() {
		args = append(args, "-c", setting)
	}
	// The context bounds the start, not the server's life.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.cluster.bin.path("postgres"), args...) //nolint:gosec // the operator's own installation
	cmd.Dir, cmd.Env = "/", cleanEnv()
	cmd.Stdout, cmd.Stderr = logFile, logFile
	onDeath := syscall.SIGINT // roll back, write everything, end
	if p.throwaway {
		onDeath = syscall.SIGQUIT
	}
	cmd.SysProcAttr = postmasterAttr(p.cluster.account.credential(), onDeath)

	started, done := make(chan error), make(chan struct{})
	go func() {
		// The kernel takes the end of the starting *thread* for the death of the
		// parent, so that thread must live as long as the server.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.exit = cmd.Wait()
		}
		close(done)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("run postgres as user %q: %w", p.cluster.account.name, err)
	}
	p.cmd, p.done = cmd, done
	return nil
}

// settings are what a private cluster of one program needs; the rest is
// PostgreSQL's default or the operator's postgresql.conf.
func (p *Postgres) settings() []string {
	s := []string{
		"unix_socket_permissions=0700",
		"jit=off", // short queries: compiling costs more than it saves
		"timezone=UTC",
		"log_timezone=UTC",
		"log_checkpoints=off",
	}
	if p.throwaway {
		return append(s, "max_connections=300", "shared_buffers=64MB", "fsync=off", "synchronous_commit=off",
			"full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")
	}
	return append(s, "max_connections=60", "shared_buffers=128MB")
}

// errExited is what ready returns when the server has ended by itself.
var errExited = errors.New("the server exited")

// ready waits until the server answers and has the database.
func (p *Postgres) ready(ctx context.Context) error {
	for {
		err := p.createDatabase(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%w; its log %s ends:\n%s", p.exited(), p.logName, p.logTail())
		case <-ctx.Done():
			return fmt.Errorf("no answer (%w): %w; the log %s ends:\n%s", ctx.Err(), err, p.logName, p.logTail())
		default:
			wait(ctx, 20*time.Millisecond)
		}
	}
}

// createDatabase makes the product's database if it is not there.
func (p *Postgres) createDatabase(ctx context.Context) (err error) {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, databaseName).Scan(&exists); err != nil {
		return err
	}
	if exists {
		return nil
	}
	_, err = conn.Exec(ctx, `CREATE DATABASE `+databaseName)
	return err
}

// URL returns the address of the database "kobling", for pgx and for psql. It
// stays the same from start to start in the same directory.
func (p *Postgres) URL() string { return p.url(databaseName) }

func (p *Postgres) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database}
	u.RawQuery = url.Values{"host": {p.cluster.sockets}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// Done is closed once the server has exited, asked or not.
func (p *Postgres) Done() <-chan struct{} { return p.done }

// Err says why the server exited by itself; nil while it runs and after Stop.
// It quotes the end of the server's log.
func (p *Postgres) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	if p.stopping.Load() {
		return nil
	}
	return fmt.Errorf("PostgreSQL: %w; its log %s ends:\n%s", p.exited(), p.logName, p.logTail())
}

// exited says how the server ended.
func (p *Postgres) exited() error {
	if p.exit == nil {
		return errExited
	}
	return fmt.Errorf("%w (%w)", errExited, p.exit)
}

// Stop ends the server: open transactions are rolled back, everything is
// written. It waits for the end, harder from step to step, and is safe to
// repeat. It returns an error only if the server had to be killed.
func (p *Postgres) Stop() error {
	p.stopping.Store(true)
	err := p.stopServer()
	p.lock.release()
	return err
}

func (p *Postgres) stopServer() error {
	if p.cmd == nil { // never launched
		return nil
	}
	steps := []struct {
		sig  syscall.Signal
		wait time.Duration
	}{
		{syscall.SIGINT, fastShutdown},
		{syscall.SIGQUIT, immediateShutdown},
		{syscall.SIGKILL, immediateShutdown},
	}
	if p.throwaway {
		steps = steps[1:]
	}
	for _, step := range steps {
		// After Wait this is ErrProcessDone, never a signal to somebody else.
		_ = p.cmd.Process.Signal(step.sig)
		select {
		case <-p.done:
			if step.sig == syscall.SIGKILL {
				return errors.New("stop PostgreSQL: it did not end in time and was killed; the next start will recover")
			}
			_ = os.Remove(p.cluster.sockets) // only when empty: a killed server leaves its socket
			return nil
		case <-time.After(step.wait):
		}
	}
	return fmt.Errorf("stop PostgreSQL: process %d does not end", p.cmd.Process.Pid)
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
