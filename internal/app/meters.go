package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"kobling/internal/fault"
	"kobling/internal/match"
	"kobling/internal/telemetry"
)

// The bounds of the histograms: messages of a batch, of which there are at most 64
// (the index takes 512), and seconds.
var (
	bucketsMessages = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}
	bucketsStep     = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	bucketsAge      = []float64{.01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}
)

// meters are the histograms of the stages. What is counted, or read when it is
// asked for, is added in watch.
type meters struct{ intake, index, match, rematch, notify stageMeter }

// newMeters adds the histograms to h.
func newMeters(h *telemetry.Server) meters {
	var m meters
	for name, s := range map[string]*stageMeter{"intake": &m.intake, "index": &m.index, "match": &m.match, "rematch": &m.rematch, "notify": &m.notify} {
		s.steps = h.HistogramBy(name+"_step_seconds", "How long each step took, by step.", "step", bucketsStep)
		if s != &m.notify { // each job is alone
			s.messages = h.Histogram(name+"_batch_messages", "Messages of each batch.", bucketsMessages)
		}
		if s == &m.intake || s == &m.match { // elsewhere it is no measure: what is indexed or matched again is old
			s.age = h.Histogram(name+"_age_seconds", "How old each message was, since it was published, when it was done with.", bucketsAge)
		}
	}
	return m
}

// stageMeter measures one stage.
type stageMeter struct {
	messages func(float64)
	age      func(float64) // nil: not measured
	steps    func(step string, seconds float64)
}

// Batch implements [stream.Meter].
func (m *stageMeter) Batch(messages int, took time.Duration) {
	m.messages(float64(messages))
	m.step("batch", took)
}

// Settled implements [stream.Meter].
func (m *stageMeter) Settled(age time.Duration, v fault.Verdict) {
	if m.age != nil && v != fault.Retry {
		m.age(age.Seconds())
	}
}

func (m *stageMeter) step(name string, took time.Duration) { m.steps(name, took.Seconds()) }

// observe is what a match worker calls.
func (m *stageMeter) observe(s match.Step, took time.Duration) { m.step(string(s), took) }

// attempt measures each attempt at a notification.
func (m *stageMeter) attempt(h func(context.Context, uuid.UUID) error) func(context.Context, uuid.UUID) error {
	return func(ctx context.Context, id uuid.UUID) error {
		defer func(began time.Time) { m.step("attempt", time.Since(began)) }(time.Now())
		return h(ctx, id)
	}
}
