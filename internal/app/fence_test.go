package app

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"kobling/internal/stream"
)

// js is a way in behind everybody's back.
func (c *cluster) js() jetstream.JetStream {
	c.t.Helper()
	nc, err := nats.Connect(c.flags["nats-url"])
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		c.t.Fatal(err)
	}
	return js
}

// TestAStreamThatGoesBackUnderARunningProcessStopsIt: a server may come back with
// less than it had acknowledged. Neither the process nor the next start goes on.
func TestAStreamThatGoesBackUnderARunningProcessStopsIt(t *testing.T) {
	t.Parallel()
	for _, name := range []string{stream.Intake, stream.Profiles} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			a, err := c.start(t.TempDir(), "test")
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- a.Run(context.WithoutCancel(t.Context())) }()
			c.publish(&process{App: a}, "need.acme.n", "da", "Faldsensor")
			s, err := c.js().Stream(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			cfg := s.CachedInfo().Config
			if err := c.js().DeleteStream(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			if _, err := c.js().CreateStream(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; !errors.Is(err, stream.ErrFence) || !strings.Contains(err.Error(), `run "kobling rebuild stream"`) {
				t.Errorf("Run = %v, want a fence and what to run", err)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			a, err = Start(t.Context(), c.config(t.TempDir()), Options{Version: "test", Log: zap.NewNop(), Level: zap.NewAtomicLevel()})
			if !errors.Is(err, stream.ErrFence) || !strings.Contains(err.Error(), `run "kobling rebuild stream"`) {
				t.Errorf("Start = %v, want a fence and what to run", err)
			}
			if err == nil {
				t.Error(a.Close())
			}
		})
	}
}
