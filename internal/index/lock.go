package index

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"kobling/internal/fault"
)

// acquire locks the file called name, making it if needed, until release or the
// end of the process. The error wraps fault.ErrConflict if another process holds
// the lock. Bleve itself would wait for ever.
func acquire(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // under the directory we were given
	if err != nil {
		return nil, fmt.Errorf("lock index: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = fmt.Errorf("another process has this index open (it holds the lock on %s); stop it, or give this one a data directory of its own: %w", name, fault.ErrConflict)
	case err != nil:
		err = fmt.Errorf("lock index %s: %w", name, err)
	default:
		return f, nil
	}
	return nil, errors.Join(err, f.Close())
}

// release lets go of the lock that acquire returned. To close the file is not
// enough: a process that is being started at this moment has a copy of it, and
// with it the lock, until it runs its own program.
func release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
