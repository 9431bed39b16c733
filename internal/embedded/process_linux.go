package embedded

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// postmasterAttr starts the postmaster in a process group of its own, so that
// Ctrl-C reaches this process alone, and has the kernel send it a signal when
// the thread that started it ends.
func postmasterAttr(cred *syscall.Credential, onDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true, Pdeathsig: onDeath}
}

// postgresIn returns the processes of PostgreSQL, the postmaster's children
// included, that work in the data directory.
func postgresIn(_ context.Context, data string) ([]int, error) {
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, proc := range procs {
		// A process may end while we look, and others' are not ours to see:
		// neither can be a server on data.
		if cwd, err := os.Readlink(proc + "/cwd"); err != nil || cwd != data {
			continue
		}
		if comm, err := os.ReadFile(filepath.Join(proc, "comm")); err != nil || !bytes.HasPrefix(comm, []byte("postgres")) { //nolint:gosec // the kernel's file
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
