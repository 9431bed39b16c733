package rig

import (
	"context"
	"fmt"
	"time"

	"kobling/internal/bench/report"
)

// backlogEvery is how often the server is asked what is still waiting.
const backlogEvery = 2 * time.Millisecond

// Window is one sample that the matcher handled at full speed.
type Window struct {
	After, Until uint64         // its events are those after the one sequence and not after the other
	Rows         map[uint64]int // suggestions that each stored, by sequence

	took     time.Duration
	matcher  time.Duration // CPU time
	database time.Duration // likewise
	stored   int           // the sum of Rows
}

// Events is how many there are.
func (w *Window) Events() int { return int(w.Until - w.After) } //nolint:gosec // a sample

// PerSecond is how many were handled in a second.
func (w *Window) PerSecond() float64 { return float64(w.Events()) / w.took.Seconds() }

// RowsPerEvent is how many suggestions each stored, on average.
func (w *Window) RowsPerEvent() float64 { return float64(w.stored) / float64(w.Events()) }

// Growth is what the window says of the cost of an event.
func (w *Window) Growth(profiles int) report.Growth {
	matcher, database := w.matcher/time.Duration(w.Events()), w.database/time.Duration(w.Events())
	return report.Growth{
		Profiles: profiles, CPU: report.Micros(matcher + database), MatcherCPU: report.Micros(matcher), DatabaseCPU: report.Micros(database),
		EventsPerS: report.Round(w.PerSecond(), 1), RowsPerEvent: report.Round(w.RowsPerEvent(), 2),
	}
}

// Full publishes n more profiles as fast as the stream takes them, and waits until all
// are done.
func (r *Rig) Full(ctx context.Context, m *Matcher, n int) (w Window, err error) {
	list, err := r.letters(n)
	if err != nil {
		return w, err
	}
	w.After = r.Last()
	matcher, database, err := r.cpu(m)
	if err != nil {
		return w, err
	}
	begun := time.Now()
	if err := r.post(ctx, list); err != nil {
		return w, err
	}
	w.Until = r.Last()
	if err := r.drained(ctx, m); err != nil {
		return w, err
	}
	w.took = time.Since(begun)
	matcherNow, databaseNow, err := r.cpu(m)
	if err != nil {
		return w, err
	}
	w.matcher, w.database = matcherNow-matcher, databaseNow-database
	w.Rows, err = r.rows(ctx, w.After)
	for _, n := range w.Rows {
		w.stored += n
	}
	return w, err
}

// cpu is the CPU time of the matcher and of PostgreSQL so far.
func (r *Rig) cpu(m *Matcher) (matcher, database time.Duration, err error) {
	if matcher, err = m.cpu(); err == nil {
		database, err = cpuOfTree(r.server)
	}
	return matcher, database, err
}

// drained waits until the matcher has nothing left to do.
func (r *Rig) drained(ctx context.Context, m *Matcher) error {
	look := time.NewTicker(backlogEvery)
	defer look.Stop()
	c := r.matching()
	for {
		b, err := c.Backlog(ctx)
		if err == nil && b.Pending == 0 && b.AckPending == 0 {
			return nil
		}
		if err == nil {
			err = m.err()
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
	}
}

// rows counts the suggestions that each event after a sequence stored. One that two
// events of the sample store is the later one's.
func (r *Rig) rows(ctx context.Context, after uint64) (map[uint64]int, error) {
	found, err := r.pool.Query(ctx, `SELECT greatest(demand_seq, supply_seq) AS seq, count(*) FROM suggestion
		WHERE greatest(demand_seq, supply_seq) > $1 GROUP BY 1`, after)
	if err != nil {
		return nil, fmt.Errorf("count suggestions: %w", err)
	}
	defer found.Close()
	rows := map[uint64]int{}
	for found.Next() {
		var seq uint64
		var n int
		if err := found.Scan(&seq, &n); err != nil {
			return nil, fmt.Errorf("count suggestions: %w", err)
		}
		rows[seq] = n
	}
	return rows, found.Err()
}
