package e2e_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"kobling/internal/alert"
	"kobling/internal/app"
	"kobling/internal/audit"
	"kobling/internal/event"
	"kobling/internal/store"
	"kobling/internal/testkit"
)

// audit asks the oracle of a running service.
func (s *system) audit(t *testing.T) audit.Report {
	t.Helper()
	i, err := app.OpenInstallation(t.Context(), s.cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	}()
	r, err := i.Audit(t.Context(), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sound fails unless the oracle finds nothing, and all was judged.
func (s *system) sound(t *testing.T) audit.Report {
	t.Helper()
	var r audit.Report
	testkit.Eventually(t, limit, "the audit judges everything", func() bool {
		r = s.audit(t)
		return r.Checked.Waiting+r.Checked.PairsLeft == 0
	})
	if len(r.Findings) > 0 {
		t.Errorf("the audit finds %+v", r.Findings)
	}
	return r
}

// TestTheAuditFindsWhatIsSpoiled spoils the database of a running service, one
// thing at a time. The audit's own tests have the rest.
func TestTheAuditFindsWhatIsSpoiled(t *testing.T) {
	t.Parallel()
	database := testkit.DatabaseURL(t, store.Migrate)
	s := startOn(t, t.TempDir(), database)
	if _, err := s.Subscribe(t.Context(), alert.Subscription{Cluster: "default", Channel: alert.Email, Address: unique("a") + "@example.org"}); err != nil {
		t.Fatal(err)
	}
	nc := s.connect(t)
	n, p, gone := need(unique("vaktsom")), testPlace(unique("oulu")), need(unique("borte"))
	s.say(t, nc, event.TypeSubmitted, n.ID, n)
	s.say(t, nc, event.TypeSubmitted, p.ID, p)
	s.say(t, nc, event.TypeSubmitted, gone.ID, gone)
	s.say(t, nc, event.TypeWithdrawn, gone.ID, nil)
	s.settle(t)
	if r := s.sound(t); r.Checked.Live == 0 || r.Checked.Documents == 0 {
		t.Fatalf("nothing was compared: %+v", r.Checked)
	}

	db, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	for _, tt := range []struct {
		name, spoil string
		want        []string
	}{
		{"a suggestion is deleted", `DELETE FROM suggestion WHERE demand_id = $1 AND $2 <> ''`, []string{"suggestion_missing"}},
		{"a score is changed", `UPDATE suggestion SET score = score + 0.0001 WHERE demand_id = $1 AND supply_id = $2`, []string{"suggestion_differs"}},
		{"a head is set back", `UPDATE profile SET seq = seq - 1 WHERE id = $1 AND $2 <> ''`, []string{"future_suggestion", "head_behind"}},
		{"a head is deleted", `DELETE FROM profile WHERE id = $1 AND $2 <> ''`, []string{"head_missing"}},
		{"a body is changed", `UPDATE profile SET body = jsonb_set(body, '{cluster}', '"x"') WHERE id = $1 AND $2 <> ''`, []string{"head_differs"}},
		{"what was withdrawn is alive", `UPDATE profile SET alive = true WHERE status = 'withdrawn' AND $1 <> $2`, []string{"head_differs"}},
		{"an alert is deleted", `DELETE FROM notification WHERE demand_id = $1 AND supply_id = $2`, []string{"missing_alert"}},
		{"a pair is forgotten", `DELETE FROM pair WHERE demand_id = $1 AND supply_id = $2`, []string{"unnoticed_pair"}},
		{"an alert is doubled", `INSERT INTO notification (id, dedup_key, subscription_id, channel, demand_id, supply_id, kind, band, state, sent_at)
			SELECT gen_random_uuid(), '\x01', subscription_id, channel, demand_id, supply_id, kind, band, 'sent', now()
			FROM notification WHERE demand_id = $1 AND supply_id = $2`, []string{"doubled_alert"}},
	} {
		// A copy of each table is put back afterwards; nothing else writes meanwhile.
		for _, table := range []string{"profile", "suggestion", "pair", "notification"} {
			if _, err := db.Exec(t.Context(), `CREATE TEMP TABLE IF NOT EXISTS kept_`+table+` AS TABLE `+table); err != nil {
				t.Fatal(err)
			}
		}
		if tag, err := db.Exec(t.Context(), tt.spoil, string(n.ID), string(p.ID)); err != nil || tag.RowsAffected() == 0 {
			t.Fatalf("%s: %v, %v", tt.name, tag, err)
		}
		var got []string
		for _, f := range s.audit(t).Findings {
			got = append(got, f.What)
		}
		slices.Sort(got)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		for _, table := range []string{"notification", "pair", "suggestion", "profile"} {
			if _, err := db.Exec(t.Context(), `DELETE FROM `+table); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(t.Context(), `INSERT INTO `+table+` SELECT * FROM kept_`+table); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.sound(t)
}
