package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"

	"kobling/internal/telemetry"
)

func get(t *testing.T, s *telemetry.Server, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	return w
}

func TestReadinessNamesWhatDoesNotWork(t *testing.T) {
	t.Parallel()
	broken := errors.New("index is 12 behind")
	s := telemetry.NewServer(zap.NewAtomicLevel())
	s.Ready("database", func(context.Context) error { return nil })
	s.Ready("index", func(context.Context) error { return broken })
	w := get(t, s, "/readyz")
	var st telemetry.Status
	if err := json.Unmarshal(w.Body.Bytes(), &st); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusServiceUnavailable || st.Ready || st.Checks["database"] != "ok" || st.Checks["index"] != broken.Error() {
		t.Errorf("readyz = %d %+v", w.Code, st)
	}
	broken = nil
	if w := get(t, s, "/readyz"); w.Code != http.StatusOK {
		t.Errorf("readyz = %d once all works", w.Code)
	}
	if w := get(t, s, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("healthz = %d", w.Code)
	}
}

func TestMetricsAreReadWhenAskedFor(t *testing.T) {
	t.Parallel()
	n := 1.0
	s := telemetry.NewServer(zap.NewAtomicLevel())
	s.Gauge("match_pending", "Messages not yet handled.", func() float64 { return n })
	n = 7
	if body := get(t, s, "/metrics").Body.String(); !strings.Contains(body, "\nkobling_match_pending 7\n") {
		t.Errorf("metrics lack the gauge:\n%s", body)
	}
}

func TestHistogramsCountByBucket(t *testing.T) {
	t.Parallel()
	s := telemetry.NewServer(zap.NewAtomicLevel())
	size := s.Histogram("match_batch_messages", "Messages of a batch.", []float64{1, 16})
	took := s.HistogramBy("match_step_seconds", "Time of a step.", "step", []float64{0.01, 1})
	size(1)
	size(17)
	took("find", 0.5)
	took("commit", 0.001)
	body := get(t, s, "/metrics").Body.String()
	for _, want := range []string{
		`kobling_match_batch_messages_bucket{le="16"} 1`, `kobling_match_batch_messages_sum 18`,
		`kobling_match_step_seconds_bucket{step="find",le="0.01"} 0`, `kobling_match_step_seconds_bucket{step="commit",le="0.01"} 1`,
	} {
		if !strings.Contains(body, "\n"+want+"\n") {
			t.Errorf("metrics lack %s:\n%s", want, body)
		}
	}
}

func TestLoggerFormats(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"json": `"msg":"hello"`, "console": "INFO\thello"} {
		var b bytes.Buffer
		log, level, err := telemetry.NewLogger("info", format, &b)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("not shown")
		log.Info("hello")
		if got := b.String(); !strings.Contains(got, want) || strings.Contains(got, "not shown") {
			t.Errorf("%s logger wrote %q", format, got)
		}
		level.SetLevel(zap.DebugLevel)
		log.Debug("now shown")
		if !strings.Contains(b.String(), "now shown") {
			t.Errorf("%s: the level did not change while running", format)
		}
	}
	if _, _, err := telemetry.NewLogger("loud", "json", &bytes.Buffer{}); err == nil {
		t.Error("an unknown level was accepted")
	}
}
