package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/intake"
	"kobling/internal/profile"
	"kobling/internal/stream"
	"kobling/internal/testkit"
)

// ledger keeps in memory what package store keeps in PostgreSQL.
type ledger struct {
	mu       sync.Mutex
	rejected map[uint64]event.Rejection
	retired  map[profile.ID]uint64
	review   map[string]bool // of the clusters there are
	down     error
}

func (l *ledger) Reject(_ context.Context, r event.Rejection) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.rejected[r.IntakeSeq]; !ok && l.down == nil {
		l.rejected[r.IntakeSeq] = r
	}
	return l.down
}

func (l *ledger) Retire(_ context.Context, id profile.ID, seq uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down == nil {
		l.retired[id] = max(l.retired[id], seq)
	}
	return l.down
}

func (l *ledger) Admit(_ context.Context, _, cluster string) (bool, error) {
	review, ok := l.review[cluster]
	if !ok {
		return false, fmt.Errorf("%w: there is no cluster %q here", fault.ErrInvalid, cluster)
	}
	return review, nil
}

type detector struct{}

func (detector) Detect(text string) string {
	if strings.Contains(text, "ikke") {
		return "da"
	}
	return ""
}

// house is INTAKE and PROFILES on a real server, and a worker between them.
type house struct {
	*ledger
	intake.Worker
	conn    *stream.Conn
	streams *stream.Streams
	said    []event.Message // as INTAKE holds them
}

const id = profile.ID("need.acme.one")

func start(tb testing.TB) *house {
	tb.Helper()
	conn, err := stream.Connect(tb.Context(), stream.Options{Driver: []nats.Option{testkit.NATS(tb).ConnectOption()}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conn.Close)
	if err := stream.Migrate(tb.Context(), conn, stream.Config{}); err != nil {
		tb.Fatal(err)
	}
	streams, err := stream.Open(tb.Context(), conn)
	if err != nil {
		tb.Fatal(err)
	}
	l := &ledger{
		rejected: map[uint64]event.Rejection{},
		retired:  map[profile.ID]uint64{},
		review:   map[string]bool{profile.DefaultCluster: false, "strict": true},
	}
	return &house{
		ledger: l, conn: conn, streams: streams,
		Worker: intake.Worker{Log: streams, Inbox: streams, Ledger: l, Detector: detector{}},
	}
}

// saying is one submission.
type saying struct {
	kind     string // CloudEvents type
	title    string // of the profile that comes with it; "" is none
	expected uint64
	control  bool
	change   func(*profile.Profile)
	data     string // instead of a profile
}

func submit(title string) saying { return saying{kind: event.TypeSubmitted, title: title} }
func simply(kind string) saying  { return saying{kind: kind} }

// say publishes s to INTAKE and keeps it as it would be delivered.
func (h *house) say(tb testing.TB, s saying) event.Message {
	tb.Helper()
	e := event.Envelope{ID: "e", Source: "/test", Type: s.kind, ExpectedRevision: s.expected, Data: json.RawMessage(s.data)}
	if s.title != "" {
		p := profile.Profile{
			ID:           id,
			Organisation: profile.Organisation{Name: "Acme", Type: profile.SME},
			Texts:        []profile.Text{{Lang: "en", Title: s.title}},
		}
		if s.change != nil {
			s.change(&p)
		}
		data, err := json.Marshal(&p)
		if err != nil {
			tb.Fatal(err)
		}
		e.Data = data
	}
	root := event.Intake
	if s.control {
		root = event.Control
	}
	m := e.Structured(event.Subject(root, id))
	if s.control {
		m.Header[event.HeaderQuiet] = []string{"1"}
	}
	return h.publish(tb, m)
}

func (h *house) publish(tb testing.TB, m event.Message) event.Message {
	tb.Helper()
	seq, err := h.conn.Publish(tb.Context(), m, "")
	if err != nil {
		tb.Fatal(err)
	}
	m.Sequence, m.Time, m.Attempt = seq, time.Date(2026, 9, 1, 12, 0, int(seq), 0, time.UTC), 1
	h.said = append(h.said, m)
	return m
}

func (h *house) handle(tb testing.TB, m event.Message) {
	tb.Helper()
	if err := h.Handle(tb.Context(), m); err != nil {
		tb.Fatalf("Handle %d: %v", m.Sequence, err)
	}
}

// newest returns the newest revision; revision 0 if there is none.
func (h *house) newest(tb testing.TB) event.Revision {
	tb.Helper()
	m, ok, err := h.streams.Last(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	if !ok {
		return event.Revision{}
	}
	r, err := event.DecodeRevision(m)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// codes returns the codes with which the submission was refused.
func (h *house) codes(seq uint64) []string {
	var all []string
	for _, f := range h.rejected[seq].Faults {
		all = append(all, f.Code)
	}
	return all
}

func title(r event.Revision) string {
	if r.Profile == nil {
		return ""
	}
	return r.Profile.Texts[0].Title
}

func TestLifeOfAProfile(t *testing.T) {
	t.Parallel()
	type step struct {
		saying
		want   profile.Status // of the newest revision afterwards
		text   string
		refuse []string // codes
	}
	strict := func(p *profile.Profile) { p.Cluster = "strict" }
	for name, steps := range map[string][]step{
		"A B A are three revisions": {
			{submit("A"), profile.Published, "A", nil},
			{submit("B"), profile.Published, "B", nil},
			{submit("A"), profile.Published, "A", nil},
		},
		"from draft to withdrawal": {
			{saying{kind: event.TypeDrafted, title: "A"}, profile.Draft, "A", nil},
			{simply(event.TypePaused), profile.Draft, "A", []string{intake.CodeWrongStatus}},
			{submit("B"), profile.Published, "B", nil},
			{saying{kind: event.TypeDrafted, title: "C"}, profile.Published, "B", []string{intake.CodeWrongStatus}},
			{simply(event.TypePaused), profile.Paused, "B", nil},
			{submit("C"), profile.Paused, "C", nil},
			{simply(event.TypeResumed), profile.Published, "C", nil},
			{simply(event.TypeResumed), profile.Published, "C", nil},
			{simply(event.TypeRenewed), profile.Published, "C", nil},
			{simply(event.TypeWithdrawn), profile.Withdrawn, "", nil},
			{simply(event.TypeWithdrawn), profile.Withdrawn, "", nil},
			{submit("D"), profile.Withdrawn, "", []string{event.CodeWithdrawn}},
			{simply(event.TypeResumed), profile.Withdrawn, "", []string{event.CodeWithdrawn}},
		},
		"advisors review": {
			{saying{kind: event.TypeSubmitted, title: "A", change: strict}, profile.Submitted, "A", nil},
			{simply(event.TypeResumed), profile.Submitted, "A", []string{intake.CodeWrongStatus}},
			{saying{kind: event.TypeSubmitted, title: "A", change: strict, control: true}, profile.Published, "A", nil},
			{simply(event.TypePaused), profile.Paused, "A", nil},
			{saying{kind: event.TypeSubmitted, title: "B", change: strict}, profile.Submitted, "B", nil},
		},
		"nobody was there": {
			{simply(event.TypePaused), "", "", []string{intake.CodeNotFound}},
			{simply(event.TypeResumed), "", "", []string{intake.CodeNotFound}},
			{simply(event.TypeRenewed), "", "", []string{intake.CodeNotFound}},
			{simply(event.TypeWithdrawn), "", "", []string{intake.CodeNotFound}},
		},
		"expected revision": {
			{saying{kind: event.TypeSubmitted, title: "A", expected: 1}, "", "", []string{event.CodeConflict}},
			{submit("A"), profile.Published, "A", nil},
			{saying{kind: event.TypeSubmitted, title: "B", expected: 1}, profile.Published, "B", nil},
			{saying{kind: event.TypeSubmitted, title: "C", expected: 1}, profile.Published, "B", []string{event.CodeConflict}},
			{saying{kind: event.TypeWithdrawn, expected: 2}, profile.Withdrawn, "", nil},
		},
		"strange clusters": {
			{saying{kind: event.TypeSubmitted, title: "A", change: func(p *profile.Profile) { p.Cluster = "nowhere" }}, "", "", []string{intake.CodeNotAdmitted}},
		},
		"language": {
			{saying{kind: event.TypeSubmitted, title: "det er ikke nemt", change: func(p *profile.Profile) { p.Texts[0].Lang = "" }}, profile.Published, "det er ikke nemt", nil},
			{saying{kind: event.TypeSubmitted, title: "xyz", change: func(p *profile.Profile) { p.Texts[0].Lang = "" }}, profile.Published, "det er ikke nemt", []string{profile.CodeRequired}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t)
			var revision uint64
			for i, step := range steps {
				m := h.say(t, step.saying)
				h.handle(t, m)
				if step.refuse == nil {
					revision++
				}
				got := h.newest(t)
				if got.Status != step.want || title(got) != step.text || got.Revision != revision {
					t.Errorf("step %d: revision %d %s %q, want %d %s %q", i, got.Revision, got.Status, title(got), revision, step.want, step.text)
				}
				if diff := cmp.Diff(step.refuse, h.codes(m.Sequence)); diff != "" {
					t.Errorf("step %d: refused (-want +got):\n%s", i, diff)
				}
				dead := got.Status == profile.Paused || got.Status == profile.Withdrawn
				if step.refuse == nil && dead != (h.retired[id] == got.Seq) {
					t.Errorf("step %d: %s at %d, retired at %d", i, got.Status, got.Seq, h.retired[id])
				}
			}
		})
	}
}

func TestARefusalNamesEveryFault(t *testing.T) {
	t.Parallel()
	h := start(t)
	m := h.say(t, saying{kind: event.TypeSubmitted, expected: 7, data: `{
		"id": "need.acme.one", "cluster": "nowhere", "colour": "red",
		"organisation": {"name": "Acme", "type": "sme", "identifiers": [{"scheme": "cvr", "value": "13585627"}]},
		"texts": [{"lang": "en", "title": "` + strings.Repeat("x", 8000) + `"}],
		"trl": {"min": 3, "max": 12}}`})
	h.handle(t, m)
	r := h.rejected[m.Sequence]
	var got []string
	for _, f := range r.Faults {
		got = append(got, f.Path+" "+f.Code)
	}
	want := []string{
		" conflict", "/cluster not_admitted", "/colour unknown_field", "/organisation/identifiers/0/value bad_identifier",
		"/texts/0/title too_long", "/trl/max out_of_range",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if r.ProfileID != id || r.EventID != "e" || !r.At.Equal(m.Time) {
		t.Errorf("rejection is addressed %+v", r)
	}
	if got := h.newest(t); got.Revision != 0 {
		t.Errorf("published all the same: %+v", got)
	}
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	t.Parallel()
	h := start(t)
	m := event.Envelope{ID: "e", Source: "/test", Type: event.TypeSubmitted, Data: json.RawMessage(`{}`)}.Binary("intake.wish.acme.one")
	m = h.publish(t, m)
	h.handle(t, m)
	if r := h.rejected[m.Sequence]; r.ProfileID != "wish.acme.one" || len(r.Faults) == 0 {
		t.Errorf("rejection %+v", r)
	}
}

func TestTimesAreFilledIn(t *testing.T) {
	t.Parallel()
	h := start(t)
	first := h.say(t, submit("A"))
	h.handle(t, first)
	p := h.newest(t).Profile
	if !p.ValidFrom.Equal(first.Time) || !p.ValidUntil.Equal(first.Time.Add(intake.Validity)) {
		t.Errorf("valid %s to %s, want a year from %s", p.ValidFrom, p.ValidUntil, first.Time)
	}
	second := h.say(t, submit("B"))
	h.handle(t, second)
	if p = h.newest(t).Profile; !p.ValidFrom.Equal(first.Time) || !p.ValidUntil.Equal(second.Time.Add(intake.Validity)) {
		t.Errorf("valid %s to %s, want from the beginning to a year from %s", p.ValidFrom, p.ValidUntil, second.Time)
	}
	h.handle(t, h.say(t, saying{kind: event.TypeRenewed, data: `{"valid_until":"2030-01-02T03:04:05Z"}`}))
	if p = h.newest(t).Profile; p.ValidUntil.Year() != 2030 {
		t.Errorf("renewed until %s", p.ValidUntil)
	}
	early := h.say(t, saying{kind: event.TypeRenewed, data: `{"valid_until":"2020-01-02T03:04:05Z"}`})
	past := h.say(t, saying{kind: event.TypeSubmitted, title: "C", change: func(p *profile.Profile) { p.ValidUntil = time.Unix(1e9, 0) }})
	h.handle(t, past)
	if !slices.Equal(h.codes(early.Sequence), []string{profile.CodeWrongOrder}) || !slices.Equal(h.codes(past.Sequence), []string{profile.CodeOutOfRange}) {
		t.Errorf("refused %v and %v", h.codes(early.Sequence), h.codes(past.Sequence))
	}
}

func TestOnlyTheServiceMayBeQuiet(t *testing.T) {
	t.Parallel()
	h := start(t)
	old := func(p *profile.Profile) { p.ValidUntil = time.Unix(1e9, 0) }
	h.handle(t, h.say(t, saying{kind: event.TypeSubmitted, title: "history", control: true, change: old}))
	if r := h.newest(t); !r.Quiet || !r.Profile.ValidFrom.Before(r.Profile.ValidUntil) {
		t.Errorf("import of history: quiet %t, valid %s to %s", r.Quiet, r.Profile.ValidFrom, r.Profile.ValidUntil)
	}
	e := event.Envelope{ID: "e", Source: "/test", Type: event.TypePaused}.Binary(event.Subject(event.Intake, id))
	e.Header[event.HeaderQuiet] = []string{"1"}
	h.handle(t, h.publish(t, e))
	if r := h.newest(t); r.Status != profile.Paused || r.Quiet {
		t.Errorf("a producer made itself quiet: %+v", r)
	}
}

// A worker that died after publishing left the head as it was; the next one
// repeats what was not done.
func TestARepeatFinishesWhatWasBegun(t *testing.T) {
	t.Parallel()
	h := start(t)
	h.handle(t, h.say(t, submit("A")))
	gone := h.say(t, simply(event.TypeWithdrawn))
	h.down = fmt.Errorf("database: %w", fault.ErrUnavailable)
	if err := h.Handle(t.Context(), gone); !errors.Is(err, fault.ErrUnavailable) {
		t.Fatalf("Handle = %v, want unavailable", err)
	}
	published := h.newest(t)
	h.down = nil
	h.handle(t, gone)
	if got := h.newest(t); got.Seq != published.Seq || h.retired[id] != published.Seq {
		t.Errorf("published at %d and again at %d, retired at %d", published.Seq, got.Seq, h.retired[id])
	}
}

func TestARefusalThatWasNotKeptComesAgain(t *testing.T) {
	t.Parallel()
	h := start(t)
	m := h.say(t, simply(event.TypePaused))
	h.down = fmt.Errorf("database: %w", fault.ErrUnavailable)
	if err := h.Handle(t.Context(), m); fault.Judge(err) != fault.Retry {
		t.Errorf("Handle = %v, want a retry", err)
	}
}

func TestADamagedRevisionHoldsItsProfileUp(t *testing.T) {
	t.Parallel()
	h := start(t)
	damaged := event.Message{Subject: event.Subject(event.Profiles, id), Data: []byte("?")}
	if _, err := h.streams.Publish(t.Context(), damaged, "x", 0); err != nil {
		t.Fatal(err)
	}
	if err := h.Handle(t.Context(), h.say(t, submit("A"))); fault.Judge(err) != fault.Retry {
		t.Errorf("Handle = %v, want a retry until it is repaired", err)
	}
}

// script is a life in which each step depends on the one before it.
var script = []saying{
	simply(event.TypePaused), // refused: nobody is there
	submit("A"),
	submit("B"),
	simply(event.TypePaused),
	submit("C"), // stays paused
	{kind: event.TypeSubmitted, title: "X", expected: 99}, // refused
	simply(event.TypeResumed),
	{kind: event.TypeSubmitted, title: "D", expected: 5},
	{kind: event.TypeRenewed, data: `{"valid_until":"2031-01-01T00:00:00Z"}`},
	simply(event.TypeWithdrawn),
	submit("E"), // refused: withdrawn is final
}

// end is what a life came to, without what depends on the streams.
func (h *house) end(tb testing.TB) map[string]any {
	tb.Helper()
	r := h.newest(tb)
	return map[string]any{
		"revision": r.Revision, "intake": r.IntakeSeq, "status": r.Status, "title": title(r),
		"refused": slices.Sorted(maps.Keys(h.rejected)),
		"retired": r.Status != profile.Published && h.retired[id] == r.Seq,
	}
}

// Whatever the order, the number of deliveries and of workers, a life comes to
// the same end, at every length of it.
func TestEveryDeliveryComesToTheSameEnd(t *testing.T) {
	t.Parallel()
	for n := 2; n <= len(script); n++ {
		t.Run(fmt.Sprintf("%d said", n), func(t *testing.T) {
			t.Parallel()
			calm := start(t)
			for _, s := range script[:n] {
				calm.handle(t, calm.say(t, s))
			}
			want := calm.end(t)
			for seed := range uint64(3) {
				h := start(t)
				for _, s := range script[:n] {
					h.say(t, s)
				}
				deliveries := slices.Concat(h.said, h.said) // everything twice
				rng := rand.New(rand.NewPCG(seed, uint64(n)))
				rng.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
				var wg sync.WaitGroup
				for worker := range 3 {
					wg.Go(func() {
						for i := worker; i < len(deliveries); i += 3 {
							m := deliveries[i]
							for fault.Judge(h.Handle(t.Context(), m)) == fault.Retry {
								if t.Context().Err() != nil {
									return
								}
							}
						}
					})
				}
				wg.Wait()
				if diff := cmp.Diff(want, h.end(t)); diff != "" {
					t.Errorf("seed %d (-in order +shuffled):\n%s", seed, diff)
				}
			}
		})
	}
}
