package bench

import (
	"context"
	"errors"
	"path/filepath"
	"runtime/debug"
	"time"

	"kobling/internal/bench/peer"
	"kobling/internal/bench/report"
	"kobling/internal/bench/rig"
	"kobling/internal/store"
)

// openPeers makes the other engines, empty.
func (m *measurement) openPeers(ctx context.Context) (err error) {
	m.peers[report.InMemory] = peer.NewMemory()
	b, err := peer.NewBleve(filepath.Join(m.rig.Dir, "bleve"))
	if err != nil {
		return err
	}
	m.peers[report.Bleve] = b
	database, err := m.rig.CreateDatabase(ctx, "peer")
	if err != nil {
		return err
	}
	p, err := peer.NewPostgres(ctx, database)
	if err != nil {
		return err
	}
	m.peers[report.Postgres] = p
	return nil
}

// fill has n profiles of the corpus everywhere.
func (m *measurement) fill(ctx context.Context, n int) error {
	if err := m.rig.Publish(ctx, n, m.stage("Publishing")); err != nil {
		return err
	}
	if err := m.rig.KeepHeads(ctx, m.stage("Keeping heads")); err != nil {
		return err
	}
	if err := m.index.open(); err != nil {
		return err
	}
	return m.index.fill(ctx, m.stage("Indexing"))
}

// grow fills up to n and measures what an event costs then.
func (m *measurement) grow(ctx context.Context, n int) error {
	if err := m.fill(ctx, n); err != nil {
		return err
	}
	if err := m.index.close(); err != nil {
		return err
	}
	m.stage("Matching")
	return m.withMatcher(ctx, "", func(p *rig.Matcher) error {
		w, err := m.rig.Full(ctx, p, m.window())
		if err == nil {
			m.report.Growth = append(m.report.Growth, w.Growth(n))
		}
		return err
	})
}

// withMatcher calls f while the matcher runs, and notes its memory.
func (m *measurement) withMatcher(ctx context.Context, profile string, f func(*rig.Matcher) error) error {
	p, err := m.rig.StartMatcher(ctx, m.Program, profile)
	if err != nil {
		return err
	}
	err = errors.Join(f(p), p.Stop())
	now, have := p.Memory(), &m.report.Memory
	have.AnonymousMB = max(have.AnonymousMB, now.AnonymousMB)
	have.MappedMB = max(have.MappedMB, now.MappedMB)
	have.PeakMB = max(have.PeakMB, now.PeakMB)
	m.report.MemoryMB = have.AnonymousMB
	return err
}

// asleep measures what needs no matcher: queries, and the parts of the way alone.
func (m *measurement) asleep(ctx context.Context, questions []*question) error {
	r, x := &m.report, m.index
	m.stage("Merging")
	if err := x.settle(ctx); err != nil {
		return err
	}
	m.stage("Asking")
	own, err := askKobling(ctx, x.index, m.rig.Epoch, questions, m.rounds())
	if err != nil {
		return err
	}
	r.Queries = append(r.Queries, own)
	for _, name := range []string{report.InMemory, report.Bleve} {
		q, err := askPeer(ctx, name, m.peers[name], questions, m.rounds())
		if err != nil {
			return err
		}
		r.Queries = append(r.Queries, q)
	}
	r.Exact = x.brute.verdict()
	m.stage("Measuring stages")
	if err := m.stages(ctx, questions); err != nil {
		return err
	}
	for name, e := range m.peers {
		s, err := e.Stats(ctx)
		if err != nil {
			return err
		}
		r.DiskBytes[name] = s.Bytes
	}
	stats, err := x.index.Stats()
	if err != nil {
		return err
	}
	r.DiskBytes["kobling_index"] = stats.Bytes
	x.brute = nil
	return x.close()
}

// matched measures the matcher at the size asked for.
func (m *measurement) matched(ctx context.Context) error {
	m.stage("Copying the database")
	if err := m.copyForPeers(ctx); err != nil {
		return err
	}
	r := &m.report
	return m.withMatcher(ctx, m.CPUProfile, func(p *rig.Matcher) error {
		m.stage("Matching")
		w, err := m.rig.Full(ctx, p, m.window())
		if err != nil {
			return err
		}
		m.sample = w
		r.EventsPerS, r.RowsPerEvent = report.Round(w.PerSecond(), 1), report.Round(w.RowsPerEvent(), 2)
		r.WholeWay = append(r.WholeWay, report.WholeWay{
			Engine: report.Kobling, Events: w.Events(), EventsPerS: r.EventsPerS, RowsPerEvent: r.RowsPerEvent,
			CPU: w.Growth(m.Profiles).CPU,
		})
		r.Growth = append(r.Growth, w.Growth(m.Profiles))

		if r.Latency.Idle, err = m.rig.Idle(ctx, p, m.alone(), m.stage("One by one")); err != nil {
			return err
		}
		rate := w.PerSecond() / 2
		n := min(max(int(rate*halfLoadFor.Seconds()), m.alone()), m.window())
		r.Latency.HalfLoad, err = m.rig.Paced(ctx, p, n, rate, m.stage("Half load"))
		return err
	})
}

// halfLoadFor is about how long profiles are published at half load.
const halfLoadFor = 10 * time.Second

// copyForPeers gives each peer a copy of the database as it is before the sample.
func (m *measurement) copyForPeers(ctx context.Context) error {
	var err error
	if m.report.DiskBytes["kobling_database"], m.report.DiskBytes["kobling_stream"], err = m.rig.Sizes(ctx); err != nil {
		return err
	}
	m.rig.CloseStore()
	for name := range m.peers {
		if m.copies[name], err = m.rig.CopyDatabase(ctx, "copy_"+name); err != nil {
			return err
		}
	}
	return m.rig.OpenStore(ctx)
}

// others has the peers go the whole way with the sample that the matcher has handled.
func (m *measurement) others(ctx context.Context) error {
	for _, p := range []struct {
		name  string
		limit time.Duration
	}{{report.InMemory, bleveLimit}, {report.Bleve, bleveLimit}, {report.Postgres, postgresLimit}} {
		m.stage("Matching by "+p.name)(0, m.sample.Events())
		w, err := m.other(ctx, p.name, p.limit)
		if err != nil {
			return err
		}
		m.report.WholeWay = append(m.report.WholeWay, w)
	}
	return nil
}

func (m *measurement) other(ctx context.Context, name string, limit time.Duration) (report.WholeWay, error) {
	s, err := store.Open(ctx, m.copies[name], store.Options{})
	if err != nil {
		return report.WholeWay{}, err
	}
	w := &way{engine: m.peers[name], epoch: m.rig.Epoch, store: s, rows: m.sample.Rows, seqs: m.index.seqs}
	result, err := w.run(ctx, m.rig, m.sample.After, m.sample.Until, limit)
	s.Close()
	if err != nil {
		return result, err
	}
	result.Engine = name
	if name == report.InMemory { // where nothing else competes
		m.report.Stages = append(m.report.Stages, report.NewStage("commit, 64 a transaction", "events", w.commits, w.events))
	}
	if result.Events < m.sample.Events() {
		m.report.Note("%s had no time for more than the first %d of %d events", name, result.Events, m.sample.Events())
	}
	return result, m.rig.DropDatabase(ctx, "copy_"+name)
}

// far goes on growing, without the peers, if that is asked for.
func (m *measurement) far(ctx context.Context) error {
	if !m.Growth {
		return nil
	}
	for name, e := range m.peers {
		if err := e.Close(); err != nil {
			return err
		}
		delete(m.peers, name)
	}
	debug.FreeOSMemory() // what the peers had is the system's cache now
	for _, n := range growthSizes {
		if n > m.rig.Published() {
			if err := m.grow(ctx, n); err != nil {
				return err
			}
		}
	}
	return nil
}
