package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit in which the kernel counts CPU time for other processes. It is 10 ms
// on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// The fields of /proc/PID/stat behind the name of the program, from 0.
const (
	statParent       = 1
	statUser         = 11
	statSystem       = 12
	statChildrenUser = 13 // of children that have ended
	statChildrenSys  = 14
)

// stat reads a process's counters.
func stat(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("CPU time of process %d, which needs Linux: %w", pid, err)
	}
	// The name, in brackets, may hold anything.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) <= statChildrenSys {
		return nil, fmt.Errorf("process %d: its statistics have %d fields", pid, len(fields))
	}
	return fields, nil
}

// ticks adds up counters.
func ticks(fields []string, which ...int) time.Duration {
	var n int64
	for _, i := range which {
		if v, err := strconv.ParseInt(fields[i], 10, 64); err == nil {
			n += v
		}
	}
	return time.Duration(n) * tick
}

// cpuOf returns the CPU time of a process.
func cpuOf(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return ticks(fields, statUser, statSystem), nil
}

// cpuOfTree returns the CPU time of a process and its children, also of those that
// have ended.
func cpuOfTree(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	total := ticks(fields, statUser, statSystem, statChildrenUser, statChildrenSys)
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		child, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		// One that ends just now is counted with its parent.
		if fields, err := stat(child); err == nil && fields[statParent] == strconv.Itoa(pid) {
			total += ticks(fields, statUser, statSystem)
		}
	}
	return total, nil
}

// OwnCPU returns the CPU time of this process.
func OwnCPU() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("CPU time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// resident is the memory of a process, in bytes.
type resident struct{ anonymous, mapped, peak int64 }

// memoryOf reads the memory of a process.
func memoryOf(pid int) resident {
	file := fmt.Sprintf("/proc/%d/status", pid)
	read := func(name string) int64 {
		kB, err := strconv.ParseInt(strings.TrimSuffix(field(file, name), " kB"), 10, 64)
		if err != nil {
			return 0 // it has just ended
		}
		return kB * 1024
	}
	return resident{anonymous: read("RssAnon"), mapped: read("RssFile"), peak: read("VmHWM")}
}

// parentOf returns the process that started pid.
func parentOf(pid int) (int, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(fields[statParent])
}

// PeerCPU is the CPU time of this process, where the peers and the stream are, and of
// PostgreSQL.
func (r *Rig) PeerCPU() (time.Duration, error) {
	own, err := OwnCPU()
	if err != nil {
		return 0, err
	}
	database, err := cpuOfTree(r.server)
	return own + database, err
}
