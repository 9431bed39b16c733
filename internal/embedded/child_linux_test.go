package embedded_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kobling/internal/testkit"
)

// Only Linux ties the two together; elsewhere the next start clears up.
func TestPostgresEndsWithItsKilledKeeper(t *testing.T) {
	t.Parallel()

	dir := testkit.PassableDir(t)
	c := startChild(t, os.Args[0], dir, nil)
	_, pidFile := postmaster(t, filepath.Join(dir, "postgres"))
	if err := c.cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	testkit.Eventually(t, 20*time.Second, "PostgreSQL removes its pid file, as after an orderly shutdown", func() bool {
		_, err := os.Stat(pidFile)
		return errors.Is(err, fs.ErrNotExist)
	})
}
