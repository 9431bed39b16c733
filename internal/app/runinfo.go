package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kobling/internal/fault"
)

// RunInfo is what a running process tells the commands on the same machine: how
// to reach it, and the key that lets them. It is kept as <data-dir>/run.json,
// readable by its owner only.
type RunInfo struct {
	PID              int    `json:"pid"`
	Version          string `json:"version"`
	NATSURL          string `json:"nats_url"`
	NATSUser         string `json:"nats_user,omitempty"`
	NATSPassword     string `json:"nats_password,omitempty"`
	OperatorPassword string `json:"operator_password,omitempty"` // of the embedded NATS server
	DatabaseURL      string `json:"database_url,omitempty"`      // of the embedded PostgreSQL
	HTTP             string `json:"http,omitempty"`              // base URL of health and metrics
	MailDir          string `json:"mail_dir,omitempty"`
}

func runInfoPath(dataDir string) string { return filepath.Join(dataDir, "run.json") }

// writeRunInfo replaces the file whole, so that no reader sees half of it.
func writeRunInfo(dataDir string, r RunInfo) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dataDir, ".run-*.json") // mode 0600
	if err != nil {
		return fmt.Errorf("write run.json: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already after the rename
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write run.json: %w", err)
	}
	if err := os.Rename(f.Name(), runInfoPath(dataDir)); err != nil {
		return fmt.Errorf("write run.json: %w", err)
	}
	return nil
}

// notRunningError says where no service runs. It wraps fault.ErrUnavailable,
// which its words need not name: trying again later may help.
type notRunningError struct{ dataDir string }

// Error says what to do.
func (e notRunningError) Error() string {
	return fmt.Sprintf("nothing is running with data directory %s (no run.json there): start \"kobling serve\", or name another directory with --data-dir, or a server with --nats-url", e.dataDir)
}

// Unwrap returns the kind of the error.
func (notRunningError) Unwrap() error { return fault.ErrUnavailable }

// ReadRunInfo reads the file that a running process left in dataDir. The error
// wraps fault.ErrUnavailable if none is running there.
func ReadRunInfo(dataDir string) (RunInfo, error) {
	var r RunInfo
	b, err := os.ReadFile(runInfoPath(dataDir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, notRunningError{dataDir}
	case errors.Is(err, fs.ErrPermission):
		return r, fmt.Errorf("%s may be read by its owner only; run the command as the user who started the server", runInfoPath(dataDir))
	case err != nil:
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s: %w", runInfoPath(dataDir), err)
	}
	return r, nil
}
