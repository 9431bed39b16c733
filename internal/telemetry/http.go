package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// Check says whether one dependency works: nil, or the reason why not. It is
// asked at every /readyz and should take no longer than CheckTimeout.
type Check func(ctx context.Context) error

// CheckTimeout bounds each readiness check.
const CheckTimeout = 2 * time.Second

// Server answers /healthz, /readyz, /metrics and /loglevel. Create it with
// NewServer, add to it, then Run it.
type Server struct {
	Metrics *prometheus.Registry
	checks  map[string]Check
	level   zap.AtomicLevel
}

// NewServer returns a Server with the metrics of the process itself.
func NewServer(level zap.AtomicLevel) *Server {
	m := prometheus.NewRegistry()
	m.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return &Server{Metrics: m, checks: map[string]Check{}, level: level}
}

// Ready adds a readiness check; call it before Run.
func (s *Server) Ready(name string, c Check) { s.checks[name] = c }

// Gauge adds a metric that is read when asked for.
func (s *Server) Gauge(name, help string, read func() float64) {
	s.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kobling_" + name, Help: help}, read))
}

// Counter adds a metric that only grows and is read when asked for.
func (s *Server) Counter(name, help string, read func() float64) {
	s.Metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "kobling_" + name + "_total", Help: help}, read))
}

// Histogram adds a metric of how values spread over buckets, whose upper bounds are
// given in rising order, and returns the function that takes a value.
func (s *Server) Histogram(name, help string, buckets []float64) func(float64) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "kobling_" + name, Help: help, Buckets: buckets})
	s.Metrics.MustRegister(h)
	return h.Observe
}

// HistogramBy does the same for several kinds of values, which the metric tells
// apart by a label.
func (s *Server) HistogramBy(name, help, label string, buckets []float64) func(kind string, value float64) {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "kobling_" + name, Help: help, Buckets: buckets}, []string{label})
	s.Metrics.MustRegister(h)
	return func(kind string, value float64) { h.WithLabelValues(kind).Observe(value) }
}

// Handler returns the routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /loglevel", s.level.ServeHTTP)
	mux.HandleFunc("PUT /loglevel", s.level.ServeHTTP)
	return mux
}

// Status is what /readyz answers: "ok" or the reason, by check.
type Status struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"`
}

// Status runs all checks at once.
func (s *Server) Status(ctx context.Context) Status {
	ctx, cancel := context.WithTimeout(ctx, CheckTimeout)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	st := Status{Ready: true, Checks: map[string]string{}}
	for name, check := range s.checks {
		wg.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			st.Checks[name] = "ok"
			if err != nil {
				st.Ready, st.Checks[name] = false, err.Error()
			}
		})
	}
	wg.Wait()
	return st
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	st := s.Status(r.Context())
	w.Header().Set("Content-Type", "application/json")
	if !st.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if err := json.NewEncoder(w).Encode(st); err != nil {
		return // the client went away
	}
}

// Run serves on l until ctx ends.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	stopped := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(grace) // after the grace period the process ends anyway
	})
	defer stopped()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("HTTP on %s: %w", l.Addr(), err)
	}
	return nil
}
