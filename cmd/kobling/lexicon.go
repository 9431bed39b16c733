package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/lexicon"
	"kobling/internal/pack"
)

// lexiconCmd looks after the built-in concepts and the packs beside them.
type lexiconCmd struct {
	Import   lexiconImportCmd   `cmd:"" help:"Add or replace a pack: a list of concepts, a dictionary or translated texts."`
	List     lexiconListCmd     `cmd:"" help:"List the packs, with where they come from and their licences."`
	Stats    lexiconStatsCmd    `cmd:"" help:"Count concepts, labels and packs by language."`
	Check    lexiconCheckCmd    `cmd:"" help:"Say what is wrong with a file or a pack, before or after its import."`
	Coverage lexiconCoverageCmd `cmd:"" help:"List the commonest words that neither concepts nor packs know."`
	Export   lexiconExportCmd   `cmd:"" help:"Write concepts and packs as one file that import reads back."`
	Remove   lexiconRemoveCmd   `cmd:"" help:"Remove a pack."`
}

// packDir is where the packs are.
type packDir struct {
	common `group:"connection"`

	DataDir string `name:"data-dir" group:"connection" placeholder:"DIR" help:"Data directory with the packs (KOBLING_DATA_DIR)."`
}

// packs opens the packs of the process's data directory, and what is compiled of
// them.
func (p *process) packs() (store *pack.Store, tables pack.Tables, err error) {
	cfg, _, err := p.config()
	if err != nil {
		return nil, nil, err
	}
	return pack.Open(filepath.Join(cfg.DataDir, "packs")), p.tables(cfg.DataDir), nil
}

type lexiconImportCmd struct {
	packDir
	output

	File    string   `arg:"" help:"The file, also gzipped; of a dictd dictionary any of its files."`
	Name    string   `required:"" placeholder:"NAME" help:"What to call the pack: a-z, 0-9 and -. A pack of this name is replaced."`
	Licence string   `required:"" placeholder:"TEXT" help:"Under which licence the file may be used."`
	Source  string   `required:"" placeholder:"TEXT" help:"Where the file comes from."`
	Format  string   `enum:"auto,concepts,dictionary,parallel,comparable,dictd" default:"auto" help:"concepts, dictionary, parallel, comparable or dictd; auto goes by the header and the name."`
	Langs   []string `placeholder:"LANG,…" help:"Languages of a dictd dictionary, or of the columns of a parallel file, with - for one to pass over."`
}

// Help is shown under --help.
func (*lexiconImportCmd) Help() string {
	return `Example: kobling lexicon import yso.tsv --name yso --licence CC0 --source finto

A pack teaches the product what words of one language mean in another. Its source, licence, date and
checksum are kept with it. All packs and the built-in concepts are compiled into translation tables
(see kobling lexicon stats), which matching uses from the next: kobling epoch make

The formats, tab-separated in UTF-8 with a header line, also as .gz:

  concepts     concept_id, lang, type (pref or alt), label
  dictionary   src_lang, src, tgt_lang, tgt, pos
  parallel     id, lang, text; or a column for each language: id, en, da
  comparable   concept_id, lang, label, titles (only the labels are read)
  dictd        NAME.index and NAME.dict.dz, as in Debian's dict-freedict-*

  kobling lexicon import /usr/share/dictd/freedict-swe-eng.index \
    --name freedict-sv-en --licence GPL-2.0-or-later --source freedict.org

Languages: da nb nn sv fi nl en de fr; "no" is read as nb. Terms of other languages and faulty lines
are counted and passed over; if more than half of the lines are faulty, nothing is imported.`
}

// Run imports the file and has the tables compiled.
func (c *lexiconImportCmd) Run(p *process) error {
	if err := pack.CheckName(c.Name); err != nil {
		return fmt.Errorf("--name: %w (%w)", err, errUsage)
	}
	store, tables, err := p.packs()
	if err != nil {
		return err
	}
	show := p.progress("Reading, KiB:")
	stored, err := store.Import(p, c.File, pack.Import{
		Name: c.Name, Licence: c.Licence, Source: c.Source,
		Options: scanOptions(c.Format, c.Langs, func(done, total int64) { show.set(done>>10, total>>10) }),
	})
	show.stop()
	if err != nil {
		printFaults(p, stored.Report)
		return fmt.Errorf("nothing was imported: %w", err)
	}
	if !c.JSON {
		printFaults(p, stored.Report)
	}
	if err := p.compile(store, tables); err != nil {
		return fmt.Errorf("pack %s is imported, but the tables are not compiled: %w", c.Name, err)
	}
	if c.JSON {
		return p.printJSON(stored)
	}
	say(p.out, "Imported pack %s: %s.", stored.Name, packSummary(stored))
	say(p.out, "%s", thenMake)
	return nil
}

// thenMake says when a change of the packs is felt.
const thenMake = "Matching uses what was compiled once you run: kobling epoch make"

// scanOptions are options as a command line gives them.
func scanOptions(format string, langs []string, progress func(done, total int64)) pack.Options {
	if format == "auto" {
		format = ""
	}
	return pack.Options{Format: format, Langs: langs, Progress: progress}
}

// packSummary says in one line what a file or a pack holds.
func packSummary(s pack.Pack) string {
	parts := []string{fmt.Sprintf("format %s, %d entries", s.Format, s.Entries), "terms: " + byLanguage(s.Terms)}
	for _, more := range []struct {
		n    int
		text string
	}{
		{s.Norwegian, "said to be \"no\" are read as nb"},
		{s.Bad, "faulty lines passed over"},
		{s.Alone, "entries without a second term passed over"},
	} {
		if more.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", more.n, more.text))
		}
	}
	if len(s.Foreign) > 0 {
		parts = append(parts, "in other languages and passed over: "+byLanguage(s.Foreign))
	}
	return strings.Join(parts, "; ")
}

// byLanguage writes counts as "da 3, nb 4": languages of the product first, in its order.
func byLanguage(n map[string]int) string {
	var parts []string
	for _, lang := range languages(n) {
		parts = append(parts, lang+" "+strconv.Itoa(n[lang]))
	}
	return strings.Join(parts, ", ")
}

// languages returns the languages of m in the product's order, others behind.
func languages[V any](m map[string]V) []string {
	var order []string
	for _, lang := range lexicon.Languages {
		if _, ok := m[lang]; ok {
			order = append(order, lang)
		}
	}
	for _, lang := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(lexicon.Languages, lang) {
			order = append(order, lang)
		}
	}
	return order
}

// printFaults names the first faulty lines on stderr.
func printFaults(p *process, r pack.Report) {
	for _, f := range r.Faults {
		say(p.err, "line %d: %s", f.Line, f.Text)
	}
	if more := r.Bad - len(r.Faults); more > 0 {
		say(p.err, "… and %d faulty lines more", more)
	}
}

// compile has tables compiled of all packs.
func (p *process) compile(store *pack.Store, tables pack.Tables) error {
	show := p.progress("Compiling")
	defer show.stop()
	return store.Compile(p, tables.Compile, func(done, total int) { show.set(int64(done), int64(total)) })
}

// meter is a progress bar that begins when it is known how much there is to do.
type meter struct {
	p     *process
	title string
	bar   *bar
}

func (p *process) progress(title string) *meter { return &meter{p: p, title: title} }

func (m *meter) set(done, total int64) {
	if m.bar == nil {
		m.bar = newBar(m.p, m.title, total)
	}
	m.bar.set(done)
}

func (m *meter) stop() {
	if m.bar != nil {
		m.bar.stop()
	}
}

// stages shows how far each stage of long work is, one after the other.
type stages struct {
	p     *process
	stage string
	show  *meter
}

func (p *process) stages() *stages { return &stages{p: p} }

func (s *stages) set(stage string, done, total int) {
	if stage != s.stage {
		s.stop()
		s.stage, s.show = stage, s.p.progress(stage)
	}
	s.show.set(int64(done), int64(total))
}

func (s *stages) stop() {
	if s.show != nil {
		s.show.stop()
		s.show = nil
	}
}

type lexiconListCmd struct {
	packDir
	output
}

// Help is shown under --help.
func (*lexiconListCmd) Help() string { return "Example: kobling lexicon list --json" }

// Run lists the packs.
func (c *lexiconListCmd) Run(p *process) error {
	store, _, err := p.packs()
	if err != nil {
		return err
	}
	packs, err := store.List()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(append([]pack.Pack{}, packs...))
	}
	if len(packs) == 0 {
		say(p.out, "No packs. Add one with: kobling lexicon import")
		return nil
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Pack", "Format", "Entries", "Terms", "Licence", "Source", "Imported"})
	wide := func(n int) table.ColumnConfig {
		return table.ColumnConfig{Number: n, WidthMax: 30, WidthMaxEnforcer: wrapLines}
	}
	t.SetColumnConfigs([]table.ColumnConfig{wide(4), wide(5), wide(6)})
	for _, s := range packs {
		t.AppendRow(table.Row{s.Name, s.Format, s.Entries, byLanguage(s.Terms), s.Licence, s.Source, s.Date.Format("2006-01-02")})
	}
	t.Render()
	return nil
}

type lexiconRemoveCmd struct {
	packDir

	Name string `arg:"" help:"The pack."`
}

// Help is shown under --help.
func (*lexiconRemoveCmd) Help() string {
	return `Example: kobling lexicon remove freedict-sv-en

The names are listed by: kobling lexicon list`
}

// Run removes the pack and has the tables compiled without it.
func (c *lexiconRemoveCmd) Run(p *process) error {
	store, tables, err := p.packs()
	if err != nil {
		return err
	}
	if err := store.Remove(c.Name); err != nil {
		return err
	}
	if err := p.compile(store, tables); err != nil {
		return fmt.Errorf("pack %s is removed, but the tables are not compiled: %w", c.Name, err)
	}
	say(p.out, "Removed pack %s.", c.Name)
	say(p.out, "%s", thenMake)
	return nil
}

type lexiconExportCmd struct {
	packDir

	Packs  []string `arg:"" optional:"" name:"pack" help:"Only these packs; the built-in concepts and all packs when left out."`
	Format string   `enum:"tsv" default:"tsv" help:"tsv: concept_id, lang, type, label."`
	Out    string   `placeholder:"FILE" help:"Where to write; to standard output when left out."`
}

// Help is shown under --help.
func (*lexiconExportCmd) Help() string {
	return `Example: kobling lexicon export --out concepts.tsv

The comments at the top say which pack has which licence; whoever passes the file on must keep them.
kobling lexicon import reads the file back.`
}

// Run writes the file, whole or not at all.
func (c *lexiconExportCmd) Run(p *process) error {
	store, _, err := p.packs()
	if err != nil {
		return err
	}
	if c.Out == "" || c.Out == "-" {
		return c.write(p.out, store)
	}
	return writeWhole(c.Out, func(w io.Writer) error { return c.write(w, store) })
}

// writeWhole puts a file that everybody may read in the place of an older one,
// whole or not at all.
func writeWhole(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".kobling-*")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %s to write to", filepath.Dir(name))
	}
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already after the rename
	err = write(f)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func (c *lexiconExportCmd) write(w io.Writer, store *pack.Store) error {
	packs, err := store.List(c.Packs...)
	if err != nil {
		return err
	}
	var notes []string
	if len(c.Packs) == 0 {
		notes = append(notes, "the built-in concepts of kobling "+version+"; licence Apache-2.0")
	}
	for _, s := range packs {
		notes = append(notes, s.Note())
	}
	x := pack.NewExporter(w, notes...)
	if len(c.Packs) == 0 {
		lex, err := lexicon.Default()
		if err != nil {
			return err
		}
		if err := x.ExportLexicon(lex); err != nil {
			return err
		}
	}
	return errors.Join(store.Export(x, c.Packs...), x.Close())
}
