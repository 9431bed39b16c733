package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"kobling/internal/embedded"
	"kobling/internal/testkit"
)

// childDir tells the test binary to run both servers in that directory until
// its standard input ends, instead of the tests.
const childDir = "EMBEDDED_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		m.Run()
		return
	}
	if err := runChild(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stdout, "failed:", strings.ReplaceAll(err.Error(), "\n", " "))
	}
}

// acknowledged is how many messages a child publishes before it is ready.
const acknowledged = 50

func runChild(ctx context.Context, dir string) (err error) {
	p, err := embedded.StartPostgres(ctx, embedded.PostgresOptions{Dir: filepath.Join(dir, "postgres"), Log: zap.NewNop()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	n, err := embedded.StartNATS(ctx, embedded.NATSOptions{Dir: filepath.Join(dir, "nats"), Log: zap.NewNop()})
	if err != nil {
		return err
	}
	defer n.Stop()
	if err := publish(ctx, n); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "ready", p.URL())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func publish(ctx context.Context, n *embedded.NATS) error {
	nc, err := nats.Connect("", n.ConnectOption())
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "KEPT", Subjects: []string{"kept"}}); err != nil {
		return err
	}
	for range acknowledged {
		if _, err := js.Publish(ctx, "kept", []byte("x")); err != nil {
			return err
		}
	}
	return nil
}

// child is another process that runs both servers.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	url   string // of its database
}

// startChild runs this test binary as a child on dir, as another user if cred
// is not nil, and waits until its servers are up.
func startChild(t *testing.T, program, dir string, cred *syscall.Credential) *child {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ready {
		t.Fatalf("child said %q, %v; want that it is ready", line, err)
	}
	return &child{cmd: cmd, stdin: stdin, url: url}
}

// copyProgram copies the test binary to where every user can run it.
func copyProgram(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "child.test")
	if err := os.WriteFile(program, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return program
}

func TestStartAfterTheKeeperWasKilled(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	c := startChild(t, os.Args[0], dir, nil)
	query(t, c.url, `CREATE TABLE kept AS SELECT 1 AS n`)
	if err := c.cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // only so that it is gone, and its locks with it

	p := startPostgres(t, filepath.Join(dir, "postgres"))
	if got := query(t, p.URL(), `SELECT n FROM kept`); got != 1 {
		t.Errorf("n = %d, want 1", got)
	}
	n := startNATS(t, embedded.NATSOptions{Dir: filepath.Join(dir, "nats")})
	js, err := jetstream.New(connect(t, "", n.ConnectOption()))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "KEPT")
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo().State.Msgs; got != acknowledged {
		t.Errorf("%d messages after SIGKILL, want the %d acknowledged", got, acknowledged)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	c := startChild(t, os.Args[0], dir, nil)
	holder := fmt.Sprintf("process %d runs a server in %s", c.cmd.Process.Pid, dir)

	_, err := embedded.StartPostgres(t.Context(), embedded.PostgresOptions{Dir: filepath.Join(dir, "postgres"), Log: zap.NewNop()})
	if !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), holder) {
		t.Errorf("StartPostgres = %v, want ErrInUse naming %q", err, holder)
	}
	_, err = embedded.StartNATS(t.Context(), embedded.NATSOptions{Dir: filepath.Join(dir, "nats"), Log: zap.NewNop()})
	if !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), holder) {
		t.Errorf("StartNATS = %v, want ErrInUse naming %q", err, holder)
	}
	if got := query(t, c.url, `SELECT 1`); got != 1 { // the first is none the worse
		t.Errorf("query = %d, want 1", got)
	}
}

// TestServersRunAsAnOrdinaryUser tests the other half of what this test's own
// user sees: for root a child of another user, whose cluster root then takes
// over; for others the same as themselves.
func TestServersRunAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	program := copyProgram(t, dir)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	var cred *syscall.Credential
	if os.Geteuid() == 0 {
		cred = &syscall.Credential{Uid: 65534, Gid: 65534}
		if err := os.Chown(data, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	c := startChild(t, program, data, cred)
	query(t, c.url, `CREATE TABLE kept AS SELECT 1 AS n`)
	if err := c.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	p := startPostgres(t, filepath.Join(data, "postgres"))
	if got := query(t, p.URL(), `SELECT n FROM kept`); got != 1 {
		t.Errorf("n = %d, want 1", got)
	}
}
