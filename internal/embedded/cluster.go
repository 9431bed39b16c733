package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// How long a server on its way out is waited for before the next, harder signal.
const (
	fastShutdown      = 15 * time.Second
	immediateShutdown = 5 * time.Second
)

// maxSocketPath is the longest path of a Unix socket that every system accepts.
const maxSocketPath = 103

// cluster is a PostgreSQL cluster on disk, whether or not a server runs on it.
type cluster struct {
	dir     string // holds everything below, and the lock
	data    string
	sockets string // directory of the server's socket
	account account
	bin     binaries
	log     *zap.Logger
}

// open finds the account and the programs for the cluster in dir, and makes the
// directory of its socket.
func openCluster(ctx context.Context, dir, bin string, log *zap.Logger) (*cluster, error) {
	c := &cluster{dir: dir, data: filepath.Join(dir, "data"), log: log}
	var err error
	if c.account, err = chooseAccount(c.data); err != nil {
		return nil, err
	}
	if err := c.account.mayEnter(dir); err != nil {
		return nil, err
	}
	major, err := c.major()
	if err != nil {
		return nil, err
	}
	if c.bin, err = findBinaries(ctx, bin, major); err != nil {
		return nil, err
	}
	// The socket lives beside the data unless that path is too long for one.
	c.sockets = filepath.Join(dir, "run")
	if len(c.sockets)+len("/.s.PGSQL.5432.lock") > maxSocketPath {
		sum := sha256.Sum256([]byte(dir))
		c.sockets = filepath.Join("/tmp", "kobling-"+hex.EncodeToString(sum[:8]))
	}
	if err := c.account.mkdir(c.sockets); err != nil {
		return nil, fmt.Errorf("directory of the socket: %w", err)
	}
	return c, nil
}

// major returns the version that made the cluster, 0 if there is none yet.
func (c *cluster) major() (int, error) {
	b, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// create runs initdb if the cluster does not exist yet. It works in another
// directory and renames that when it is whole, so a crash leaves no half cluster.
func (c *cluster) create(ctx context.Context, throwaway bool) error {
	if _, err := os.Stat(c.data); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	begun := time.Now()
	// The initdb of a process that was killed may still write: each has a
	// directory of its own, and what is left of others goes as far as it can.
	half := filepath.Join(c.dir, fmt.Sprintf("data.init-%d", os.Getpid()))
	left, err := filepath.Glob(filepath.Join(c.dir, "data.init*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil && dir == half {
			return err
		}
	}
	if err := c.account.mkdir(half); err != nil {
		return err
	}
	args := []string{
		"-D", half, "-U", superuser, "--auth=trust", // safe: the socket's directory is private, TCP is off
		"--encoding=UTF8", "--locale=C", "--data-checksums",
	}
	if throwaway {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, c.bin.path("initdb"), args...) //nolint:gosec // the operator's own installation
	cmd.Dir, cmd.Env = "/", cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.account.credential()}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb as user %q: %w\n%s", c.account.name, err, out)
	}
	if err := os.Rename(half, c.data); err != nil {
		return err
	}
	c.log.Info("made a PostgreSQL cluster",
		zap.String("data", c.data), zap.Int("version", c.bin.major), zap.Duration("took", time.Since(begun)))
	return nil
}

// clear stops servers that a killed process left on the cluster, waits until
// the last of their children is gone, without which no new one may start, and
// removes a pid file that would keep the next one from starting.
func (c *cluster) clear(ctx context.Context) error {
	pidFile := filepath.Join(c.data, "postmaster.pid")
	pid, err := readPid(pidFile)
	if err != nil {
		return err
	}
	if err := c.stopOrphans(ctx, pid); err != nil || pid == 0 {
		return err
	}
	// A dead pid PostgreSQL sorts out by itself. But when the number has gone to
	// another living process, it takes that for a server and refuses to start.
	if err := syscall.Kill(pid, 0); err == nil || errors.Is(err, syscall.EPERM) {
		c.log.Warn("removing a stale pid file: the process is not PostgreSQL", zap.Int("pid", pid))
		if err := os.Remove(pidFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// stopOrphans ends every server process that still works on the cluster. We
// hold the lock, so they are nobody's. The postmaster goes first and takes its
// children along; without one they are told directly.
func (c *cluster) stopOrphans(ctx context.Context, postmaster int) error {
	pids, err := postgresIn(ctx, c.data)
	if err != nil || len(pids) == 0 {
		return err
	}
	c.log.Warn("stopping PostgreSQL left by a killed process", zap.Int("postmaster", postmaster), zap.Ints("pids", pids))
	steps := []struct {
		sig  syscall.Signal
		all  bool
		wait time.Duration
	}{
		{syscall.SIGINT, false, fastShutdown},
		{syscall.SIGQUIT, true, immediateShutdown},
		{syscall.SIGKILL, true, immediateShutdown},
	}
	if !slices.Contains(pids, postmaster) {
		steps[0].wait = time.Second // nobody tells the children; the idle ones notice
	}
	for _, step := range steps {
		for _, pid := range pids {
			if step.all || pid == postmaster {
				_ = syscall.Kill(pid, step.sig) // it may have ended by itself
			}
		}
		if pids, err = c.waitGone(ctx, step.wait); err != nil || len(pids) == 0 {
			return err
		}
	}
	return fmt.Errorf("PostgreSQL processes %v of a predecessor in %s do not end: kill them", pids, c.data)
}

// waitGone waits until no server works on the cluster, and returns those that
// still do when the time is up.
func (c *cluster) waitGone(ctx context.Context, limit time.Duration) ([]int, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for {
		pids, err := postgresIn(ctx, c.data)
		if err != nil || len(pids) == 0 {
			return nil, err
		}
		select {
		case <-tick.C:
		case <-deadline:
			return pids, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// readPid returns the number on a pid file's first line, 0 for no file.
func readPid(name string) (int, error) {
	b, err := os.ReadFile(name) //nolint:gosec // inside the cluster
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 0 { // empty or torn by a crash: no server can own it
		return 0, os.Remove(name)
	}
	return pid, nil
}

// cleanEnv is all that the programs of PostgreSQL get to see of the environment.
func cleanEnv() []string { return []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"} }
