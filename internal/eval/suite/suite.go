// Package suite measures the developers' collections, all at once, and says how
// well each should come out. Each collection is a folder, with a README of its own,
// below one folder; what is not there is passed over and said to be missing.
package suite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kobling/internal/eval"
	"kobling/internal/fault"
)

// Figure is one figure of one collection.
type Figure struct {
	Collection string  `json:"collection"`
	Metric     string  `json:"metric"`
	Queries    int     `json:"queries"` // or pairs
	Value      float64 `json:"figure"`
	Must       float64 `json:"must,omitempty"` // the least that counts as done
	Aim        float64 `json:"aim,omitempty"`
	Seconds    float64 `json:"seconds"`           // of the whole collection
	Missing    string  `json:"missing,omitempty"` // the file, in the folder, that is not there; nothing was measured
}

// Suite measures all collections of a folder.
type Suite struct {
	Dir string
	// Engine returns the engine for a collection with these documents.
	Engine func(docs []eval.Document) (eval.Engine, error)
	// Only names the collections to measure; none: all.
	Only []string
	// Progress is called before each collection.
	Progress func(collection string)
}

// Run measures and returns the figures in the order of the collections. Where a
// file is not there the figure says so; any other error ends it.
func (s Suite) Run(ctx context.Context) ([]Figure, error) {
	if err := Known(s.Only); err != nil {
		return nil, err
	}
	var all []Figure
	for _, c := range collections {
		if len(s.Only) > 0 && !slices.Contains(s.Only, c.name) {
			continue
		}
		s.Progress(c.name)
		begun := time.Now()
		got, err := c.measure(ctx, s)
		missing := s.missing(err)
		if err != nil && missing == "" {
			return all, fmt.Errorf("%s: %w", c.name, err)
		}
		for i, t := range c.targets {
			f := Figure{Collection: c.name, Metric: t.metric, Must: t.must, Aim: t.aim, Seconds: time.Since(begun).Seconds()}
			if f.Missing = missing; missing == "" {
				f.Queries, f.Value = got.queries, got.values[i]
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// missing returns which file of the folder is not there, if that is what err says:
// it may also be a file of an index, and then the suite is to end.
func (s Suite) missing(err error) string {
	e := (*fs.PathError)(nil)
	if !errors.As(err, &e) || !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	rel, err := filepath.Rel(s.Dir, e.Path)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// Known says whether these are names of collections. The error wraps
// fault.ErrInvalid.
func Known(names []string) error {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("there is no collection %q but %s: %w", name, strings.Join(Names(), ", "), fault.ErrInvalid)
		}
	}
	return nil
}

// Names are the names of the collections.
func Names() []string {
	names := make([]string, len(collections))
	for i, c := range collections {
		names[i] = c.name
	}
	return names
}

// collection is what a suite measures, and how well it should come out.
type collection struct {
	name    string
	targets []target
	measure func(ctx context.Context, s Suite) (measured, error)
}

type target struct {
	metric    string
	must, aim float64 // 0: none was set
}

// measured are the values of a collection's metrics, in the order of its targets.
type measured struct {
	queries int
	values  []float64
}

// file is the path of a file, also where a compressed one stands for it.
func (s Suite) file(name string) string {
	path := filepath.Join(s.Dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		if _, err := os.Stat(path + ".gz"); err == nil {
			return path + ".gz"
		}
	}
	return path
}

// retrieval measures a folder with these files, in English unless they say
// otherwise; with a group, by the votes of 50 documents.
func retrieval(corpus, queries, qrels, group string, of func(m eval.Metrics) []float64) func(context.Context, Suite) (measured, error) {
	return func(ctx context.Context, s Suite) (measured, error) {
		docs, err := eval.ReadGrouped(s.file(corpus), "en", group)
		if err != nil {
			return measured{}, err
		}
		asked, err := eval.ReadDocuments(s.file(queries), "en")
		if err != nil {
			return measured{}, err
		}
		grades, err := eval.ReadQrels(s.file(qrels))
		if err != nil {
			return measured{}, err
		}
		engine, err := s.Engine(docs)
		if err != nil {
			return measured{}, err
		}
		if group != "" {
			engine = eval.GroupBy(engine, eval.Votes)
		}
		m, _, err := eval.Retrieval(ctx, engine, docs, asked, grades, 0, func() {})
		return measured{m.Queries, of(m)}, err
	}
}

// parallel measures translations, after change has made of each document what is
// to be measured.
func parallel(files string, langs []string, measure func(context.Context, eval.Engine, map[string][]eval.Document, func()) (eval.Report, error),
	change func(*eval.Document), of func(eval.Pair) []float64,
) func(context.Context, Suite) (measured, error) {
	return func(ctx context.Context, s Suite) (measured, error) {
		docs := map[string][]eval.Document{}
		var all []eval.Document
		for _, lang := range langs {
			list, err := eval.ReadDocuments(s.file(strings.ReplaceAll(files, "LANG", lang)), lang)
			if err != nil {
				return measured{}, err
			}
			for i := range list {
				change(&list[i])
			}
			docs[lang] = list
			all = append(all, list...)
		}
		engine, err := s.Engine(all)
		if err != nil {
			return measured{}, err
		}
		r, err := measure(ctx, engine, docs, func() {})
		return measured{r.Mean.N, of(r.Mean)}, err
	}
}

// titles measures titles in one language on the texts, without their titles, in
// another.
func titles(files, from, to string) func(context.Context, Suite) (measured, error) {
	return func(ctx context.Context, s Suite) (measured, error) {
		asked, err := eval.ReadDocuments(s.file(strings.ReplaceAll(files, "LANG", from)), from)
		if err != nil {
			return measured{}, err
		}
		texts, err := eval.ReadDocuments(s.file(strings.ReplaceAll(files, "LANG", to)), to)
		if err != nil {
			return measured{}, err
		}
		same := eval.Qrels{}
		for i, d := range asked {
			asked[i] = eval.Document{ID: d.ID, Text: d.Title, Lang: d.Lang}
			if d.Title != "" {
				same[d.ID] = map[string]int{d.ID: 1}
			}
		}
		for i, d := range texts {
			texts[i] = eval.Document{ID: d.ID, Text: d.Text, Lang: d.Lang}
		}
		engine, err := s.Engine(texts)
		if err != nil {
			return measured{}, err
		}
		m, _, err := eval.Retrieval(ctx, engine, texts, asked, same, 0, func() {})
		return measured{m.Queries, []float64{m.Recall10}}, err
	}
}

func reviewers(ctx context.Context, s Suite) (measured, error) {
	const dir = "expertise/reviewers/"
	profiles, err := eval.ReadGrouped(s.file(dir+"profiles.jsonl.gz"), "en", "expert")
	if err != nil {
		return measured{}, err
	}
	papers, err := eval.ReadDocuments(s.file(dir+"papers.jsonl.gz"), "en")
	if err != nil {
		return measured{}, err
	}
	ratings, err := eval.ReadRatings(s.file(dir + "ratings.tsv"))
	if err != nil {
		return measured{}, err
	}
	engine, err := s.Engine(profiles)
	if err != nil {
		return measured{}, err
	}
	o, err := eval.Expertise(ctx, engine, profiles, papers, ratings, func() {})
	return measured{o.Pairs, []float64{o.Right}}, err
}
