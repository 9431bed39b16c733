package dlq_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"kobling/internal/dlq"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/store"
	"kobling/internal/stream"
	"kobling/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// desk is a desk on real servers, and what puts letters on it.
type desk struct {
	*dlq.Desk

	t       *testing.T
	conn    *stream.Conn
	streams *stream.Streams
	store   *store.Store
}

func open(t *testing.T) *desk {
	t.Helper()
	s, err := store.Open(t.Context(), testkit.DatabaseURL(t, store.Migrate), store.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	conn, err := stream.Connect(t.Context(), stream.Options{Driver: []nats.Option{testkit.NATS(t).ConnectOption()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if err := stream.Migrate(t.Context(), conn, stream.Config{}); err != nil {
		t.Fatal(err)
	}
	streams, err := stream.Open(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{Desk: &dlq.Desk{Ledger: s, Log: streams}, t: t, conn: conn, streams: streams, store: s}
}

// revise publishes a revision that came of submission intakeSeq.
func (d *desk) revise(id profile.ID, intakeSeq uint64) event.Message {
	d.t.Helper()
	last, _, err := d.streams.Last(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	r := event.Revision{ID: id, IntakeSeq: intakeSeq, Revision: last.Sequence + 1, Status: profile.Published, Profile: &profile.Profile{ID: id}}
	m, err := event.EncodeRevision(r)
	if err != nil {
		d.t.Fatal(err)
	}
	if m.Sequence, err = d.streams.Publish(d.t.Context(), m, r.MessageID(), last.Sequence); err != nil {
		d.t.Fatal(err)
	}
	return m
}

// say publishes on INTAKE.
func (d *desk) say(subject string) event.Message {
	d.t.Helper()
	m := event.Message{Subject: subject, Header: map[string][]string{"ce-type": {event.TypeSubmitted}}, Data: []byte(`{}`)}
	var err error
	if m.Sequence, err = d.conn.Publish(d.t.Context(), m, nats.NewInbox()); err != nil {
		d.t.Fatal(err)
	}
	return m
}

// giveUp makes m a dead letter.
func (d *desk) giveUp(m event.Message) event.Message {
	d.t.Helper()
	if err := d.store.Quarantine(d.t.Context(), m, "panic"); err != nil {
		d.t.Fatal(err)
	}
	return m
}

func (d *desk) letters() int {
	d.t.Helper()
	all, err := d.DeadLetters(d.t.Context(), 100, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	return len(all)
}

func TestRetryTakesAPlaceInTheOrderOfNow(t *testing.T) {
	t.Parallel()
	d := open(t)
	for n, say := range map[string]func(id profile.ID) event.Message{
		"profiles": func(id profile.ID) event.Message { return d.revise(id, 7) },
		"intake":   func(id profile.ID) event.Message { return d.say("intake." + string(id)) },
		"control":  func(id profile.ID) event.Message { return d.say("control." + string(id)) },
	} {
		id := profile.ID("need.acme." + n)
		dead := d.giveUp(say(id))
		seq, err := d.Retry(t.Context(), dead.Subject, dead.Sequence)
		if err != nil || seq <= dead.Sequence {
			t.Errorf("%s: retry of %d = %d, %v", n, dead.Sequence, seq, err)
			continue
		}
		name := stream.Intake
		if n == "profiles" {
			name = stream.Profiles
		}
		err = d.conn.Walk(t.Context(), name, seq, seq, func(m event.Message) error {
			maps.DeleteFunc(m.Header, func(name string, _ []string) bool { return strings.HasPrefix(name, "Nats-") })
			if m.Subject != dead.Subject || string(m.Data) != string(dead.Data) || !cmp.Equal(m.Header, dead.Header) {
				return fmt.Errorf("the copy differs: %+v, want %+v", m, dead)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", n, err)
		}
		if _, err := d.Retry(t.Context(), dead.Subject, dead.Sequence); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%s: retried twice: %v", n, err)
		}
	}
	if n := d.letters(); n > 0 {
		t.Errorf("%d letters are left", n)
	}
}

func TestRetryRefusesWhatSomethingLaterHasReplaced(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, tt := range []struct {
		name string
		dead func(id profile.ID) event.Message
		want error
	}{
		{"a later revision", func(id profile.ID) event.Message {
			m := d.giveUp(d.revise(id, 7))
			d.revise(id, 8)
			return m
		}, fault.ErrConflict},
		{"a revision that is not on the stream", func(id profile.ID) event.Message {
			return d.giveUp(event.Message{Subject: event.Subject(event.Profiles, id), Sequence: 9999})
		}, fault.ErrConflict},
		{"a revision that nobody can read", func(id profile.ID) event.Message {
			m := event.Message{Subject: event.Subject(event.Profiles, id), Data: []byte("x")}
			var err error
			if m.Sequence, err = d.streams.Publish(t.Context(), m, "x", 0); err != nil {
				t.Fatal(err)
			}
			return d.giveUp(m)
		}, fault.ErrPoison},
		{"a later submission", func(id profile.ID) event.Message {
			m := d.giveUp(d.say(event.Subject(event.Intake, id)))
			d.say(event.Subject(event.Intake, id))
			return m
		}, fault.ErrConflict},
		{"a later word of the service", func(id profile.ID) event.Message {
			m := d.giveUp(d.say(event.Subject(event.Intake, id)))
			d.say(event.Subject(event.Control, id))
			return m
		}, fault.ErrConflict},
		{"a later submission that was accepted and is forgotten", func(id profile.ID) event.Message {
			m := d.giveUp(d.say(event.Subject(event.Intake, id)))
			d.revise(id, m.Sequence+1000)
			return m
		}, fault.ErrConflict},
		{"no profile", func(profile.ID) event.Message { return d.giveUp(d.say("intake.thing.acme.x")) }, fault.ErrPoison},
		{"another stream", func(id profile.ID) event.Message {
			return d.giveUp(event.Message{Subject: event.Subject(event.Rejections, id), Sequence: 1})
		}, fault.ErrInvalid},
	} {
		before := d.letters()
		dead := tt.dead(profile.ID(fmt.Sprintf("need.acme.n%d", before)))
		if _, err := d.Retry(t.Context(), dead.Subject, dead.Sequence); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if d.letters() != before+1 {
			t.Errorf("%s: the letter is gone", tt.name)
		}
		if err := d.DropDeadLetter(t.Context(), dead.Subject, dead.Sequence); err != nil {
			t.Errorf("%s: drop: %v", tt.name, err)
		}
		if d.letters() != before {
			t.Errorf("%s: the letter is still there", tt.name)
		}
		d.giveUp(event.Message{Subject: fmt.Sprintf("x.%d", before), Sequence: 1}) // so that names differ
	}
}

// TestASubmissionThatIsGivenUpLeavesItsProfileAlone: sequences of INTAKE are not
// those of heads.
func TestASubmissionThatIsGivenUpLeavesItsProfileAlone(t *testing.T) {
	t.Parallel()
	d := open(t)
	const id profile.ID = "need.acme.n"
	m := d.say(event.Subject(event.Intake, id))
	m.Sequence = 1 << 40
	d.giveUp(m)
	if h, err := d.store.Head(t.Context(), id); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("head = %+v, %v, want none", h, err)
	}
	l, err := d.DeadLetter(t.Context(), m.Subject, m.Sequence)
	if err != nil || l.Reason != "panic" || time.Since(l.At) > time.Hour || string(l.Data) != string(m.Data) || !cmp.Equal(l.Header, m.Header) {
		t.Errorf("letter = %+v, %v", l, err)
	}
}
