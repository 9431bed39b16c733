package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/analysis"
	"kobling/internal/lexicon"
	"kobling/internal/pack"
)

type lexiconStatsCmd struct {
	packDir
	output
}

// Help is shown under --help.
func (*lexiconStatsCmd) Help() string {
	return `Example: kobling lexicon stats --json

Norwegian that a pack calls only "no" is counted as nb.`
}

// lexiconStats is what the command prints as JSON.
type lexiconStats struct {
	Lexicon conceptStats            `json:"lexicon"`
	Groups  map[string]conceptStats `json:"groups"`
	Packs   []pack.Pack             `json:"packs"`
	Table   *pack.Table             `json:"table"` // null: none is compiled
}

// conceptStats counts concepts.
type conceptStats struct {
	Version  string         `json:"version,omitempty"`
	Concepts int            `json:"concepts"`
	Labels   map[string]int `json:"labels"` // by language
}

func (s *conceptStats) count(c lexicon.Concept) {
	if s.Labels == nil {
		s.Labels = make(map[string]int)
	}
	s.Concepts++
	for lang, labels := range c.Labels {
		s.Labels[lang] += len(labels)
	}
}

// Run counts.
func (c *lexiconStatsCmd) Run(p *process) error {
	store, tables, err := p.packs()
	if err != nil {
		return err
	}
	lex, err := lexicon.Default()
	if err != nil {
		return err
	}
	s := lexiconStats{Lexicon: conceptStats{Version: lex.Version()}, Groups: make(map[string]conceptStats)}
	for _, concept := range lex.Concepts {
		s.Lexicon.count(concept)
		group := s.Groups[concept.Group]
		group.count(concept)
		s.Groups[concept.Group] = group
	}
	packs, err := store.List()
	if err != nil {
		return err
	}
	s.Packs = append([]pack.Pack{}, packs...)
	compiled, ok, err := tables.Table()
	if err != nil {
		return err
	}
	if ok {
		s.Table = &compiled
	}
	if c.JSON {
		return p.printJSON(s)
	}
	s.print(p)
	return nil
}

func (s lexiconStats) print(p *process) {
	say(p.out, "Built-in concepts, version %s:", s.Lexicon.Version)
	t := newTable(p.out)
	head := table.Row{"Group", "Concepts"}
	for _, lang := range lexicon.Languages {
		head = append(head, lang)
	}
	t.AppendHeader(head)
	row := func(name string, n conceptStats) table.Row {
		r := table.Row{name, n.Concepts}
		for _, lang := range lexicon.Languages {
			r = append(r, n.Labels[lang])
		}
		return r
	}
	for _, group := range languages(s.Groups) { // in order of name
		t.AppendRow(row(group, s.Groups[group]))
	}
	t.AppendFooter(row("all", s.Lexicon))
	t.Render()
	for _, one := range s.Packs {
		say(p.out, "\nPack %s: %s", one.Name, packSummary(one))
		say(p.out, "  licence %s; source %s; imported %s", one.Licence, one.Source, one.Date.Format("2006-01-02 15:04 MST"))
		say(p.out, "  sha256 %s", one.SHA256)
	}
	if len(s.Packs) == 0 {
		say(p.out, "\nNo packs. Add one with: kobling lexicon import")
	}
	if s.Table != nil {
		say(p.out, "\nCompiled %s: words: %s; %.1f MB of memory", s.Table.Compiled.Format("2006-01-02 15:04 MST"), byLanguage(s.Table.Words), float64(s.Table.Bytes)/1e6)
	}
}

type lexiconCheckCmd struct {
	packDir
	output

	What   string   `arg:"" name:"file-or-pack" help:"A file to import, a file of concepts of your own, or the name of a pack."`
	Format string   `enum:"auto,lexicon,concepts,dictionary,parallel,comparable,dictd" default:"auto" help:"lexicon, concepts, dictionary, parallel, comparable or dictd; auto goes by the content and the name."`
	Langs  []string `placeholder:"LANG,…" help:"As for import."`
}

// Help is shown under --help.
func (*lexiconCheckCmd) Help() string {
	return `Example: kobling lexicon check dictionary.tsv.gz

Nothing is changed. A file is read as import would; a pack is read whole and compared with its counts.
A file of concepts of your own, such as

  [fall-detection < safety-alarm]
  da: falddetektion; faldsensor
  en: fall detection; ~faller

is checked together with the built-in concepts. It ends with exit code 1 if the file could not be used.`
}

// checked is what the command prints as JSON.
type checked struct {
	pack.Info
	pack.Report

	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// Run checks.
func (c *lexiconCheckCmd) Run(p *process) error {
	_, statErr := os.Stat(c.What)
	lexiconFile := c.Format == "lexicon"
	if c.Format == "auto" && statErr == nil {
		lexiconFile = isLexicon(c.What)
	}
	if lexiconFile {
		return c.concepts(p)
	}
	var stored pack.Pack
	var err error
	if statErr != nil && pack.CheckName(c.What) == nil {
		var store *pack.Store
		if store, _, err = p.packs(); err != nil {
			return err
		}
		if stored, err = store.Verify(c.What); err != nil {
			err = fmt.Errorf("%w (and there is no file of this name)", err)
		}
	} else {
		show := p.progress("Reading, KiB:")
		o := scanOptions(c.Format, c.Langs, func(done, total int64) { show.set(done>>10, total>>10) })
		stored.Info, stored.Report, err = pack.Scan(p, c.What, o, func(pack.Entry) error { return nil })
		show.stop()
	}
	if c.JSON {
		out := checked{Info: stored.Info, Report: stored.Report, OK: err == nil}
		if err != nil {
			out.Error = err.Error()
		}
		return errors.Join(p.printJSON(out), err)
	}
	printFaults(p, stored.Report)
	if err == nil {
		say(p.out, "%s can be used: %s.", c.What, packSummary(stored))
	}
	return err
}

// firstFaults keeps the first lines of an error that names every fault.
func firstFaults(err error) error {
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	more := len(lines) - 1 - maxShownFaults // the first says what the file is
	if more <= 0 {
		return err
	}
	return fmt.Errorf("%s\n… and %d faults more", strings.Join(lines[:len(lines)-more], "\n"), more)
}

// isLexicon reports whether the first line that is not empty and no comment opens
// a concept, as internal/lexicon's files do.
func isLexicon(path string) bool {
	f, err := os.Open(path) //nolint:gosec // the file that the user names
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	for in := bufio.NewScanner(f); in.Scan(); {
		line := strings.TrimSpace(strings.TrimPrefix(in.Text(), "\ufeff"))
		if line != "" && !strings.HasPrefix(line, "#") {
			return strings.HasPrefix(line, "[")
		}
	}
	return false
}

// concepts checks a file of concepts together with the built-in ones.
func (c *lexiconCheckCmd) concepts(p *process) error {
	base, err := lexicon.Default()
	if err != nil {
		return err
	}
	own, err := os.ReadFile(c.What)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kobling-lexicon-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of the system's temporary folder
	var builtIn strings.Builder
	if _, err := base.WriteTo(&builtIn); err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(c.What), ".txt") + ".txt"
	for file, content := range map[string][]byte{filepath.Join("base", "built-in.txt"): []byte(builtIn.String()), filepath.Join("own", name): own} {
		file = filepath.Join(dir, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, content, 0o600)); err != nil {
			return err
		}
	}
	both, err := lexicon.Parse(os.DirFS(filepath.Join(dir, "base")), os.DirFS(filepath.Join(dir, "own")))
	if err == nil {
		_, err = analysis.New(both) // labels that can never be found
	}
	err = firstFaults(err)
	out := checked{Info: pack.Info{Name: c.What, Format: "lexicon"}, OK: err == nil}
	if err == nil {
		out.Entries, out.Terms = len(both.Concepts)-len(base.Concepts), make(map[string]int)
		var all, before conceptStats
		for _, concept := range both.Concepts {
			all.count(concept)
		}
		for _, concept := range base.Concepts {
			before.count(concept)
		}
		for lang, n := range all.Labels {
			if n > before.Labels[lang] {
				out.Terms[lang] = n - before.Labels[lang]
			}
		}
	} else {
		out.Error = err.Error()
	}
	if c.JSON {
		return errors.Join(p.printJSON(out), err)
	}
	if err == nil {
		say(p.out, "%s can be used: %d new concepts; new labels: %s.", c.What, out.Entries, byLanguage(out.Terms))
	}
	return err
}
