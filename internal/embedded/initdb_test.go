package embedded

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
)

// TestAnUnfinishedInitdbDoesNotStandInTheWay leaves what a killed process may
// have left: a directory in which its initdb still writes.
func TestAnUnfinishedInitdbDoesNotStandInTheWay(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "kobling-initdb-*") //nolint:usetesting // the account of PostgreSQL must be able to enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "postgres", "data.init-1", "base")
	if err := os.MkdirAll(left, 0o711); err != nil {
		t.Fatal(err)
	}
	stop, written := make(chan struct{}), make(chan struct{})
	go func() { // the orphan
		defer close(written)
		for {
			select {
			case <-stop:
				return
			default:
				_ = os.MkdirAll(left, 0o711)
				_ = os.WriteFile(filepath.Join(left, "1"), nil, 0o600)
			}
		}
	}()
	pg, err := StartPostgres(t.Context(), PostgresOptions{Dir: filepath.Join(dir, "postgres"), Log: zap.NewNop(), Throwaway: true})
	close(stop)
	<-written
	if err != nil {
		t.Fatal(err)
	}
	if err := pg.Stop(); err != nil {
		t.Error(err)
	}
}
