package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/store"
)

func rejection(seq uint64) event.Rejection {
	return event.Rejection{
		ProfileID: need, IntakeSeq: seq, EventID: "e-1", At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Faults: []event.Fault{{Path: "/trl/max", Code: "out_of_range", Message: "TRL 12 is not 1 to 9"}, {Code: "bad_text", Message: "a\x00b"}},
	}
}

func TestRejectKeepsAndPublishesOnce(t *testing.T) {
	t.Parallel()
	l := open(t)
	for range 2 {
		l.must(l.Reject(t.Context(), rejection(7)))
	}
	want := rejection(7)
	want.Faults[1].Message = "a\uFFFDb" // PostgreSQL keeps no NUL
	got, err := l.Rejections(t.Context(), need, 10)
	l.must(err)
	if diff := cmp.Diff([]event.Rejection{want}, got); diff != "" {
		t.Errorf("Rejections (-want +got):\n%s", diff)
	}
	if n := get[int](l, `SELECT count(*) FROM river_job WHERE kind = 'event'`); n != 1 {
		t.Errorf("%d events to publish, want 1", n)
	}
	if other, err := l.Rejections(t.Context(), offer, 10); err != nil || len(other) != 0 {
		t.Errorf("Rejections of another profile = %v, %v", other, err)
	}
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.commit(head(need, 5)) // of intake sequence 105
	l.must(l.Reject(t.Context(), rejection(106)))
	for _, tt := range []struct {
		id   profile.ID
		seq  uint64
		want store.Receipt
	}{
		{need, 105, store.Receipt{IntakeSeq: 105, Revision: 5, Status: profile.Published}},
		{need, 106, store.Receipt{IntakeSeq: 105, Revision: 5, Status: profile.Published, Faults: []event.Fault{
			{Path: "/trl/max", Code: "out_of_range", Message: "TRL 12 is not 1 to 9"}, {Code: "bad_text", Message: "a\uFFFDb"},
		}}},
		{offer, 106, store.Receipt{}},
	} {
		got, err := l.Receipt(t.Context(), tt.id, tt.seq)
		l.must(err)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Receipt(%s, %d) (-want +got):\n%s", tt.id, tt.seq, diff)
		}
	}
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.must(l.SaveCluster(t.Context(), store.Cluster{ID: "closed", Name: "Closed", Enrolment: store.EnrolMembers, Review: true}))
	l.exec(`INSERT INTO membership (org, cluster) VALUES ('member', 'closed')`)
	for _, tt := range []struct {
		org, cluster string
		review       bool
		err          error
	}{
		{org: "anybody", cluster: "default"},
		{org: "anybody", cluster: "default"}, // a member by now
		{org: "member", cluster: "closed", review: true},
		{org: "anybody", cluster: "closed", err: fault.ErrInvalid},
		{org: "anybody", cluster: "nowhere", err: fault.ErrInvalid},
	} {
		review, err := l.Admit(t.Context(), tt.org, tt.cluster)
		if review != tt.review || !errors.Is(err, tt.err) {
			t.Errorf("Admit(%s, %s) = %t, %v; want %t, %v", tt.org, tt.cluster, review, err, tt.review, tt.err)
		}
	}
	if got := l.strings(`SELECT org || ' ' || cluster FROM membership ORDER BY 1`); !cmp.Equal(got, []string{"anybody default", "member closed"}) {
		t.Errorf("members = %v", got)
	}
	clusters, err := l.Clusters(t.Context())
	l.must(err)
	want := []store.Cluster{{ID: "closed", Name: "Closed", Enrolment: store.EnrolMembers, Review: true}, {ID: "default", Name: "Default", Enrolment: store.EnrolOpen}}
	if diff := cmp.Diff(want, clusters); diff != "" {
		t.Errorf("Clusters (-want +got):\n%s", diff)
	}
	for _, err := range []error{
		l.SaveCluster(t.Context(), store.Cluster{ID: "a b"}),
		l.SaveCluster(t.Context(), store.Cluster{ID: "c", Enrolment: "maybe"}),
		l.SaveNetwork(t.Context(), store.Network{ID: ""}),
	} {
		if !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("error = %v, want %v", err, fault.ErrInvalid)
		}
	}
}
