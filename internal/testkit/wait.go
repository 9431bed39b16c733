package testkit

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
)

// Eventually asks cond every few milliseconds until it holds, and fails the
// test, saying what did not happen, when it does not within limit. Use it for
// what can only be asked; wait on a channel for what tells.
func Eventually(tb testing.TB, limit time.Duration, what string, cond func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			if !cond() { // the last question may have been long ago
				tb.Fatalf("not within %s: %s", limit, what)
			}
			return
		}
	}
}

// Logger returns a logger whose lines show with the test when it fails. What
// logs to it must have ended when the test does.
func Logger(tb testing.TB) *zap.Logger {
	tb.Helper()
	return zaptest.NewLogger(tb)
}

// PassableDir returns a new directory for an embedded PostgreSQL, removed when
// the test ends. The account of a server that root starts can enter it, unlike
// what tb.TempDir returns.
func PassableDir(tb testing.TB) string {
	tb.Helper()
	dir, err := passableDir("kobling-test-*")
	if err == nil {
		tb.Cleanup(func() { _ = os.RemoveAll(dir) })
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		tb.Fatal("testkit:", err)
	}
	return dir
}

// EvalData returns the directory of real profiles that KOBLING_EVAL_DATA names,
// and skips the test when it names none.
func EvalData(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("KOBLING_EVAL_DATA")
	if dir == "" {
		tb.Skip("KOBLING_EVAL_DATA is not set")
	}
	if _, err := os.Stat(dir); err != nil {
		tb.Fatal("KOBLING_EVAL_DATA:", err)
	}
	return dir
}
