package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/bench"
	"kobling/internal/bench/report"
	"kobling/internal/fault"
)

// benchCmd measures speed.
type benchCmd struct {
	output

	Profiles    int    `default:"10000" help:"How many profiles there are; 300 at least, and 10,000 for figures that mean something."`
	Growth      bool   `help:"Go on until there are 500,000, to see what an event costs then. It takes hours."`
	Seed        uint64 `default:"1" help:"Another number makes other profiles."`
	Text        string `type:"existingdir" placeholder:"DIR" help:"Make the profiles of sentences in files *.txt, *.tsv and *.jsonl there, also .gz, not of invented words."`
	SVG         string `name:"svg" type:"path" default:"bench.svg" placeholder:"FILE" help:"Draw ratios and growth there; \"\" for nowhere."`
	CPUProfile  string `name:"cpuprofile" type:"path" placeholder:"FILE" help:"Write a CPU profile of the matcher, at the size asked for, there: for go tool pprof."`
	Dir         string `type:"existingdir" placeholder:"DIR" help:"Where a folder for the measured service is made, and removed again: on the disk that is to be measured. Default: the system's temporary folder."`
	PostgresBin string `name:"postgres-bin" placeholder:"DIR" help:"Folder with the PostgreSQL programs. Default: searched on PATH and in the usual places."`
}

// Help is shown under --help.
func (*benchCmd) Help() string {
	return `Example: kobling bench --profiles 100000 --json

Starts a service of its own, fills it with invented profiles, and measures the way of a profile from
the stream to its committed suggestions, queries, latency, memory and growth. In the same run it
measures other engines with the same data: PostgreSQL full text alone, bleve's own search, and a plain
index in memory. A ratio above 1 says that kobling is faster.

10,000 profiles take about two minutes on two cores, 100,000 up to twelve. Nothing else should run.`
}

// Run measures and prints the report.
func (c *benchCmd) Run(p *process) (err error) {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	var drawing *os.File
	if c.SVG != "" { // before the long work
		if drawing, err = os.Create(c.SVG); err != nil {
			return fmt.Errorf("--svg: %w", err)
		}
		defer func() { err = errors.Join(err, drawing.Close()) }()
	}
	profiled := c.CPUProfile
	if profiled != "" {
		if profiled, err = filepath.Abs(profiled); err != nil {
			return err
		}
	}
	show := p.stages()
	r, err := bench.Run(p, bench.Options{
		Profiles: c.Profiles, Growth: c.Growth, Seed: c.Seed, Text: c.Text, Dir: c.Dir, PostgresBin: c.PostgresBin,
		Program: program, Version: version, CPUProfile: profiled,
		Progress: show.set,
	})
	show.stop()
	switch {
	case errors.Is(err, fault.ErrInvalid):
		return fmt.Errorf("%w (%w)", err, errUsage)
	case err != nil:
		return err
	}
	if drawing != nil {
		if err := r.WriteSVG(drawing); err != nil {
			return fmt.Errorf("--svg: %w", err)
		}
	}
	if c.JSON {
		return p.printJSON(r)
	}
	printBench(p.out, r)
	if drawing != nil {
		say(p.out, "The drawing is %s", c.SVG)
	}
	return nil
}

// printBench writes the report for people: ratios, then figures, then the machine.
func printBench(w io.Writer, r *report.Report) {
	t := newTable(w)
	t.AppendHeader(table.Row{"kobling is faster than", "by", "measured by"})
	for _, x := range []struct {
		than, by string
		ratio    float64
	}{
		{"PostgreSQL full text, the whole way", "events per second", r.Ratios.WholeWayVsPostgres},
		{"bleve Search, the whole way", "events per second", r.Ratios.WholeWayVsBleveSearch},
		{"a plain index in memory, the whole way", "events per second", r.Ratios.WholeWayVsMemory},
		{"bleve Search, a query", "CPU time", r.Ratios.QueryVsBleveSearch},
		{"a plain index in memory, a query", "CPU time", r.Ratios.QueryVsMemory},
	} {
		t.AppendRow(table.Row{x.than, fmt.Sprintf("%.3g×", x.ratio), x.by})
	}
	t.Render()

	t = newTable(w)
	t.AppendHeader(table.Row{"Whole way", "events/s", "CPU µs an event", "events", "rows an event"})
	for _, x := range r.WholeWay {
		t.AppendRow(table.Row{x.Engine, fmt.Sprintf("%.1f", x.EventsPerS), fmt.Sprintf("%.0f", x.CPU), x.Events, fmt.Sprintf("%.1f", x.RowsPerEvent)})
	}
	t.Render()

	t = newTable(w)
	t.AppendHeader(table.Row{"Query", "CPU µs", "p50 µs", "p99 µs", "segments"})
	for _, x := range r.Queries {
		t.AppendRow(table.Row{x.Engine, fmt.Sprintf("%.0f", x.CPU), fmt.Sprintf("%.0f", x.P50), fmt.Sprintf("%.0f", x.P99), x.Segments})
	}
	t.Render()

	t = newTable(w)
	t.AppendHeader(table.Row{"Stage alone, one core", "of", "per second", "p50 µs", "p99 µs"})
	for _, x := range r.Stages {
		t.AppendRow(table.Row{x.Name, x.Of, fmt.Sprintf("%.0f", x.PerSecond), fmt.Sprintf("%.1f", x.P50), fmt.Sprintf("%.1f", x.P99)})
	}
	t.Render()

	t = newTable(w)
	t.AppendHeader(table.Row{"Profiles", "CPU µs an event", "matcher", "database", "events/s", "rows an event"})
	for _, x := range r.Growth {
		t.AppendRow(table.Row{
			x.Profiles, fmt.Sprintf("%.0f", x.CPU), fmt.Sprintf("%.0f", x.MatcherCPU), fmt.Sprintf("%.0f", x.DatabaseCPU),
			fmt.Sprintf("%.0f", x.EventsPerS), fmt.Sprintf("%.1f", x.RowsPerEvent),
		})
	}
	t.Render()

	idle, half, e := r.Latency.Idle, r.Latency.HalfLoad, r.Exact
	say(w, "Latency     idle p50 %.1f ms, p99 %.1f ms (%d events of %.0f µs CPU)", idle.P50, idle.P99, idle.Events, idle.CPU)
	say(w, "            at %.0f events/s, half load, p50 %.1f ms, p99 %.1f ms (%d events of %.0f µs CPU)",
		half.PerSecond, half.P50, half.P99, half.Events, half.CPU)
	say(w, "Memory      matcher %.0f MB; besides up to %.0f MB of mapped files, which the system can take back; peak of both %.0f MB",
		r.Memory.AnonymousMB, r.Memory.MappedMB, r.Memory.PeakMB)
	var disk []string
	for _, name := range slices.Sorted(maps.Keys(r.DiskBytes)) {
		disk = append(disk, fmt.Sprintf("%s %.1f", name, float64(r.DiskBytes[name])/1e6))
	}
	say(w, "Size, MB    %s", strings.Join(disk, ", "))
	say(w, "Exact       of %d queries brute force finds %d pairs: %d missing, %d extra, %d with another score", e.Queries, e.Pairs, e.Missing, e.Extra, e.Differ)
	say(w, "Corpus      %d profiles, %s, seed %d; measured in %.0f s", r.Profiles, r.Corpus, r.Seed, r.Seconds)
	m := r.Machine
	say(w, "Machine     %s, %d cores, %d MB; %s; Go %s, PostgreSQL %s, bleve %s, NATS %s, kobling %s",
		m.CPU, m.Cores, m.MemoryMB, m.Kernel, m.Go, m.Postgres, m.Bleve, m.NATS, m.Kobling)
	for _, note := range r.Notes {
		say(w, "Note        %s", note)
	}
}
