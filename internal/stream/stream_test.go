package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/stream"
	"kobling/internal/testkit"
)

const limit = 20 * time.Second // for what must happen soon

// server is a migrated server of one test and a connection to it.
type server struct {
	*testkit.NATSServer
	conn    *stream.Conn
	streams *stream.Streams
	js      jetstream.JetStream // a second connection, for what the product never does
}

func start(tb testing.TB) server {
	tb.Helper()
	s := server{NATSServer: testkit.NATS(tb)}
	s.conn = s.connect(tb)
	js, err := jetstream.New(s.Connect(tb))
	if err != nil {
		tb.Fatal(err)
	}
	s.js = js
	if err := stream.Migrate(tb.Context(), s.conn, stream.Config{MaxBytes: 64 << 20}); err != nil {
		tb.Fatal(err)
	}
	if s.streams, err = stream.Open(tb.Context(), s.conn); err != nil {
		tb.Fatal(err)
	}
	return s
}

func (s server) connect(tb testing.TB) *stream.Conn {
	tb.Helper()
	c, err := stream.Connect(tb.Context(), stream.Options{Name: tb.Name(), Driver: []nats.Option{s.ConnectOption()}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

func id(n int) profile.ID { return profile.ID(fmt.Sprintf("need.acme.n%d", n)) }

func message(root string, id profile.ID, body string) event.Message {
	return event.Message{Subject: event.Subject(root, id), Header: map[string][]string{"ce-type": {"t"}}, Data: []byte(body)}
}

// publish puts n messages of different profiles into INTAKE.
func (s server) publish(tb testing.TB, n int) {
	tb.Helper()
	for i := range n {
		if _, err := s.conn.Publish(tb.Context(), message(event.Intake, id(i), "{}"), ""); err != nil {
			tb.Fatal(err)
		}
	}
}

func TestOpenSaysHowToMakeStreams(t *testing.T) {
	t.Parallel()
	s := testkit.NATS(t)
	c := server{NATSServer: s}.connect(t)
	_, err := stream.Open(t.Context(), c)
	if !errors.Is(err, fault.ErrNotFound) || !strings.Contains(err.Error(), "kobling migrate") {
		t.Errorf("Open = %v, want not found and what to do", err)
	}
}

func TestMigrateMayBeRepeatedAndRaisesLimits(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(t, 3)
	for range 2 {
		if err := stream.Migrate(t.Context(), s.conn, stream.Config{MaxBytes: 128 << 20}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.js.Stream(t.Context(), stream.Intake)
	if err != nil {
		t.Fatal(err)
	}
	i := got.CachedInfo()
	if i.Config.MaxBytes != 128<<20 || i.State.Msgs != 3 || i.Config.MaxMsgSize != 128<<10 || i.Config.Discard != jetstream.DiscardNew {
		t.Errorf("INTAKE = %+v with %d messages", i.Config, i.State.Msgs)
	}
}

func TestARecreatedStreamGoesOnCounting(t *testing.T) {
	t.Parallel()
	s := testkit.NATS(t)
	c := server{NATSServer: s}.connect(t)
	if err := stream.Migrate(t.Context(), c, stream.Config{FirstIntake: 1001, FirstProfile: 501}); err != nil {
		t.Fatal(err)
	}
	streams, err := stream.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if seq, err := c.Publish(t.Context(), message(event.Intake, id(1), "{}"), "a"); seq != 1001 || err != nil {
		t.Errorf("first in INTAKE = %d, %v, want 1001", seq, err)
	}
	if seq, err := streams.Publish(t.Context(), message(event.Profiles, id(1), "{}"), "a", 0); seq != 501 || err != nil {
		t.Errorf("first in PROFILES = %d, %v, want 501", seq, err)
	}
}

func TestPublishRecognisesARepeat(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 2 {
		if seq, err := s.conn.Publish(t.Context(), message(event.Intake, id(1), "{}"), "same"); seq != 1 || err != nil {
			t.Errorf("Publish = %d, %v, want 1", seq, err)
		}
	}
}

func TestPublishNamesTheKindOfRefusal(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, err := s.conn.Publish(t.Context(), message(event.Intake, id(1), strings.Repeat("x", 200<<10)), "")
	if !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("too large: %v, want invalid", err)
	}
	s.Stop()
	_, err = s.conn.Publish(t.Context(), message(event.Intake, id(1), "{}"), "")
	if !errors.Is(err, fault.ErrUnavailable) || !errors.Is(s.conn.Healthy(), fault.ErrUnavailable) {
		t.Errorf("server gone: %v, %v, want unavailable", err, s.conn.Healthy())
	}
}

func TestProfilesAreWrittenByCompareAndSet(t *testing.T) {
	t.Parallel()
	s := start(t)
	ctx, l := t.Context(), s.streams
	if _, ok, err := l.Last(ctx, id(1)); ok || err != nil {
		t.Fatalf("Last of nothing = %t, %v", ok, err)
	}
	first, err := l.Publish(ctx, message(event.Profiles, id(1), "1"), "n1-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.Publish(ctx, message(event.Profiles, id(1), "1"), "n1-1", 0); again != first || err != nil {
		t.Errorf("our own repeat = %d, %v, want %d", again, err, first)
	}
	if _, err := l.Publish(ctx, message(event.Profiles, id(1), "x"), "n1-9", 0); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("somebody else was first: %v, want conflict", err)
	}
	if _, err := l.Publish(ctx, message(event.Profiles, id(2), "x"), "n2-9", 7); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("nothing where something was expected: %v, want conflict", err)
	}
	second, err := l.Publish(ctx, message(event.Profiles, id(1), "2"), "n1-2", first)
	if err != nil {
		t.Fatal(err)
	}
	last, ok, err := l.Last(ctx, id(1))
	if err != nil || !ok || last.Sequence != second || string(last.Data) != "2" || last.Header["ce-type"][0] != "t" || last.Time.IsZero() {
		t.Errorf("Last = %+v, %t, %v", last, ok, err)
	}
	if _, ok, err := l.At(ctx, first); ok || err != nil {
		t.Errorf("superseded: %t, %v, want gone", ok, err)
	}
	info, err := l.Info(ctx)
	if err != nil || info.LastSeq != second || info.Messages != 1 || info.Created.IsZero() {
		t.Errorf("Info = %+v, %v", info, err)
	}
}

func TestWhatWasSaidAndWhatIsSettled(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, root := range []string{event.Intake, event.Control, event.Intake} { // sequences 1 to 3
		if _, err := s.conn.Publish(t.Context(), message(root, id(1), "{}"), ""); err != nil {
			t.Fatal(err)
		}
	}
	said := func(after, before uint64) uint64 {
		t.Helper()
		m, ok, err := s.streams.Said(t.Context(), id(1), after, before)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return 0
		}
		return m.Sequence
	}
	if got := []uint64{said(0, 3), said(1, 3), said(2, 3), said(5, 9)}; got[0] != 1 || got[1] != 2 || got[2] != 0 || got[3] != 0 {
		t.Errorf("Said = %v, want 1 2 0 0", got)
	}
	if floor, err := s.streams.Settled(t.Context(), "intake"); floor != 0 || err != nil {
		t.Errorf("settled by nobody: %d, %v", floor, err)
	}
	settled := make(chan uint64, 8)
	c := stream.Consumer{
		From: s.streams, Stream: stream.Intake, Durable: "intake", Batch: 2,
		Settled: func(m event.Message, _ fault.Verdict) { settled <- m.Sequence },
	}
	stop := run(t, &c, func(context.Context, []event.Message) []error { return nil })
	for range 3 {
		<-settled
	}
	stop()
	testkit.Eventually(t, limit, "the acks arrived", func() bool {
		floor, err := s.streams.Settled(t.Context(), "intake")
		return err == nil && floor == 3
	})
}

func TestProbeReadsBackWhatItWrote(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 3 {
		if err := s.streams.Probe(t.Context(), "me"); err != nil {
			t.Fatal(err)
		}
	}
	s.Stop()
	if err := s.streams.Probe(t.Context(), "me"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Probe without a server = %v, want unavailable", err)
	}
}

func TestRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	s := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	var busy atomic.Int64
	go func() {
		served <- s.conn.Serve(ctx, "1.2.3", map[string]stream.Answer{
			"echo":     func(_ context.Context, in []byte) ([]byte, error) { return in, nil },
			"sub.echo": func(_ context.Context, in []byte) ([]byte, error) { busy.Add(1); return in, nil },
			"missing": func(context.Context, []byte) ([]byte, error) {
				return nil, fmt.Errorf("no profile\nx: %w", fault.ErrNotFound)
			},
			"secret": func(context.Context, []byte) ([]byte, error) { return nil, errors.New("password is 1234") },
			"panic":  func(context.Context, []byte) ([]byte, error) { panic("1234") },
			"huge":   func(context.Context, []byte) ([]byte, error) { return make([]byte, s.conn.MaxPayload()+1), nil },
		})
	}()
	client := s.connect(t)
	testkit.Eventually(t, limit, "the API answers", func() bool {
		_, err := client.Request(t.Context(), "sub.echo", []byte("x"))
		return err == nil
	})
	if out, err := client.Request(t.Context(), "echo", []byte(`{"a":1}`)); string(out) != `{"a":1}` || err != nil {
		t.Errorf("echo = %s, %v", out, err)
	}
	for name, want := range map[string]error{"missing": fault.ErrNotFound, "huge": fault.ErrInvalid, "nosuch": fault.ErrUnavailable} {
		if _, err := client.Request(t.Context(), name, nil); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	for _, name := range slices.Repeat([]string{"secret", "panic"}, 20) { // often: the race detector watches
		if _, err := client.Request(t.Context(), name, nil); err == nil || strings.Contains(err.Error(), "1234") {
			t.Errorf("%s: %v tells too much, or nothing", name, err)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}
