package rig

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"kobling/internal/bench/report"
)

// Machine describes what is measured on, as far as it can be read; version is that of
// this program.
func Machine(version string) report.Machine {
	m := report.Machine{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.GOMAXPROCS(0), Kernel: runtime.GOOS,
		Go: strings.TrimPrefix(runtime.Version(), "go"), Kobling: version,
	}
	if m.CPU == "" {
		m.CPU = runtime.GOARCH
	}
	if kB, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		m.MemoryMB = kB * 1024 / 1e6
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel += " " + strings.TrimSpace(string(b))
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, d := range build.Deps {
			switch d.Path {
			case "github.com/blevesearch/bleve/v2":
				m.Bleve = strings.TrimPrefix(d.Version, "v")
			case "github.com/nats-io/nats-server/v2":
				m.NATS = strings.TrimPrefix(d.Version, "v")
			}
		}
	}
	return m
}

// field returns the first value of a "name : value" line, "" if there is none.
func field(file, name string) string {
	b, err := os.ReadFile(file) //nolint:gosec // a file of /proc
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
