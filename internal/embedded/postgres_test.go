package embedded_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"kobling/internal/embedded"
	"kobling/internal/testkit"
)

// startPostgres starts a durable server on dir and stops it with the test.
func startPostgres(t *testing.T, dir string) *embedded.Postgres {
	t.Helper()
	p, err := embedded.StartPostgres(t.Context(), embedded.PostgresOptions{Dir: dir, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// query runs one statement and returns the number it yields, if any.
func query(t *testing.T, url, statement string) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows, err := conn.Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if len(numbers) == 0 {
		return 0
	}
	return numbers[0]
}

// postmaster returns the pid in the cluster's pid file, and that file.
func postmaster(t *testing.T, dir string) (pid int, file string) {
	t.Helper()
	file = filepath.Join(dir, "data", "postmaster.pid")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if pid, err = strconv.Atoi(line); err != nil {
		t.Fatal(err)
	}
	return pid, file
}

func TestPostgresKeepsDataFromStartToStart(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	// What an initdb that was killed leaves must not be in the way.
	if err := os.MkdirAll(filepath.Join(dir, "data.init", "half"), 0o700); err != nil {
		t.Fatal(err)
	}
	first := startPostgres(t, dir)
	query(t, first.URL(), `CREATE TABLE kept AS SELECT 7 AS n`)
	if got := query(t, first.URL(), `SELECT count(*)::int FROM pg_settings
		WHERE (name, setting) IN (('fsync', 'on'), ('jit', 'off'), ('TimeZone', 'UTC'), ('listen_addresses', ''), ('data_checksums', 'on'))`); got != 5 {
		t.Errorf("%d of 5 settings are as they should be", got)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := first.Err(); err != nil {
		t.Errorf("Err after Stop = %v, want nil", err)
	}
	second := startPostgres(t, dir)
	if got := query(t, second.URL(), `SELECT n FROM kept`); got != 7 {
		t.Errorf("n = %d, want 7", got)
	}
	if first.URL() != second.URL() {
		t.Errorf("URL was %s and is %s", first.URL(), second.URL())
	}
}

func TestPostgresRunsUnderALongPath(t *testing.T) {
	t.Parallel()

	p, err := embedded.StartPostgres(t.Context(), embedded.PostgresOptions{
		Dir:       filepath.Join(testkit.PassableDir(t), strings.Repeat("long/", 20)), // longer than a socket's name may be
		Throwaway: true,
		Log:       zap.NewNop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, p.URL(), `SELECT 1`); got != 1 {
		t.Errorf("query = %d, want 1", got)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestPostgresSaysThatItWasKilledAndRecovers(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	killed := startPostgres(t, dir)
	query(t, killed.URL(), `CREATE TABLE kept AS SELECT 7 AS n`)
	pid, _ := postmaster(t, dir)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-killed.Done()
	if err := killed.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Err = %v, want that it was killed", err)
	}
	if err := killed.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := query(t, startPostgres(t, dir).URL(), `SELECT n FROM kept`); got != 7 {
		t.Errorf("n = %d, want 7", got)
	}
}

func TestPostgresStartsDespiteWhatAPredecessorLeft(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	p := startPostgres(t, dir)
	query(t, p.URL(), `CREATE TABLE kept AS SELECT 7 AS n`)
	account := dataOwner(t, dir)
	other := exec.Command("sleep", "600") // a process of the server's account
	other.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = other.Process.Kill()
		if err := other.Wait(); err == nil || err.Error() != "signal: killed" {
			t.Errorf("the other process ended with %v before its time", err)
		}
	})

	// The pid file as a killed server leaves it, but with another number in it.
	for _, tt := range []struct{ name, pid string }{
		{"pid of nobody", "4194303"},
		{"torn pid file", ""},
		{"pid of this process", strconv.Itoa(os.Getpid())},
		{"pid of another process of the account", strconv.Itoa(other.Process.Pid)},
	} {
		pid, file := postmaster(t, dir)
		left, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		content := strings.Replace(string(left), strconv.Itoa(pid), tt.pid, 1)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if account != nil {
			if err := os.Chown(file, int(account.Uid), int(account.Gid)); err != nil {
				t.Fatal(err)
			}
		}
		p = startPostgres(t, dir)
		if got := query(t, p.URL(), `SELECT n FROM kept`); got != 7 {
			t.Errorf("%s: n = %d, want 7", tt.name, got)
		}
	}
}

// dataOwner returns the account that the cluster in dir belongs to, nil when it
// is this test's own.
func dataOwner(t *testing.T, dir string) *syscall.Credential {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatalf("owner of %s is unknown", dir)
	}
	if int(st.Uid) == os.Geteuid() {
		return nil
	}
	return &syscall.Credential{Uid: st.Uid, Gid: st.Gid}
}

func TestPostgresStopsAnOrphan(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	p := startPostgres(t, dir)
	query(t, p.URL(), `CREATE TABLE kept AS SELECT 7 AS n`)
	pid, _ := postmaster(t, dir)
	program, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	// The same server, with nobody who keeps it.
	orphan := exec.Command(strings.Fields(string(program))[0], "-D", filepath.Join(dir, "data"), "-k", dir, "-h", "")
	if account := dataOwner(t, dir); account != nil {
		orphan.SysProcAttr = &syscall.SysProcAttr{Credential: account}
		if err := os.Chmod(dir, 0o777); err != nil { // for its socket
			t.Fatal(err)
		}
	}
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	address := "postgres://postgres@/kobling?host=" + dir
	testkit.Eventually(t, time.Minute, "the orphan answers", func() bool {
		conn, err := pgx.Connect(t.Context(), address)
		if err == nil {
			_ = conn.Close(t.Context())
		}
		return err == nil
	})

	if got := query(t, startPostgres(t, dir).URL(), `SELECT n FROM kept`); got != 7 {
		t.Errorf("n = %d, want 7", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("orphan ended with %v, want an orderly shutdown", err)
	}
}

func TestPostgresSaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	errStarted := errors.New("it started")
	start := func() error {
		p, err := embedded.StartPostgres(t.Context(), embedded.PostgresOptions{Dir: dir, Throwaway: true, Log: zap.NewNop()})
		if err == nil {
			err = errors.Join(errStarted, p.Stop())
		}
		return err
	}
	if err := start(); !errors.Is(err, errStarted) {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "data", "postgresql.conf")
	if err := os.WriteFile(config, []byte("no_such_setting = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("start = %v, want the server's own words", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "PostgreSQL 99, but only version") {
		t.Errorf("start = %v, want that version 99 is missing", err)
	}
}
