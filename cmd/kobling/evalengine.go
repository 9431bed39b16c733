package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kobling/internal/analysis"
	"kobling/internal/eval"
	"kobling/internal/eval/baseline"
	"kobling/internal/lexicon"
	"kobling/internal/pack"
	"kobling/internal/score"
	"kobling/internal/translate"
)

// evalEngine is what ranks, and by which analysis and weights.
type evalEngine struct {
	Engine  string   `default:"kobling" enum:"kobling,bleve,bleve-lang,bm25" help:"What ranks: kobling, or for comparison bleve, bleve-lang (with each language's own analyzer) or bm25 (over plain words)."`
	Lexicon []string `placeholder:"FILE" sep:"none" help:"A word list to learn translations from, beside the built-in concepts, as kobling lexicon import takes it; a pattern in quotes is all files that fit. May be given again."`
	Without []string `placeholder:"PART" help:"Leave parts of the analysis out, to see what they are worth: concepts, compounds, translations, ngrams (beginnings of words), broader (concepts), statistics (how common a word is)."`
	Epoch   string   `enum:"corpus,default" default:"corpus" help:"Weights from the measured documents (corpus), or those before any corpus is known (default)."`

	files    []string           // of Lexicon
	analyzer *analysis.Analyzer // made once: it serves every collection
}

// kobling is the name of the product's own engine.
const kobling = "kobling"

// check says what makes no sense, before anything is read.
func (c *evalEngine) check() error {
	if c.Engine != kobling && (len(c.Lexicon)+len(c.Without) > 0 || c.Epoch != "corpus") {
		return fmt.Errorf("--lexicon, --without and --epoch are for kobling's own engine (%w)", errUsage)
	}
	for _, name := range c.Without {
		if !slices.Contains(analysis.Parts, analysis.Part(name)) {
			return fmt.Errorf("--without: there is no part %q of the analysis, only %v (%w)", name, analysis.Parts, errUsage)
		}
	}
	c.files = nil
	for _, pattern := range c.Lexicon {
		files, err := wordLists(pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			if !slices.Contains(c.files, file) {
				c.files = append(c.files, file)
			}
		}
	}
	return nil
}

// wordLists are the files that a --lexicon names. A dictd dictionary is one list,
// though a pattern fits each of its files.
func wordLists(pattern string) ([]string, error) {
	info, err := os.Stat(pattern)
	if err == nil && info.IsDir() {
		return nil, fmt.Errorf("--lexicon: %s is a folder; name its files, for example '%s' (%w)", pattern, filepath.Join(pattern, "*.tsv*"), errUsage)
	}
	files := []string{pattern} // one that is there may have the signs of a pattern in its name
	if err != nil {
		if files, err = filepath.Glob(pattern); err != nil || len(files) == 0 {
			return nil, fmt.Errorf("--lexicon: there is no file %s (%w)", pattern, errUsage)
		}
	}
	for i, file := range files {
		for _, end := range []string{".dict.dz", ".dict"} {
			if base, ok := strings.CutSuffix(file, end); ok {
				files[i] = base + ".index"
			}
		}
	}
	return files, nil
}

// open returns the engine for a collection with these documents.
func (c *evalEngine) open(p *process, docs []eval.Document) (eval.Engine, error) {
	if c.Engine != kobling {
		return baseline.Engine(c.Engine)
	}
	epoch, err := c.epoch(p, docs)
	if err != nil {
		return nil, err
	}
	return eval.Kobling(epoch), nil
}

// prepare makes the analyzer, unless it is made or not needed.
func (c *evalEngine) prepare(p *process) error {
	if c.Engine != kobling || c.analyzer != nil {
		return nil
	}
	a, err := c.analysis(p)
	c.analyzer = a
	return err
}

// epoch returns the epoch for a collection with these documents.
func (c *evalEngine) epoch(p *process, docs []eval.Document) (*score.Epoch, error) {
	if err := c.prepare(p); err != nil {
		return nil, err
	}
	if c.Epoch != "corpus" {
		docs = nil
	}
	return eval.Epoch(c.analyzer, docs)
}

// analysis makes the analyzer.
func (c *evalEngine) analysis(p *process) (*analysis.Analyzer, error) {
	lex, err := lexicon.Default()
	if err != nil {
		return nil, err
	}
	parts := make([]analysis.Part, len(c.Without))
	for i, name := range c.Without {
		parts[i] = analysis.Part(name)
	}
	a, err := analysis.New(lex, analysis.Without(parts...))
	if err != nil || len(c.files) == 0 {
		return a, err
	}
	entries, err := c.entries(p)
	if err != nil {
		return nil, err
	}
	show := p.progress("Compiling")
	t, err := a.Learn(p, slices.Values(entries), func(done, total int) { show.set(int64(done), int64(total)) })
	show.stop()
	if err != nil {
		return nil, err
	}
	return a.With(analysis.WithTables(t))
}

// entries reads the word lists.
func (c *evalEngine) entries(p *process) ([]translate.Entry, error) {
	var entries []translate.Entry
	for _, file := range c.files {
		say(p.err, "Reading %s …", file)
		_, report, err := pack.Scan(p, file, pack.Options{}, func(e pack.Entry) error {
			entries = append(entries, e)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("--lexicon: %w", err)
		}
		printFaults(p, report)
	}
	return entries, nil
}
