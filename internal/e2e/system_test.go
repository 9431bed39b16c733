package e2e_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/config"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// TestMain lets more tests run side by side than there are processors, unless
// -parallel says how many: they mostly wait, for disks and for timers.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "4") // it exists in a test binary
	testkit.Main(m)
	if binaryDir != "" {
		_ = os.RemoveAll(binaryDir) // in the temporary folder anyway
	}
}

// limit bounds each wait of these tests; nothing here takes a tenth of it.
const limit = time.Minute

// system is a running service and how to reach it.
type system struct {
	*app.Client

	cfg  config.Config
	info app.RunInfo
	mail *testkit.MailServer
	stop func()
}

// start runs the service with all roles on servers of its own, or on those that
// KOBLING_TEST_NATS_URL and KOBLING_TEST_DATABASE_URL name.
func start(t *testing.T, dir string) *system {
	t.Helper()
	database := ""
	if testkit.ExternalDatabase() != "" {
		database = databaseOf(t)
	}
	return startOn(t, dir, database)
}

// startOn runs it on the database at an address; "" is one of its own.
func startOn(t *testing.T, dir, database string) *system {
	t.Helper()
	mail := testkit.SMTP(t)
	flags := map[string]string{
		"data-dir": dir, "nats-listen": "127.0.0.1:0", "http-listen": "127.0.0.1:0", "log-level": "warn",
		"smtp-url": "smtp+plain://" + mail.Addr, "webhook-allow-private": "127.0.0.0/8",
	}
	if url := testkit.ExternalNATS(); url != "" {
		flags["nats-url"] = url
		alone(t)
	}
	if database != "" {
		flags["database-url"] = database
	}
	cfg, _, err := config.Load(config.Source{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := app.Migrate(ctx, cfg, testkit.Logger(t)); err != nil {
		t.Fatal(err)
	}
	a, err := app.Start(ctx, cfg, app.Options{Version: "test", Log: testkit.Logger(t), Level: zap.NewAtomicLevel()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	s := &system{Client: a.Client(), cfg: cfg, info: a.Info(), mail: mail}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	t.Cleanup(s.stop)
	testkit.Eventually(t, limit, "the service answers", func() bool {
		_, err := s.Status(t.Context())
		return err == nil
	})
	return s
}

// One NATS server has one set of streams, and one database is kept for all starts
// of a test.
var (
	turn      sync.Mutex
	turns     sync.Map // tests that have the turn, by name
	databases sync.Map // addresses by test
)

// alone lets one test at a time use a server that is not its own.
func alone(t *testing.T) {
	t.Helper()
	if _, has := turns.Load(t.Name()); has {
		return
	}
	turn.Lock()
	turns.Store(t.Name(), true)
	t.Cleanup(turn.Unlock)
}

// databaseOf returns the address of the database of one test.
func databaseOf(t *testing.T) string {
	t.Helper()
	if url, ok := databases.Load(t.Name()); ok {
		return fmt.Sprint(url)
	}
	url := testkit.DatabaseURL(t, nil)
	databases.Store(t.Name(), url)
	return url
}

// connect is a plain NATS client of another program on this machine.
func (s *system) connect(t *testing.T) *nats.Conn {
	t.Helper()
	return dial(t, s.info.NATSURL, s.info.NATSUser, s.info.NATSPassword)
}

func dial(t *testing.T, url, user, password string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, nats.UserInfo(user, password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// say publishes something and waits for the verdict and until it is matched.
func (s *system) say(t *testing.T, nc *nats.Conn, kind string, id profile.ID, data any) {
	t.Helper()
	seq := publish(t, nc, kind, id, data)
	r, err := s.Await(t.Context(), id, seq, limit)
	if err != nil || r.State == api.Waits || (r.State == api.Accepted && !r.Matched) {
		t.Fatalf("%s of %s: %+v, %v", kind, id, r, err)
	}
}

// publish says something of a profile, as a structured CloudEvent, and returns
// its number on INTAKE.
func publish(t *testing.T, nc *nats.Conn, kind string, id profile.ID, data any) uint64 {
	t.Helper()
	e := map[string]any{"specversion": "1.0", "id": nats.NewInbox(), "source": "/test", "type": kind}
	if data != nil {
		e["data"] = data
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	ack, err := js.Publish(event.Subject(event.Intake, id), b)
	if err != nil {
		t.Fatal(err)
	}
	return ack.Sequence
}

// settle waits until everything that was said has been worked through. The last
// of it must have been matched: the server counts a message a moment later than
// it acknowledges it.
func (s *system) settle(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, limit, "nothing is waiting", func() bool {
		st, err := s.Status(t.Context())
		return err == nil && st.Waiting.Idle()
	})
}

// unique makes a token that no other run of the tests uses.
func unique(prefix string) string {
	return prefix + "-" + strings.ToLower(nats.NewInbox()[len("_INBOX."):])
}
