package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrInUse is what a start returns when another process, or another part of
// this one, already runs a server in the same directory.
var ErrInUse = errors.New("directory is in use")

// dirLock makes a directory this process's own until it is released, or until
// the process dies, however it dies.
type dirLock struct{ file *os.File }

// lockDir takes the lock of dir at once or returns an error that wraps
// [ErrInUse] and names the process that holds it.
func lockDir(dir string) (*dirLock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644) //nolint:gosec // holds a pid, which is no secret
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer func() { _ = file.Close() }()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		holder := "another process"
		if pid, err := io.ReadAll(io.LimitReader(file, 20)); err == nil && len(pid) > 0 {
			holder = "process " + strings.TrimSpace(string(pid))
		}
		return nil, fmt.Errorf("%w: %s runs a server in %s; stop it first, or choose another data directory", ErrInUse, holder, dir)
	}
	l := &dirLock{file: file}
	if err := errors.Join(
		file.Truncate(0),
		writeAt(file, strconv.Itoa(os.Getpid())+"\n"),
	); err != nil {
		l.release()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return l, nil
}

func writeAt(file *os.File, s string) error {
	_, err := file.WriteAt([]byte(s), 0)
	return err
}

// release gives the directory up. The file stays: removing it would let two
// processes hold locks on two files of the same name.
func (l *dirLock) release() {
	// Unlocking, unlike closing, also works while a child between fork and exec
	// still has a copy of the descriptor.
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
	_ = l.file.Close()
}
