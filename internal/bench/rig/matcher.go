package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"kobling/internal/app"
	"kobling/internal/bench/report"
	"kobling/internal/embedded"
	"kobling/internal/fault"
)

// Limits of the matcher's life.
const (
	startLimit = time.Minute
	stopLimit  = 30 * time.Second
	sampling   = 50 * time.Millisecond // between two looks at its memory
)

// Matcher is "kobling serve --roles match" as a process of its own.
type Matcher struct {
	cmd  *exec.Cmd
	out  bytes.Buffer  // what it says; read after ended
	done chan struct{} // closed once it has ended
	exit error

	mu     sync.Mutex
	memory resident // the highest of each
}

// StartMatcher starts the program and returns once it is ready to match. With a file
// named profile it writes a CPU profile there.
func (r *Rig) StartMatcher(ctx context.Context, program, profile string) (*Matcher, error) {
	dir := r.MatcherDir()
	args := []string{
		"serve", "--data-dir", dir, "--roles", "match", "--nats-url", r.nats.ClientURL(), "--nats-user", embedded.ServiceUser,
		"--http-listen", "127.0.0.1:0", "--log-level", "warn", "--log-format", "json",
	}
	if profile != "" {
		args = append(args, "--cpuprofile", profile)
	}
	m := &Matcher{cmd: exec.CommandContext(ctx, program, args...), done: make(chan struct{})} //nolint:gosec // this very program
	m.cmd.Env = []string{"KOBLING_NATS_PASSWORD=" + r.nats.ServicePassword(), "KOBLING_DATABASE_URL=" + r.postgres.URL()}
	m.cmd.Dir = r.Dir
	m.cmd.Stdout, m.cmd.Stderr = &m.out, &m.out
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the matcher: %w", err)
	}
	go func() {
		m.exit = m.cmd.Wait()
		close(m.done)
	}()
	go m.watch()
	if err := m.ready(ctx, dir); err != nil {
		return nil, errors.Join(err, m.Stop())
	}
	return m, nil
}

// MatcherDir is the matcher's data directory, where its index lies.
func (r *Rig) MatcherDir() string { return filepath.Join(r.Dir, "matcher") }

// ready waits until the program says so itself.
func (m *Matcher) ready(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	var reason error
	for {
		select {
		case <-m.done:
			return m.died()
		case <-ctx.Done():
			return fmt.Errorf("the matcher is not ready: %w: %w", reason, ctx.Err())
		case <-look.C:
		}
		info, err := app.ReadRunInfo(dir)
		if err == nil && info.PID == m.cmd.Process.Pid {
			if err = probe(ctx, info.HTTP+"/readyz"); err == nil {
				return nil
			}
		}
		reason = err
	}
}

// probe asks whether a service is ready.
func probe(ctx context.Context, url string) (err error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %w", url, answer.Status, fault.ErrUnavailable)
	}
	return nil
}

// died says how the matcher ended although nobody asked it to.
func (m *Matcher) died() error {
	return fmt.Errorf("the matcher ended by itself: %w; it said:\n%s", errors.Join(m.exit, fault.ErrUnavailable), m.out.Bytes())
}

// watch notes how much memory is used until the matcher ends.
func (m *Matcher) watch() {
	look := time.NewTicker(sampling)
	defer look.Stop()
	for {
		select {
		case <-m.done:
			return
		case <-look.C:
			m.look()
		}
	}
}

// Memory returns the matcher's memory, the highest of each so far.
func (m *Matcher) Memory() report.Memory {
	const mega = 1e6
	top := m.look()
	return report.Memory{
		AnonymousMB: report.Round(float64(top.anonymous)/mega, 1),
		MappedMB:    report.Round(float64(top.mapped)/mega, 1),
		PeakMB:      report.Round(float64(top.peak)/mega, 1),
	}
}

func (m *Matcher) look() resident {
	now := memoryOf(m.cmd.Process.Pid)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.memory.anonymous = max(m.memory.anonymous, now.anonymous)
	m.memory.mapped = max(m.memory.mapped, now.mapped)
	m.memory.peak = max(m.memory.peak, now.peak)
	return m.memory
}

// err says how the matcher ended, nil while it runs.
func (m *Matcher) err() error {
	select {
	case <-m.done:
		return m.died()
	default:
		return nil
	}
}

// cpu is the CPU time that the matcher has used.
func (m *Matcher) cpu() (time.Duration, error) { return cpuOf(m.cmd.Process.Pid) }

// Stop ends the matcher as an operator would, and waits for it.
func (m *Matcher) Stop() error {
	m.look()
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may have ended: then there is nothing to do
	late := time.NewTimer(stopLimit)
	defer late.Stop()
	select {
	case <-m.done:
		if m.exit != nil {
			return m.died()
		}
		return nil
	case <-late.C:
		_ = m.cmd.Process.Kill() // likewise
		<-m.done
		return fmt.Errorf("the matcher did not end within %s and was killed", stopLimit)
	}
}
