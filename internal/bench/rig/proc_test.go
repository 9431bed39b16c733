package rig

import (
	"os"
	"testing"
)

func TestCPUTimeAndMemoryOfAProcess(t *testing.T) {
	t.Parallel()
	pid := os.Getpid()
	if _, err := stat(pid); err != nil {
		t.Skip(err) // not on Linux
	}
	before, err := OwnCPU()
	if err != nil {
		t.Fatal(err)
	}
	for now := before; now < before+5*tick; { // work
		if now, err = OwnCPU(); err != nil {
			t.Fatal(err)
		}
	}
	own, err := cpuOf(pid)
	if err != nil || own < before+3*tick { // counted in ticks
		t.Errorf("the process has used %s, %v; %s before it worked", own, err, before)
	}
	parent, err := parentOf(pid)
	if err != nil || parent != os.Getppid() {
		t.Errorf("parent %d, %v, want %d", parent, err, os.Getppid())
	}
	if tree, err := cpuOfTree(parent); err != nil || tree < own {
		t.Errorf("the parent and its children have used %s, %v, less than %s", tree, err, own)
	}
	if m := memoryOf(pid); m.anonymous < 1<<20 || m.mapped < 1<<20 || m.peak < m.anonymous {
		t.Errorf("memory %+v", m)
	}
	if m := Machine("v1"); m.CPU == "" || m.Cores < 1 || m.MemoryMB < 100 || m.Kobling != "v1" {
		t.Errorf("machine %+v", m)
	}
}
