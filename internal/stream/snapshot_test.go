package stream_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/fault"
	"kobling/internal/stream"
)

// TestASnapshotHoldsMessagesSequencesAndConsumers restores on another server.
func TestASnapshotHoldsMessagesSequencesAndConsumers(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 300 { // several chunks
		m := message("intake", id(i), string(bytes.Repeat([]byte{byte(i), byte(i * 7)}, 2000)))
		if _, err := s.conn.Publish(t.Context(), m, ""); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		s.revise(t, 1) // the first is superseded: there is a gap
	}
	c, err := s.js.CreateConsumer(t.Context(), stream.Intake, jetstream.ConsumerConfig{Durable: "intake", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := c.Fetch(3)
	if err != nil {
		t.Fatal(err)
	}
	for m := range batch.Messages() {
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.conn.Snapshot(t.Context(), "NONE", nil); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("snapshot of a stream that is not there = %v", err)
	}
	other := start(t)
	for _, name := range []string{stream.Intake, stream.Profiles} {
		var kept bytes.Buffer
		meta, err := s.conn.Snapshot(t.Context(), name, &kept)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.conn.Discard(t.Context(), name); !errors.Is(err, fault.ErrConflict) {
			t.Errorf("Discard of a stream with messages = %v", err)
		}
		whole := kept.Bytes()
		if err := other.conn.RestoreSnapshot(t.Context(), name, meta, bytes.NewReader(whole)); err == nil {
			t.Error("restored over a stream that is there")
		}
		for range 2 { // that there is none any more is well
			if err := other.conn.Discard(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		spoilt := bytes.Clone(whole)
		spoilt[len(spoilt)/2] ^= 1
		if err := other.conn.RestoreSnapshot(t.Context(), name, meta, bytes.NewReader(spoilt)); err == nil {
			t.Error("a damaged snapshot is restored")
		}
		if err := other.conn.RestoreSnapshot(t.Context(), name, meta, bytes.NewReader(whole)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.contents(t, name), other.contents(t, name)); diff != "" {
			t.Errorf("%s (-was +restored):\n%s", name, diff)
		}
	}
	e, err := other.conn.Extent(t.Context(), stream.Intake)
	if err != nil || e.LastSeq != 300 || e.Settled["intake"] != 3 {
		t.Errorf("restored INTAKE = %+v, %v", e, err)
	}
	if err := other.conn.Rewind(t.Context(), stream.Intake, "intake", 2); err != nil {
		t.Fatal(err)
	}
	if e, err := other.conn.Extent(t.Context(), stream.Intake); err != nil || e.Settled["intake"] != 1 {
		t.Errorf("rewound INTAKE = %+v, %v", e, err)
	}
}
