package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kobling/internal/fault"
	"kobling/internal/store"
	"kobling/internal/testkit"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	state := func(code string) error { return fmt.Errorf("query: %w", &pgconn.PgError{Code: code}) }
	for _, tt := range []struct {
		err  error
		kind string
	}{
		{pgx.ErrNoRows, "not found"},
		{state("22P05"), "invalid"},
		{state("23514"), "invalid"},
		{state("23505"), "conflict"},
		{state("40001"), "unavailable"},
		{state("53300"), "unavailable"},
		{state("57P01"), "unavailable"},
		{state("57014"), "unavailable"},
		{state("08006"), "unavailable"},
		{state("55P03"), "unavailable"},
		{state("42703"), "internal"},
		{state(""), "internal"},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, "unavailable"},
		{fmt.Errorf("receive: %w", io.ErrUnexpectedEOF), "unavailable"},
		{fmt.Errorf("%w: epoch 3", fault.ErrStale), "stale"},
		{context.Canceled, context.Canceled.Error()},
		{errors.New("surprise"), "internal"},
	} {
		if got := fault.Kind(store.Classify(tt.err)); got != tt.kind {
			t.Errorf("Classify(%v) is %q, want %q", tt.err, got, tt.kind)
		}
	}
	if err := store.Classify(nil); err != nil {
		t.Errorf("Classify(nil) = %v", err)
	}
}

func TestATransactionIsTriedAgain(t *testing.T) {
	t.Parallel()
	l := open(t)
	for _, tt := range []struct {
		code     string
		failures int
		tries    int
		err      error
	}{
		{"40P01", 2, 3, nil},
		{"40001", 99, 4, fault.ErrUnavailable},
		{"23514", 99, 1, fault.ErrInvalid},
	} {
		tries := 0
		err := store.InTx(l.Store, t.Context(), "try", func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), fmt.Sprintf(`INSERT INTO network (id, name) VALUES ('try-%s', '')`, tt.code)); err != nil {
				return err
			}
			if tries++; tries <= tt.failures {
				return &pgconn.PgError{Code: tt.code}
			}
			return nil
		})
		if tries != tt.tries || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d tries, %v; want %d, %v", tt.code, tries, err, tt.tries, tt.err)
		}
	}
	if got := l.strings(`SELECT id FROM network`); !cmp.Equal(got, []string{"try-40P01"}) {
		t.Errorf("left behind %v", got)
	}
}

func TestMigrateRaces(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t, nil)
	if err := store.CheckVersion(t.Context(), url); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "kobling migrate") {
		t.Errorf("CheckVersion of an empty database = %v, want advice to migrate", err)
	}
	if _, err := store.Open(t.Context(), url, store.Options{}); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("Open of an empty database = %v, want %v", err, fault.ErrInvalid)
	}
	done := make(chan error, 3)
	for range 3 {
		go func() { done <- store.Migrate(t.Context(), url) }()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Errorf("Migrate once more = %v", err)
	}
	if err := store.CheckVersion(t.Context(), url); err != nil {
		t.Errorf("CheckVersion = %v", err)
	}
}

func TestAnotherSchemaIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, change, want string }{
		{"newer", `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`, "start the newer kobling"},
		{"older jobs", `DELETE FROM river_migration WHERE version = (SELECT max(version) FROM river_migration)`, "kobling migrate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			l.exec(tt.change)
			err := store.CheckVersion(t.Context(), l.url)
			if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("CheckVersion = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t, store.Migrate)
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	s, err := store.Open(t.Context(), url+separator+"lock_timeout=7s", store.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	got := map[string]string{}
	err = store.InTx(s, t.Context(), "show", func(tx pgx.Tx) error {
		for _, name := range []string{"application_name", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "plan_cache_mode"} {
			var value string
			if err := tx.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&value); err != nil {
				return err
			}
			got[name] = value
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"application_name": "kobling", "statement_timeout": "15s", "lock_timeout": "7s", "idle_in_transaction_session_timeout": "30s",
		"plan_cache_mode": "force_custom_plan",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
