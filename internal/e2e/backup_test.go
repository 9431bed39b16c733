package e2e_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"kobling/internal/alert"
	"kobling/internal/app"
	"kobling/internal/config"
	"kobling/internal/event"
	"kobling/internal/store"
	"kobling/internal/testkit"
)

// TestABackupOfABusyServiceIsRestored publishes, revises and withdraws while the
// backup is under way: the streams then have what the database has not. All of it
// comes back, nobody is told of it by itself, and what is released is told.
func TestABackupOfABusyServiceIsRestored(t *testing.T) {
	t.Parallel()
	if testkit.ExternalNATS() != "" {
		return // it cannot be emptied
	}
	s := startOn(t, t.TempDir(), testkit.DatabaseURL(t, store.Migrate))
	if _, err := s.Subscribe(t.Context(), alert.Subscription{Cluster: "default", Channel: alert.Email, Address: "a@example.org"}); err != nil {
		t.Fatal(err)
	}
	nc := s.connect(t)
	n, p, late, gone := need("vaktsom"), testPlace("oulu"), testPlace("tampere"), testPlace("turku")
	s.say(t, nc, event.TypeSubmitted, n.ID, n)
	s.say(t, nc, event.TypeSubmitted, p.ID, p)
	s.say(t, nc, event.TypeSubmitted, gone.ID, gone)
	s.settle(t)
	i, err := app.OpenInstallation(t.Context(), s.cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "backup")
	busy := false
	_, err = i.Backup(t.Context(), dir, func(file string, _ int64) {
		if busy || file != "database.dump" {
			return
		}
		busy = true // the dump is of a moment before
		s.say(t, nc, event.TypeSubmitted, late.ID, late)
		s.say(t, nc, event.TypeSubmitted, p.ID, p)
		s.say(t, nc, event.TypeWithdrawn, gone.ID, nil)
		s.settle(t)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := s.sound(t)
	if err := i.Close(); err != nil {
		t.Error(err)
	}
	s.stop()

	cfg, database := s.cfg, testkit.DatabaseURL(t, nil)
	cfg.DataDir, cfg.DatabaseURL = t.TempDir(), config.Secret(database)
	o := app.Options{Version: "test", Log: zap.NewNop(), Level: zap.NewAtomicLevel()}
	if _, err := app.Restore(t.Context(), cfg, o, dir, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Restore(t.Context(), cfg, o, dir, nil); err == nil {
		t.Error("restored over another")
	}
	back := startOn(t, cfg.DataDir, database)
	got := back.sound(t)
	if got.Checked != want.Checked || got.Checked.Live != 2 {
		t.Errorf("checked %+v, before the loss %+v", got.Checked, want.Checked)
	}
	back.settle(t)
	if told := back.mail.Mails(); len(told) > 0 {
		t.Errorf("%d mails after the recovery, want none", len(told))
	}
	if i, err = app.OpenInstallation(t.Context(), back.cfg, "test"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = i.Close() }()
	withheld, err := i.Withheld(t.Context(), 10, 0)
	if err != nil || len(withheld) != 1 || withheld[0].Supply != late.ID {
		t.Fatalf("withheld %+v, %v, want that of %s", withheld, err, late.ID)
	}
	if n, err := i.Release(t.Context(), late.ID); n != 1 || err != nil {
		t.Fatalf("released %d, %v", n, err)
	}
	back.mail.Next(t)
	back.settle(t)
	back.sound(t)
}
