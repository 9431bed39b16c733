//go:build !linux

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// postmasterAttr starts the postmaster in a process group of its own, so that
// Ctrl-C reaches this process alone. Only Linux can tie its life to ours;
// elsewhere the next start stops what a killed process left.
func postmasterAttr(cred *syscall.Credential, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true}
}

// postgresIn returns the processes of PostgreSQL, the postmaster's children
// included, that work in the data directory. It asks lsof, which belongs to
// macOS, for each one's pid (a line beginning with p) and current directory (n).
func postgresIn(ctx context.Context, data string) ([]int, error) {
	out, err := exec.CommandContext(ctx, "/usr/sbin/lsof", "-a", "-c", "postgres", "-d", "cwd", "-Fpn").Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
		err = nil // some or all of what was asked for does not exist
	}
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	pid := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "p"):
			if pid, err = strconv.Atoi(line[1:]); err != nil {
				return nil, fmt.Errorf("list processes: lsof said %q", line)
			}
		case line == "n"+data:
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
