package e2e_test

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"kobling/internal/alert"
	"kobling/internal/app"
	"kobling/internal/event"
	"kobling/internal/store"
	"kobling/internal/testkit"
)

// refuses fails unless the service does not start and says to run a command.
func (s *system) refuses(t *testing.T, command string) {
	t.Helper()
	a, err := app.Start(t.Context(), s.cfg, app.Options{Version: "test", Log: zap.NewNop(), Level: zap.NewAtomicLevel()})
	if err == nil {
		_ = a.Close()
	}
	if err == nil || !strings.Contains(err.Error(), command) {
		t.Fatalf("start = %v, want a refusal that says %q", err, command)
	}
}

// alone calls f with the installation of a stopped service.
func (s *system) alone(t *testing.T, f func(i *app.Installation) error) {
	t.Helper()
	i, err := app.OpenInstallationAlone(t.Context(), s.cfg, app.Options{Version: "test", Log: zap.NewNop(), Level: zap.NewAtomicLevel()})
	if err != nil {
		t.Fatal(err)
	}
	if err := cmp.Or(f(i), i.Close()); err != nil {
		t.Fatal(err)
	}
}

// spoil changes the database of a running service.
func (s *system) spoil(t *testing.T, statement string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), s.cfg.DatabaseURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	if tag, err := db.Exec(t.Context(), statement); err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%s: %v, %v", statement, tag, err)
	}
}

// TestWhatIsLostIsFoundAtTheStartAndMadeAnew loses a stream, rows of the database
// and an index; each time the way out is the command that the refusal names, and
// nobody is told twice.
func TestWhatIsLostIsFoundAtTheStartAndMadeAnew(t *testing.T) {
	t.Parallel()
	if testkit.ExternalNATS() != "" {
		return // it is not ours to spoil
	}
	dir, database := t.TempDir(), testkit.DatabaseURL(t, store.Migrate)
	s := startOn(t, dir, database)
	if _, err := s.Subscribe(t.Context(), alert.Subscription{Cluster: "default", Channel: alert.Email, Address: "a@example.org"}); err != nil {
		t.Fatal(err)
	}
	nc := s.connect(t)
	n, p := need("vaktsom"), testPlace("oulu")
	s.say(t, nc, event.TypeSubmitted, n.ID, n)
	s.say(t, nc, event.TypeSubmitted, p.ID, p)
	s.mail.Next(t)
	s.settle(t)
	s.stop()

	// PROFILES is gone.
	streams := filepath.Join(dir, "nats", "jetstream", "$G", "streams")
	if err := os.RemoveAll(filepath.Join(streams, "PROFILES")); err != nil {
		t.Fatal(err)
	}
	s.refuses(t, `"kobling rebuild stream"`)
	s.alone(t, func(i *app.Installation) error {
		r, err := i.Rebuilder(t.Context(), nil)
		if err != nil {
			return err
		}
		plan, err := r.Plan(t.Context())
		if err != nil || !plan.Lost || plan.FromDatabase != 2 {
			t.Errorf("plan = %+v, %v", plan, err)
		}
		return r.Run(t.Context(), plan, false)
	})
	again := startOn(t, dir, database)
	if r := again.sound(t); r.Checked.Live != 1 || r.Checked.Documents != 2 {
		t.Errorf("checked %+v", r.Checked)
	}

	// An index is asked for.
	i, err := app.OpenInstallation(t.Context(), again.cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Rebuilder(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "stop all its processes") {
		t.Errorf("a stream is rebuilt under a running service: %v", err)
	}
	if _, err := i.RebuildIndex(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, limit, "only the new index is there", func() bool {
		all, err := filepath.Glob(filepath.Join(dir, "index", "*-v*[0-9]"))
		return err == nil && len(all) == 1 && strings.Contains(all[0], "-g1-")
	})
	again.sound(t)

	// The database loses what it had, with the service running and with it stopped.
	again.spoil(t, `DELETE FROM profile`)
	if _, err := i.RebuildHeads(t.Context()); err != nil {
		t.Fatal(err)
	}
	again.sound(t)
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	again.settle(t)
	again.spoil(t, `DELETE FROM profile`)
	again.spoil(t, `DELETE FROM suggestion`)
	again.stop()
	again.refuses(t, `"kobling rebuild heads"`)
	again.alone(t, func(i *app.Installation) error {
		_, err := i.RebuildHeads(t.Context())
		return err
	})
	last := startOn(t, dir, database)
	last.sound(t)
	last.settle(t)

	if told := len(again.mail.Mails()) + len(last.mail.Mails()); told > 0 {
		t.Errorf("%d mails after the recoveries, want none", told)
	}
	// What comes later is told.
	other := testPlace("tampere")
	last.say(t, last.connect(t), event.TypeSubmitted, other.ID, other)
	last.mail.Next(t)
}
