package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/testkit"
)

// binary builds the command once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kobling-e2e-*")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // another user runs it too
		return "", err
	}
	path := filepath.Join(dir, "kobling")
	out, err := exec.Command("go", "build", "-o", path, "kobling/cmd/kobling").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

// demo is the command "demo --once --json" on dir.
func demo(ctx context.Context, t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, path, "demo", "--once", "--json") // as make run does, without a flag for the place
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "KOBLING_DATA_DIR=" + dir}
	return cmd
}

// pair is a suggestion as the demo prints it.
type pair struct {
	Demand  string          `json:"demand_id"`
	Supply  string          `json:"supply_id"`
	Score   float64         `json:"score"`
	Band    string          `json:"band"`
	Reasons json.RawMessage `json:"reasons"`
}

// finish runs the demo to its end and returns what it suggests.
func finish(t *testing.T, cmd *exec.Cmd) []pair {
	t.Helper()
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("demo: %v\n%s", err, log.String())
	}
	var pairs []pair
	if err := json.Unmarshal(out.Bytes(), &pairs); err != nil {
		t.Fatalf("demo printed no array: %v\n%s", err, out.String())
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return bytes.Compare([]byte(a.Demand+a.Supply), []byte(b.Demand+b.Supply))
	})
	return pairs
}

// mails returns who was told of what, sorted: one entry for each message that
// is not a repeat of another.
func mails(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "mail", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(f)
		_ = f.Close()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, m.Header.Get("To")+" "+m.Header.Get("Subject"))
	}
	slices.Sort(all)
	return all
}

func TestAKilledDemoEndsAsAnUndisturbedOne(t *testing.T) {
	t.Parallel()
	calm := testkit.PassableDir(t)
	want := finish(t, demo(t.Context(), t, calm))
	if len(want) < 10 {
		t.Fatalf("%d suggestions, want at least 10", len(want))
	}
	told := mails(t, calm)
	if len(told) == 0 {
		t.Fatal("nobody was told")
	}
	if again := finish(t, demo(t.Context(), t, calm)); !cmp.Equal(want, again) || !cmp.Equal(told, mails(t, calm)) {
		t.Errorf("a second start changes what is suggested or told:\n%s\n%s", cmp.Diff(want, again), cmp.Diff(told, mails(t, calm)))
	}

	dir := testkit.PassableDir(t)
	kills := 0
	for _, after := range []time.Duration{900 * time.Millisecond, 1500 * time.Millisecond, 1200 * time.Millisecond, 1800 * time.Millisecond, 1400 * time.Millisecond} {
		cmd := demo(t.Context(), t, dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = cmd.Wait() // killed or not, the next start will tell
		}()
		select {
		case <-time.After(after):
			if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			<-done
			kills++
		case <-done: // it was faster
		}
	}
	t.Logf("killed %d times", kills)
	if diff := cmp.Diff(want, finish(t, demo(t.Context(), t, dir))); diff != "" {
		t.Errorf("suggestions after kill -9 (-undisturbed +killed):\n%s", diff)
	}
	if diff := cmp.Diff(told, mails(t, dir)); diff != "" {
		t.Errorf("mails after kill -9 (-undisturbed +killed):\n%s", diff)
	}
}

func TestTheDemoRunsAsAnOrdinaryUserToo(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // every other test is that one
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	dir := testkit.PassableDir(t)
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	cmd := demo(t.Context(), t, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if pairs := finish(t, cmd); len(pairs) < 10 {
		t.Errorf("%d suggestions, want at least 10", len(pairs))
	}
}
