package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/config"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// faultsEnv names how long faults are injected, e.g. 10m. Without it each kind of
// fault that costs little comes once, and one that ends the process.
const faultsEnv = "KOBLING_FAULTS"

// recovery bounds how long it may take until everything is worked through after the
// last fault: what a killed process had in hand comes again after half a minute.
const recovery = 4 * time.Minute

// victim is a service in a process of its own.
type victim struct {
	t    *testing.T
	path string
	cfg  config.Config
	log  *bytes.Buffer

	mu     sync.Mutex
	client *app.Client // nil while there is none
	cmd    *exec.Cmd
	done   chan struct{}
}

// command is one of kobling's, with the data directory and on free ports.
func (v *victim) command(args ...string) *exec.Cmd {
	cmd := exec.Command(v.path, args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + v.cfg.DataDir, "KOBLING_DATA_DIR=" + v.cfg.DataDir,
		"KOBLING_NATS_LISTEN=127.0.0.1:0", "KOBLING_HTTP_LISTEN=127.0.0.1:0",
	}
	return cmd
}

// serve starts the process and waits until it answers.
func (v *victim) serve() {
	v.t.Helper()
	cmd := v.command("serve", "--log-level", "error", "--webhook-allow-private", "127.0.0.0/8")
	v.log.Reset()
	cmd.Stdout, cmd.Stderr = v.log, v.log
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = cmd.Wait() }()
	v.cmd, v.done = cmd, done
	testkit.Eventually(v.t, limit, "the service answers", func() bool {
		select {
		case <-done:
			v.t.Fatalf("the service does not start:\n%s", v.log)
		default:
		}
		if info, err := app.ReadRunInfo(v.cfg.DataDir); err != nil || info.PID != cmd.Process.Pid {
			return false // it is of the one before
		}
		client, err := app.Dial(v.t.Context(), v.cfg)
		if err != nil {
			return false
		}
		ctx, cancel := context.WithTimeout(v.t.Context(), time.Second)
		defer cancel()
		if _, err := client.Status(ctx); err != nil {
			client.Close()
			return false
		}
		v.connect(client)
		return true
	})
}

func (v *victim) connect(client *app.Client) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.client != nil {
		v.client.Close()
	}
	v.client = client
}

// use calls f with a client, if there is one.
func (v *victim) use(f func(c *app.Client) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.client == nil {
		return errors.New("the service is down")
	}
	return f(v.client)
}

// ended waits until the process has ended.
func (v *victim) ended() {
	v.t.Helper()
	select {
	case <-v.done:
	case <-time.After(limit):
		v.t.Fatalf("the service does not end:\n%s", v.log)
	}
	v.connect(nil)
}

// kill ends the process by a signal.
func (v *victim) kill(signal os.Signal) {
	v.t.Helper()
	if err := v.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		v.t.Fatal(err)
	}
	v.ended()
}

// killPostgres kills the postmaster, of which the service dies.
func (v *victim) killPostgres() {
	v.t.Helper()
	b, err := os.ReadFile(filepath.Join(v.cfg.DataDir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		v.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(b), "\n", 2)[0]))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		v.t.Fatal(err)
	}
	v.ended()
}

// indexFiles lists the files of the index whose names match.
func (v *victim) indexFiles(pattern string) []string {
	v.t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(v.cfg.DataDir, "index"), func(path string, entry fs.DirEntry, err error) error {
		if ok, _ := filepath.Match(pattern, filepath.Base(path)); ok && err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return found
}

// edit changes one file of the index, if there is one.
func (v *victim) edit(rng *rand.Rand, pattern string, change func([]byte) []byte) {
	v.t.Helper()
	files := v.indexFiles(pattern)
	if len(files) == 0 {
		return
	}
	name := files[rng.IntN(len(files))]
	b, err := os.ReadFile(name)
	if err == nil && len(b) > 0 {
		err = os.WriteFile(name, change(b), 0o600)
	}
	if err != nil {
		v.t.Fatal(err)
	}
}

// fault is one kind of fault. Those that are dear end the process; it is started
// again after them.
type fault struct {
	name   string
	dear   bool
	inject func(v *victim, rng *rand.Rand)
}

// faults are the rows of the table of faults that can be made around a process.
func faults() []fault {
	kill := func(v *victim, _ *rand.Rand) { v.kill(syscall.SIGKILL) }
	killed := func(then func(v *victim, rng *rand.Rand)) func(*victim, *rand.Rand) {
		return func(v *victim, rng *rand.Rand) { kill(v, rng); then(v, rng) }
	}
	return []fault{
		{"PostgreSQL is killed", true, func(v *victim, _ *rand.Rand) { v.killPostgres() }},
		{"the process is killed and a bit of its index flips", true, killed(func(v *victim, rng *rand.Rand) {
			v.edit(rng, "*.zap", func(b []byte) []byte { b[rng.IntN(len(b))] ^= 1 << rng.IntN(8); return b })
		})},
		{"the process is killed", true, kill},
		{"the process is told to end", true, func(v *victim, _ *rand.Rand) { v.kill(syscall.SIGTERM) }},
		{"the process is killed and its index is gone", true, killed(func(v *victim, _ *rand.Rand) {
			if err := os.RemoveAll(filepath.Join(v.cfg.DataDir, "index")); err != nil {
				v.t.Fatal(err)
			}
		})},
		{"the process is killed and a segment of its index is cut", true, killed(func(v *victim, rng *rand.Rand) {
			v.edit(rng, "*.zap", func(b []byte) []byte { return b[:rng.IntN(len(b))] })
		})},
		{"the process is killed and the root of its index is cut", true, killed(func(v *victim, rng *rand.Rand) {
			v.edit(rng, "root.bolt", func(b []byte) []byte { return b[:rng.IntN(len(b))] })
		})},

		{"connections to PostgreSQL are cut", false, func(v *victim, rng *rand.Rand) {
			v.sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'kobling' AND random() < 0.5`)
		}},
		{"a message that nobody can read", false, func(v *victim, rng *rand.Rand) {
			junk := make([]byte, rng.IntN(200))
			for i := range junk {
				junk[i] = byte(rng.Uint32())
			}
			v.publish("intake.need.junk.n"+strconv.Itoa(rng.IntN(100)), junk)
			v.publish("intake.thing.junk.x", []byte(`{}`))
		}},
		{"a message that is too large", false, func(v *victim, _ *rand.Rand) {
			v.publish("intake.need.junk.large", bytes.Repeat([]byte("x"), 129<<10))
		}},
		{"a second process", false, func(v *victim, _ *rand.Rand) {
			if out, err := v.command("serve").CombinedOutput(); err == nil || !strings.Contains(string(out), "is in use") {
				v.t.Errorf("a second process on one directory: %v\n%s", err, out)
			}
		}},
		{"the index is to be rebuilt", false, func(v *victim, _ *rand.Rand) {
			v.sql(`UPDATE repair SET index_generation = index_generation + 1`)
		}},
		{"everything is matched again", false, func(v *victim, _ *rand.Rand) {
			if out, err := v.command("rebuild", "heads").CombinedOutput(); err != nil {
				v.t.Errorf("rebuild heads: %v\n%s", err, out)
			}
		}},
	}
}

// sql changes the database; it may be down.
func (v *victim) sql(statement string) {
	info, err := app.ReadRunInfo(v.cfg.DataDir)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(v.t.Context(), 5*time.Second)
	defer cancel()
	db, err := pgx.Connect(ctx, info.DatabaseURL)
	if err != nil {
		return
	}
	_, _ = db.Exec(ctx, statement) // whatever comes of it is what the test is about
	_ = db.Close(ctx)
}

// publish says something to INTAKE, as any client could; it may be refused.
func (v *victim) publish(subject string, body []byte) {
	info, err := app.ReadRunInfo(v.cfg.DataDir)
	if err != nil {
		return
	}
	nc, err := nats.Connect(info.NATSURL, nats.UserInfo(info.NATSUser, info.NATSPassword))
	if err != nil {
		return
	}
	defer nc.Close()
	_, _ = nc.Request(subject, body, time.Second) // a refusal is well
}

// topics are what profiles speak of; a need fits the offers of its topic.
var topics = []string{
	"Fallsensor og fallalarm for eldre som bor hjemme", "Antenner og radiosendere til satellitter",
	"Medisindispenser for hjemmetjenesten", "Robot som plukker epler og pærer",
}

// producer publishes, revises, pauses and withdraws until told to stop, and repeats
// what was not acknowledged under the same event id.
func (v *victim) producer(ctx context.Context, rng *rand.Rand, said *atomic.Int64) {
	generation := map[int]int{}
	for ctx.Err() == nil {
		n := rng.IntN(24)
		id := profile.ID(fmt.Sprintf("%s.org%d.n%d-%d", []profile.Kind{profile.Need, profile.Offer}[n%2], n, n, generation[n]))
		s := app.Submission{ID: id, Type: event.TypeSubmitted, EventID: nats.NewInbox()}
		switch rng.IntN(12) {
		case 0:
			s.Type = event.TypeWithdrawn
			generation[n]++
		case 1:
			s.Type = event.TypePaused
		case 2:
			s.Type = event.TypeResumed
		default:
			body, err := json.Marshal(profile.Profile{
				ID: id, Organisation: profile.Organisation{Name: id.Org(), Type: profile.SME, Country: "NO"},
				Texts: []profile.Text{{Lang: "nb", Title: topics[rng.IntN(len(topics))]}},
			})
			if err != nil {
				v.t.Error(err)
				return
			}
			s.Data = body
		}
		for ctx.Err() == nil {
			err := v.use(func(c *app.Client) error {
				once, cancel := context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
				_, err := c.Submit(once, s)
				return err
			})
			if err == nil {
				said.Add(1)
				if rng.IntN(8) == 0 { // a client that believes it was not heard
					_ = v.use(func(c *app.Client) error { _, err := c.Submit(ctx, s); return err })
				}
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rng.IntN(60)) * time.Millisecond):
		}
	}
}

// TestFaults injects faults into a service that works, and then asks the oracle: no
// pair may be lost, none be stale, and nobody be told twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	long := time.Duration(0)
	if s := os.Getenv(faultsEnv); s != "" {
		if long, err = time.ParseDuration(s); err != nil {
			t.Fatalf("%s: %v", faultsEnv, err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	cfg, _, err := config.Load(config.Source{Flags: map[string]string{"data-dir": testkit.PassableDir(t)}})
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, path: path, cfg: cfg, log: new(bytes.Buffer)}
	v.serve()
	t.Cleanup(func() { v.kill(syscall.SIGKILL) })
	hook := testkit.HTTPSink(t)
	var refused atomic.Int64
	delivered := deliveries{}
	hook.Answer(func(w http.ResponseWriter, _ *http.Request, got testkit.Request) {
		if refused.Add(1)%5 == 0 {
			w.WriteHeader(http.StatusInternalServerError) // tried again, under the same id
			return
		}
		delivered.take(t, got)
	})
	if err := v.use(func(c *app.Client) error {
		_, err := c.Subscribe(t.Context(), alert.Subscription{Cluster: "default", Channel: alert.Webhook, Address: hook.URL})
		return err
	}); err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	var said atomic.Int64
	var producing sync.WaitGroup
	for n := range uint64(2) {
		producing.Go(func() { v.producer(ctx, rand.New(rand.NewPCG(seed, n+1)), &said) })
	}
	injected := v.inject(rng, long)
	stop()
	producing.Wait()
	v.sound(&said, injected, &delivered)
}

// inject injects faults: each cheap one once and the first dear one, or what comes by
// chance for as long as it is told. It returns how many of each.
func (v *victim) inject(rng *rand.Rand, long time.Duration) map[string]int {
	injected := map[string]int{}
	one := func(f fault) {
		f.inject(v, rng)
		injected[f.name]++
		if f.dear {
			v.serve()
		}
	}
	all := faults()
	if long == 0 {
		dear := 0
		for _, f := range all {
			if f.dear {
				dear++
			}
			if !f.dear || dear == 1 {
				one(f)
			}
		}
		return injected
	}
	for deadline := time.Now().Add(long); time.Now().Before(deadline); {
		one(all[rng.IntN(len(all))])
		v.await(time.Duration(500+rng.IntN(2500)) * time.Millisecond)
	}
	return injected
}

// await lets the service work for a while.
func (v *victim) await(d time.Duration) {
	select {
	case <-time.After(d):
	case <-v.done:
		v.t.Errorf("the service ended by itself:\n%s", v.log)
		v.connect(nil)
		v.serve()
	}
}

// sound asks the oracle once everything is worked through.
func (v *victim) sound(said *atomic.Int64, injected map[string]int, delivered *deliveries) {
	t := v.t
	t.Helper()
	i, err := app.OpenInstallation(t.Context(), v.cfg, "dev")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = i.Close() }()
	var status api.Status
	testkit.Eventually(t, recovery, "everything is worked through", func() bool {
		err := v.use(func(c *app.Client) (err error) { status, err = c.Status(t.Context()); return err })
		return err == nil && status.Waiting.Idle()
	})
	r, err := i.Audit(t.Context(), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) > 0 || r.Checked.Waiting > 0 {
		t.Errorf("the audit finds %+v\nchecked %+v", r.Findings, r.Checked)
	}
	if r.Checked.Live == 0 {
		t.Errorf("nothing is suggested, so nothing was shown: %+v", r.Checked)
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(injected)) {
		t.Logf("%4d × %s", injected[name], name)
		total += injected[name]
	}
	t.Logf("%d faults, %d submissions, %d profiles, %d pairs scored, %d suggestions, %d alerts; %d rejections",
		total, said.Load(), r.Checked.Messages, r.Checked.Pairs, r.Checked.Live, delivered.count(), status.Rejections)
}

// deliveries are the alerts that a receiver has taken: by pair and band, the ids.
type deliveries struct {
	mu  sync.Mutex
	ids map[string]string
}

// take notes an alert; two ids for one thing are one too many.
func (d *deliveries) take(t *testing.T, r testkit.Request) {
	t.Helper()
	var e struct {
		Data struct {
			Demand string `json:"demand_id"`
			Supply string `json:"supply_id"`
			Band   string `json:"band"`
		} `json:"data"`
	}
	if err := json.Unmarshal(r.Body, &e); err != nil {
		t.Errorf("an alert that is no JSON: %v", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ids == nil {
		d.ids = map[string]string{}
	}
	key, id := e.Data.Demand+" "+e.Data.Supply+" "+e.Data.Band, r.Header.Get("Webhook-Id")
	if first, told := d.ids[key]; told && first != id {
		t.Errorf("%s is told twice, as %s and as %s", key, first, id)
	}
	d.ids[key] = id
}

func (d *deliveries) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ids)
}
