package store_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"kobling/internal/embedded"
	"kobling/internal/fault"
	"kobling/internal/store"
	"kobling/internal/testkit"
)

func TestClearRemovesOnlyWhatAStartMakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, make string
		want       error
	}{
		{"new", ``, nil},
		{"a profile", `INSERT INTO profile (id, kind, org, seq, epoch, alive) VALUES ('need.a.b', 'need', 'a', 1, 1, true)`, fault.ErrConflict},
		{"a refusal", `INSERT INTO rejection (intake_seq, profile_id, faults, at) VALUES (1, 'x', '[]', now())`, fault.ErrConflict},
		{"not ours", `DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE mine (x int)`, fault.ErrConflict},
		{"nothing at all", `DROP SCHEMA public CASCADE; CREATE SCHEMA public`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			l.exec(tt.make)
			before := get[int](l, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`)
			if err := store.Clear(t.Context(), l.url); !errors.Is(err, tt.want) {
				t.Errorf("Clear = %v, want %v", err, tt.want)
			}
			after := get[int](l, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`)
			if want := before; tt.want == nil && after != 0 || tt.want != nil && after != want {
				t.Errorf("%d tables are left of %d", after, before)
			}
		})
	}
}

// TestADumpHoldsAll: what is read back is what was dumped, in an older schema too,
// and nothing is left of a dump that is damaged.
func TestADumpHoldsAll(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.subscribe()
	l.commit(head(need, 1), head(offer, 2), pair(1, 2))
	var dump bytes.Buffer
	l.must(embedded.Dump(t.Context(), "", l.url, &dump))

	url := testkit.DatabaseURL(t, nil)
	broken := dump.Bytes()[:dump.Len()/2]
	if err := embedded.RestoreDump(t.Context(), "", url, bytes.NewReader(broken)); err == nil || !strings.Contains(err.Error(), "pg_restore") {
		t.Errorf("half a dump is restored: %v", err)
	}
	db, err := pgx.Connect(t.Context(), url)
	l.must(err)
	defer func() { _ = db.Close(t.Context()) }()
	var tables int
	l.must(db.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables))
	if tables > 0 {
		t.Errorf("half a dump leaves %d tables", tables)
	}
	l.must(embedded.RestoreDump(t.Context(), "", url, &dump))
	l.must(store.Migrate(t.Context(), url))
	s, err := store.Open(t.Context(), url, store.Options{MaxConns: 2})
	l.must(err)
	defer s.Close()
	want, err := l.Stats(t.Context())
	l.must(err)
	got, err := s.Stats(t.Context())
	if err != nil || got.Suggestions != 1 || got.Notify != 1 || got.Profiles != want.Profiles {
		t.Errorf("restored %+v, %v, want %+v", got, err, want)
	}
}
