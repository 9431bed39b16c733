package index

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"kobling/internal/fault"
)

// TestTheLockEndsAlthoughACopyOfItsFileIsOpen has such a copy as a process has
// that is just being started.
func TestTheLockEndsAlthoughACopyOfItsFileIsOpen(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "lock")
	lock, err := acquire(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := acquire(name); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("locked twice: %v, want %v", err, fault.ErrConflict)
	}
	twin, err := syscall.Dup(int(lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(twin) }()
	if err := release(lock); err != nil {
		t.Fatal(err)
	}
	again, err := acquire(name)
	if err != nil {
		t.Fatal("the lock outlives its release:", err)
	}
	if err := release(again); err != nil {
		t.Error(err)
	}
}
