package rebuild_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/rebuild"
	"kobling/internal/suggestion"
)

// installation is streams and a database in memory.
type installation struct {
	streams map[string]*memory
	held    map[string][]event.Message
	heads   map[profile.ID]rebuild.Head
	refused []uint64
	quiet   uint64
	cut     int // messages that a Recreate keeps before it is cut off; 0: it is not
}

type memory struct {
	last     uint64
	messages []event.Message
	settled  uint64 // by intake
}

func empty() *installation {
	return &installation{
		streams: map[string]*memory{"INTAKE": {}, "PROFILES": {}}, held: map[string][]event.Message{}, heads: map[profile.ID]rebuild.Head{},
	}
}

func (i *installation) Extent(_ context.Context, name string) (rebuild.Extent, error) {
	s, ok := i.streams[name]
	if !ok {
		return rebuild.Extent{}, fault.ErrNotFound
	}
	return rebuild.Extent{LastSeq: s.last, Settled: map[string]uint64{"intake": s.settled}}, nil
}

func (i *installation) Walk(_ context.Context, name string, first, last uint64, f func(event.Message) error) error {
	s, ok := i.streams[name]
	if !ok {
		return fault.ErrNotFound
	}
	for _, m := range s.messages {
		if m.Sequence < first || m.Sequence > last {
			continue
		}
		if err := f(m); err != nil {
			return err
		}
	}
	return nil
}

func (i *installation) Held(_ context.Context, name string, f func(event.Message) error) error {
	for _, m := range i.held[name] {
		if err := f(m); err != nil {
			return err
		}
	}
	return nil
}

var errCut = errors.New("cut off")

func (i *installation) Recreate(_ context.Context, name string, first uint64, ms iter.Seq2[event.Message, error]) (uint64, error) {
	kept := 0
	for m, err := range ms {
		if err != nil {
			return 0, err
		}
		if i.cut > 0 && kept == i.cut {
			i.cut = 0
			return 0, errCut
		}
		kept++
		if name == "PROFILES" {
			i.held[name] = slices.DeleteFunc(i.held[name], func(old event.Message) bool { return old.Subject == m.Subject })
		}
		i.held[name] = append(i.held[name], m)
	}
	if first <= i.last(name) {
		return 0, fmt.Errorf("%s begins at %d and went to %d", name, first, i.last(name))
	}
	s := &memory{last: first - 1}
	i.streams[name] = s
	for _, m := range i.held[name] {
		s.last++
		m.Sequence = s.last
		s.messages = append(s.messages, m)
	}
	delete(i.held, name)
	return s.last, nil
}

func (i *installation) last(name string) uint64 {
	if s, ok := i.streams[name]; ok {
		return s.last
	}
	return 0
}

func (i *installation) Publish(_ context.Context, m event.Message, _ string) (uint64, error) {
	s := i.streams["INTAKE"]
	s.last++
	m.Sequence = s.last
	s.messages = append(s.messages, m)
	return s.last, nil
}

func (i *installation) Heads(_ context.Context, f func(rebuild.Head) error) error {
	for _, id := range slices.Sorted(maps.Keys(i.heads)) {
		if err := f(i.heads[id]); err != nil {
			return err
		}
	}
	return nil
}

func (i *installation) Heights(context.Context) (seq, intakeSeq uint64, err error) {
	for _, h := range i.heads {
		seq, intakeSeq = max(seq, h.Seq), max(intakeSeq, h.IntakeSeq)
	}
	return seq, intakeSeq, nil
}

func (i *installation) Refused(_ context.Context, intakeSeq uint64) (bool, error) {
	return slices.Contains(i.refused, intakeSeq), nil
}

func (i *installation) QuietUntil(_ context.Context, seq uint64) error {
	i.quiet = seq
	return nil
}

// born is when the first submission of these tests was stored.
var born = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// at is when a submission was stored, if the stream never lost anything.
func at(intakeSeq uint64) time.Time { return born.Add(time.Duration(intakeSeq) * time.Hour) }

// revise puts a revision on PROFILES.
func (i *installation) revise(t *testing.T, id profile.ID, seq, intakeSeq uint64, status profile.Status) {
	t.Helper()
	r := event.Revision{ID: id, IntakeSeq: intakeSeq, Revision: intakeSeq, Status: status, Time: at(intakeSeq)}
	if !r.Tombstone() {
		r.Profile = &profile.Profile{ID: id}
	}
	m, err := event.EncodeRevision(r)
	if err != nil {
		t.Fatal(err)
	}
	m.Sequence = seq
	s := i.streams["PROFILES"]
	s.messages = slices.DeleteFunc(s.messages, func(old event.Message) bool { return old.Subject == m.Subject })
	s.messages = append(s.messages, m)
	s.last = max(s.last, seq)
}

// head puts a head into the database.
func (i *installation) head(t *testing.T, id profile.ID, seq, intakeSeq uint64, status profile.Status, alive bool) {
	t.Helper()
	h := rebuild.Head{Revision: intakeSeq, Status: status}
	h.Head = suggestion.Head{ID: id, Seq: seq, IntakeSeq: intakeSeq, Alive: alive}
	if status != profile.Withdrawn && status != "" {
		body, err := json.Marshal(profile.Profile{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		h.Raw = body
	}
	i.heads[id] = h
}

// submit puts a submission on INTAKE.
func (i *installation) submit(id profile.ID, seq uint64, settled bool) {
	s := i.streams["INTAKE"]
	s.messages = append(s.messages, event.Message{Subject: event.Subject(event.Intake, id), Sequence: seq, Time: at(seq), Data: fmt.Appendf(nil, "%d", seq)})
	s.last = max(s.last, seq)
	if settled {
		s.settled = seq
	}
}

// profiles is what PROFILES says now: "id intake status", in order.
func (i *installation) profiles(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, m := range i.streams["PROFILES"].messages {
		r, err := event.DecodeRevision(m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %d %s", r.ID, r.IntakeSeq, r.Status))
	}
	slices.Sort(all)
	return all
}

func (i *installation) intake() []string {
	var all []string
	for _, m := range i.streams["INTAKE"].messages {
		all = append(all, fmt.Sprintf("%d: %s", m.Sequence, m.Data))
	}
	return all
}

const (
	a profile.ID = "need.acme.a"
	b profile.ID = "offer.dtu.b"
)

func TestRebuild(t *testing.T) {
	t.Parallel()
	const published, paused, withdrawn = profile.Published, profile.Paused, profile.Withdrawn
	for _, tt := range []struct {
		name     string
		make     func(t *testing.T, i *installation)
		lost     bool
		profiles []string
		intake   []string
		quiet    bool
	}{
		{
			name:     "nothing is lost",
			make:     func(*testing.T, *installation) {},
			profiles: []string{"need.acme.a 1 published", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"1: 1", "2: 2"},
		},
		{
			name:     "PROFILES is gone",
			make:     func(_ *testing.T, i *installation) { delete(i.streams, "PROFILES") },
			lost:     true,
			profiles: []string{"need.acme.a 1 published", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"1: 1", "2: 2"},
			quiet:    true,
		},
		{
			name: "the stream has one that the database never had, and lost another",
			make: func(t *testing.T, i *installation) {
				t.Helper()
				i.submit(a, 3, true)
				i.streams["PROFILES"] = &memory{}
				i.revise(t, a, 12, 3, paused)
			},
			lost:     true,
			profiles: []string{"need.acme.a 3 paused", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"1: 1", "2: 2", "3: 3"},
			quiet:    true,
		},
		{
			name: "an ended profile is paused at the revision before",
			make: func(t *testing.T, i *installation) {
				t.Helper()
				i.head(t, a, 15, 1, published, false) // retired at 15, by a submission that is forgotten
			},
			lost:     true,
			profiles: []string{"need.acme.a 1 paused", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"1: 1", "2: 2"},
			quiet:    true,
		},
		{
			name: "what ended it is submitted again",
			make: func(t *testing.T, i *installation) {
				t.Helper()
				i.head(t, a, 15, 1, published, false)
				i.submit(a, 3, true)
			},
			lost:     true,
			profiles: []string{"need.acme.a 1 paused", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"1: 1", "2: 2", "3: 3", "4: 3"},
			quiet:    true,
		},
		{
			name: "a revision that nobody has is submitted again, one that was refused is not",
			make: func(_ *testing.T, i *installation) {
				i.submit(a, 3, true)
				i.submit(a, 4, true)
				i.submit(a, 5, false) // to be delivered
				i.refused = []uint64{3}
			},
			lost:     true,
			profiles: []string{"need.acme.a 1 published", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"1: 1", "2: 2", "3: 3", "4: 4", "5: 5", "6: 4"},
			quiet:    true,
		},
		{
			name:     "INTAKE is gone",
			make:     func(_ *testing.T, i *installation) { delete(i.streams, "INTAKE") },
			lost:     true,
			profiles: []string{"need.acme.a 1 published", "offer.dtu.b 2 withdrawn"},
		},
		{
			name: "INTAKE was cut short and went on",
			make: func(_ *testing.T, i *installation) {
				s := &memory{}
				i.streams["INTAKE"] = s
				i.submit(a, 1, true) // the old one
				s.messages = append(s.messages, event.Message{Subject: "control." + string(b), Sequence: 2, Time: at(99), Data: []byte("swallowed")})
				s.last, s.settled = 2, 2
				i.submit(a, 3, false)
				h := i.heads[a]
				h.IntakeSeq = 7
				i.heads[a] = h
			},
			lost:     true,
			profiles: []string{"need.acme.a 7 published", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"8: swallowed", "9: 3"},
			quiet:    true,
		},
		{
			name: "of one nothing is left",
			make: func(t *testing.T, i *installation) {
				t.Helper()
				i.head(t, "need.x.y", 20, 0, "", false)
			},
			lost:     true,
			profiles: []string{"need.acme.a 1 published", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"1: 1", "2: 2"},
			quiet:    true,
		},
		{
			name: "what cannot be read is replaced by the revision before",
			make: func(_ *testing.T, i *installation) {
				i.streams["PROFILES"].messages[0].Data = []byte("{")
			},
			lost:     true,
			profiles: []string{"need.acme.a 1 published", "offer.dtu.b 2 withdrawn"},
			intake:   []string{"1: 1", "2: 2"},
			quiet:    true,
		},
	} {
		for cut := range 3 {
			t.Run(fmt.Sprintf("%s, cut off after %d", tt.name, cut), func(t *testing.T) {
				t.Parallel()
				i := empty()
				i.submit(a, 1, true)
				i.submit(b, 2, true)
				i.revise(t, a, 10, 1, published)
				i.revise(t, b, 11, 2, withdrawn)
				i.head(t, a, 10, 1, published, true)
				i.head(t, b, 11, 2, withdrawn, false)
				tt.make(t, i)
				height, _, _ := i.Heights(t.Context())
				height = max(height, i.last("PROFILES"))
				r := &rebuild.Rebuilder{Log: i, Ledger: i}
				p, err := r.Plan(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if p.Lost != tt.lost {
					t.Fatalf("plan = %+v", p)
				}
				if !p.Lost {
					return
				}
				i.cut = cut
				err = r.Run(t.Context(), p, false)
				if errors.Is(err, errCut) {
					if p, err = r.Plan(t.Context()); err == nil {
						err = r.Run(t.Context(), p, false)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.profiles, i.profiles(t)); diff != "" {
					t.Errorf("PROFILES (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.intake, i.intake()); diff != "" {
					t.Errorf("INTAKE (-want +got):\n%s", diff)
				}
				if tt.quiet {
					if i.quiet != i.last("PROFILES") || i.streams["PROFILES"].messages[0].Sequence <= height {
						t.Errorf("quiet until %d, begins at %d, had gone to %d", i.quiet, i.streams["PROFILES"].messages[0].Sequence, height)
					}
				}
				if p, err = r.Plan(t.Context()); err != nil || p.Profiles != len(tt.profiles) {
					t.Errorf("plan afterwards = %+v, %v", p, err)
				}
			})
		}
	}
}
