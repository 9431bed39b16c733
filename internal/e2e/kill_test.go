package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/config"
	data "kobling/internal/demo"
	"kobling/internal/testkit"
)

// binaryDir is where binary put the command; TestMain removes it.
var binaryDir string

// binary builds the command once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kobling-e2e-*")
	if err != nil {
		return "", err
	}
	binaryDir = dir
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

// TestAKilledDemoEndsAsAnUndisturbedOne kills demonstrations again and again, at
// moments that they reach whatever the speed of the machine: while PostgreSQL is
// set up, before the first profile, and when so many profiles are matched. What
// a killed process had in hand is delivered again after five seconds; the two
// wait for that side by side.
func TestAKilledDemoEndsAsAnUndisturbedOne(t *testing.T) { //nolint:tparallel // the group waits for those within
	t.Parallel()
	demoData, err := data.Load()
	if err != nil {
		t.Fatal(err)
	}
	total := int64(len(demoData.Profiles))
	calm := testkit.PassableDir(t)
	var want []pair
	got := make([][]pair, 2)
	dirs := []string{testkit.PassableDir(t), testkit.PassableDir(t)}
	var halfway atomic.Int64
	t.Run("runs", func(t *testing.T) {
		t.Run("undisturbed", func(t *testing.T) {
			t.Parallel()
			want = finish(t, demo(t.Context(), t, calm))
			told := mails(t, calm)
			if len(want) < 10 || len(told) == 0 {
				t.Fatalf("%d suggestions and %d mails, want at least 10 and some", len(want), len(told))
			}
			if again := finish(t, demo(t.Context(), t, calm)); !cmp.Equal(want, again) || !cmp.Equal(told, mails(t, calm)) {
				t.Errorf("a second start changes what is suggested or told:\n%s\n%s", cmp.Diff(want, again), cmp.Diff(told, mails(t, calm)))
			}
		})
		for i, moments := range [][]int64{{-1, 1}, {total / 2, 0}} {
			t.Run(fmt.Sprintf("killed at %d", moments), func(t *testing.T) {
				t.Parallel()
				for _, profiles := range moments {
					at, ok := killAt(t, dirs[i], profiles)
					t.Logf("wanted %d profiles: killed %t with %d of %d, waiting %+v", profiles, ok, at.Profiles, total, at.Waiting)
					if ok && profiles > 0 && at.Profiles < total {
						halfway.Add(1)
					}
				}
				got[i] = finish(t, demo(t.Context(), t, dirs[i]))
			})
		}
	})
	if halfway.Load() == 0 {
		t.Error("no kill came between the first profile and the last: this test shows nothing")
	}
	for i, dir := range dirs {
		if diff := cmp.Diff(want, got[i]); diff != "" {
			t.Errorf("suggestions after kill -9 (-undisturbed +killed):\n%s", diff)
		}
		if diff := cmp.Diff(mails(t, calm), mails(t, dir)); diff != "" {
			t.Errorf("mails after kill -9 (-undisturbed +killed):\n%s", diff)
		}
	}
}

// killAt starts the demo on dir and kills it as soon as so many profiles are
// matched, 0: as soon as it answers, -1: as soon as PostgreSQL has a folder. It
// returns what the demo said last, and whether it was alive until then.
func killAt(t *testing.T, dir string, profiles int64) (last api.Status, killed bool) {
	t.Helper()
	cmd := demo(t.Context(), t, dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // killed or not, the next start will tell
	}()
	var client *app.Client
	defer func() {
		if client != nil {
			client.Close()
		}
	}()
	testkit.Eventually(t, limit, "the demo is far enough to be killed", func() bool {
		select {
		case <-done:
			return true // it was faster
		default:
		}
		if profiles < 0 {
			_, err := os.Stat(filepath.Join(dir, "postgres"))
			return err == nil
		}
		if info, err := app.ReadRunInfo(dir); client == nil && (err != nil || info.PID != cmd.Process.Pid) {
			return false // the file is of the one that was killed before
		}
		if client == nil {
			cfg, _, err := config.Load(config.Source{Flags: map[string]string{"data-dir": dir}})
			if err != nil {
				t.Fatal(err)
			}
			if client, err = app.Dial(t.Context(), cfg); err != nil {
				client = nil
				return false
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s, err := client.Status(ctx)
		if err == nil {
			last = s
		}
		return err == nil && s.Profiles >= profiles
	})
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	<-done
	return last, !cmd.ProcessState.Exited()
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
