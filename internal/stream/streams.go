package stream

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kobling/internal/event"
	"kobling/internal/fault"
)

// The streams' names. Operators see them.
const (
	Intake   = "INTAKE"
	Profiles = "PROFILES"
	Events   = "EVENTS"
	Canary   = "CANARY"
)

const canarySubject = "canary"

// Limits of messages, in bytes.
const (
	maxIntakeMsg  = 128 << 10
	maxProfileMsg = 256 << 10
)

// Config is what an operator may choose about the streams.
type Config struct {
	Replicas int   // 0 means 1; 3 in a cluster
	MaxBytes int64 // upper size of each stream; 0: none but the server's own
	// FirstIntake and FirstProfile are the sequences with which re-created
	// streams begin, so that sequences never go back; 0 means 1. They do nothing
	// to a stream that exists.
	FirstIntake, FirstProfile uint64
}

func (c Config) streams() []jetstream.StreamConfig {
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = -1
	}
	return []jetstream.StreamConfig{
		{
			Name:        Intake,
			Description: "What producers and the service say of profiles, unchecked",
			Subjects:    []string{event.Intake + ".*.*.*", event.Control + ".*.*.*"},
			Storage:     jetstream.FileStorage,
			Retention:   jetstream.LimitsPolicy,
			Discard:     jetstream.DiscardNew, // a full stream refuses; it never forgets what was accepted
			MaxBytes:    c.MaxBytes,
			MaxMsgSize:  maxIntakeMsg,
			MaxAge:      30 * 24 * time.Hour,
			Replicas:    c.Replicas,
			FirstSeq:    c.FirstIntake,
		},
		{
			Name:              Profiles,
			Description:       "The newest revision of each profile; only intake writes here",
			Subjects:          []string{event.Profiles + ".*.*.*"},
			Storage:           jetstream.FileStorage,
			Retention:         jetstream.LimitsPolicy,
			MaxMsgsPerSubject: 1,
			Discard:           jetstream.DiscardNew, // at the limit new profiles are refused, updates still go in
			MaxBytes:          c.MaxBytes,
			MaxMsgSize:        maxProfileMsg,
			Replicas:          c.Replicas,
			Duplicates:        10 * time.Minute,
			AllowDirect:       true,
			DenyDelete:        true, // the index learns of an end by a tombstone, never by a message that is gone
			DenyPurge:         true,
			FirstSeq:          c.FirstProfile,
		},
		{
			Name:        Events,
			Description: "Facts and refusals, for producers and other systems",
			Subjects:    []string{event.Events + ".>", event.Rejections + ".*.*.*"},
			Storage:     jetstream.FileStorage,
			Retention:   jetstream.LimitsPolicy,
			Discard:     jetstream.DiscardOld,
			MaxBytes:    c.MaxBytes,
			MaxAge:      90 * 24 * time.Hour,
			Replicas:    c.Replicas,
		},
		{
			Name:              Canary,
			Description:       "Readiness: one message for each process",
			Subjects:          []string{canarySubject + ".*"},
			Storage:           jetstream.FileStorage,
			Retention:         jetstream.LimitsPolicy,
			MaxMsgsPerSubject: 1,
			MaxMsgSize:        1 << 10,
			MaxAge:            24 * time.Hour,
			Replicas:          c.Replicas,
			AllowDirect:       true,
		},
	}
}

// Migrate creates the streams that are missing and brings the limits of the
// others up to cfg. It may be repeated. Only the migrate command calls it.
func Migrate(ctx context.Context, c *Conn, cfg Config) error {
	for _, want := range cfg.streams() {
		s, err := c.js.Stream(ctx, want.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			if _, err := c.js.CreateStream(ctx, want); err != nil {
				return classify("create stream "+want.Name, err)
			}
			continue
		case err != nil:
			return classify("look up stream "+want.Name, err)
		}
		have := s.CachedInfo().Config
		next := merge(have, want)
		if reflect.DeepEqual(have, next) {
			continue
		}
		if _, err := c.js.UpdateStream(ctx, next); err != nil {
			return classify("update stream "+want.Name, err)
		}
	}
	return nil
}

// merge returns have with everything that [Config] and this package decide, so
// that what only the operator decides, such as placement, stays.
func merge(have, want jetstream.StreamConfig) jetstream.StreamConfig {
	next := have
	next.Description = want.Description
	next.Subjects = want.Subjects
	next.Discard = want.Discard
	next.MaxBytes = want.MaxBytes
	next.MaxMsgSize = want.MaxMsgSize
	next.MaxAge = want.MaxAge
	next.Replicas = want.Replicas
	next.AllowDirect = want.AllowDirect
	next.DenyDelete = want.DenyDelete
	next.DenyPurge = want.DenyPurge
	if want.MaxMsgsPerSubject != 0 {
		next.MaxMsgsPerSubject = want.MaxMsgsPerSubject
	}
	if want.Duplicates != 0 {
		next.Duplicates = want.Duplicates
	}
	return next
}

// Streams are the four streams of a server that has been migrated. It is safe
// for concurrent use.
type Streams struct {
	conn     *Conn
	profiles jetstream.Stream
	intake   jetstream.Stream
	canary   jetstream.Stream
}

// Open returns the streams. The error says what to do when they do not exist or
// lost a property on which correctness rests.
func Open(ctx context.Context, c *Conn) (*Streams, error) {
	found := make(map[string]jetstream.Stream)
	for _, want := range (Config{}).streams() {
		s, err := c.js.Stream(ctx, want.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil, fmt.Errorf("stream %s does not exist: %w: run \"kobling migrate\" on a new installation; "+
				"on one that has run before its data is gone: run \"kobling rebuild stream\"", want.Name, fault.ErrNotFound)
		}
		if err != nil {
			return nil, classify("look up stream "+want.Name, err)
		}
		found[want.Name] = s
	}
	p := found[Profiles].CachedInfo().Config
	if p.MaxMsgsPerSubject != 1 || p.AllowRollup || p.Discard != jetstream.DiscardNew || !p.AllowDirect {
		return nil, fmt.Errorf("stream %s is not set up as it must be: %w: run \"kobling migrate\"", Profiles, fault.ErrConflict)
	}
	return &Streams{conn: c, profiles: found[Profiles], intake: found[Intake], canary: found[Canary]}, nil
}

// Probe writes a message to CANARY under this process's own name and reads it
// back: a server whose disk is full answers pings, but not this.
func (s *Streams) Probe(ctx context.Context, name string) error {
	subject := canarySubject + "." + name
	ack, err := s.conn.js.Publish(ctx, subject, nil)
	if err != nil {
		return classify("write canary", err)
	}
	m, err := s.canary.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return classify("read canary", err)
	}
	if m.Sequence < ack.Sequence {
		return fmt.Errorf("read canary: %w: got message %d after writing %d", fault.ErrUnavailable, m.Sequence, ack.Sequence)
	}
	return nil
}
