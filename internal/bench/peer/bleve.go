package peer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/whitespace"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search/query"

	"kobling/internal/analysis"
	"kobling/internal/profile"
)

// The field of a document in bleve, and the analyzer that divides it at spaces.
const (
	textField     = "text"
	splitAtSpaces = "spaces"
)

// loadBatch is how many documents one batch of the loading has.
const loadBatch = 1000

// Bleve is bleve as one uses it: an index for each side, its default settings, one
// analysed field with the terms as words, and Search with a disjunction of the query's
// terms, each with its weight as the boost. To its advantage nothing is stored, there
// are no term vectors, doc values or common field, and a batch is not synced
// (unsafe_batch), as in kobling's own index.
type Bleve struct {
	dir     string
	indexes map[profile.Side]bleve.Index
	waiting map[profile.Side][]Document
}

var _ Engine = (*Bleve)(nil)

// NewBleve makes empty indexes in dir, which is not there yet.
func NewBleve(dir string) (*Bleve, error) {
	b := &Bleve{dir: dir, indexes: map[profile.Side]bleve.Index{}, waiting: map[profile.Side][]Document{}}
	m, err := terms()
	if err != nil {
		return nil, err
	}
	for _, side := range sides() {
		x, err := bleve.NewUsing(filepath.Join(dir, string(side)), m, scorch.Name, scorch.Name, map[string]any{"unsafe_batch": true})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("bleve: %w", err), b.Close())
		}
		b.indexes[side] = x
	}
	return b, nil
}

// terms is the mapping.
func terms() (mapping.IndexMapping, error) {
	m := bleve.NewIndexMapping()
	err := m.AddCustomAnalyzer(splitAtSpaces, map[string]any{"type": custom.Name, "tokenizer": whitespace.Name})
	if err != nil {
		return nil, fmt.Errorf("bleve: %w", err)
	}
	f := bleve.NewTextFieldMapping()
	f.Analyzer = splitAtSpaces
	f.Store, f.IncludeTermVectors, f.IncludeInAll, f.DocValues = false, false, false, false
	m.DefaultMapping = bleve.NewDocumentStaticMapping()
	m.DefaultMapping.AddFieldMappingsAt(textField, f)
	return m, nil
}

// Load implements [Engine].
func (b *Bleve) Load(ctx context.Context, docs []Document) error {
	for side, list := range bySide(docs) {
		b.waiting[side] = append(b.waiting[side], list...)
		if len(b.waiting[side]) >= loadBatch {
			if err := b.flush(ctx, side); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Bleve) flush(ctx context.Context, side profile.Side) error {
	docs := b.waiting[side]
	b.waiting[side] = nil
	return b.write(ctx, side, docs)
}

// Ready implements [Engine].
func (b *Bleve) Ready(ctx context.Context) error {
	for _, side := range sides() {
		if err := b.flush(ctx, side); err != nil {
			return err
		}
	}
	return nil
}

// Add implements [Engine].
func (b *Bleve) Add(ctx context.Context, docs []Document) error {
	for side, list := range bySide(docs) {
		if err := b.write(ctx, side, list); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bleve) write(ctx context.Context, side profile.Side, docs []Document) error {
	if err := ctx.Err(); err != nil || len(docs) == 0 {
		return err
	}
	x := b.indexes[side]
	batch := x.NewBatch()
	for _, d := range docs {
		words := make([]string, len(d.Features))
		for i, f := range d.Features {
			words[i] = word(f.Term)
		}
		if err := batch.Index(string(d.ID), map[string]any{textField: strings.Join(words, " ")}); err != nil {
			return fmt.Errorf("bleve: %w", err)
		}
	}
	if err := x.Batch(batch); err != nil {
		return fmt.Errorf("bleve: %w", err)
	}
	return nil
}

// word returns a term as one word: a concept may have a space in its name.
func word(term string) string { return strings.ReplaceAll(term, " ", "_") }

// Search implements [Engine].
func (b *Bleve) Search(ctx context.Context, in profile.Side, features []analysis.Feature, n int) ([]Hit, error) {
	x := b.indexes[in]
	if x == nil {
		return nil, unknownSide(in)
	}
	var total float64
	for _, f := range features {
		total += float64(f.Weight)
	}
	parts := make([]query.Query, len(features))
	for i, f := range features {
		q := bleve.NewTermQuery(word(f.Term))
		q.SetField(textField)
		q.SetBoost(float64(f.Weight) / total)
		parts[i] = q
	}
	result, err := x.SearchInContext(ctx, bleve.NewSearchRequestOptions(bleve.NewDisjunctionQuery(parts...), max(n, 1), 0, false))
	if err != nil {
		return nil, fmt.Errorf("bleve: %w", err)
	}
	hits := make([]Hit, 0, n)
	for _, h := range result.Hits[:min(n, len(result.Hits))] {
		hits = append(hits, Hit{profile.ID(h.ID), h.Score})
	}
	return hits, nil
}

// Stats implements [Engine].
func (b *Bleve) Stats(context.Context) (Stats, error) {
	var s Stats
	for _, x := range b.indexes {
		advanced, err := x.Advanced()
		if err != nil {
			return s, fmt.Errorf("bleve: %w", err)
		}
		reader, err := advanced.Reader()
		if err != nil {
			return s, fmt.Errorf("bleve: %w", err)
		}
		if snapshot, ok := reader.(*scorch.IndexSnapshot); ok {
			s.Segments += len(snapshot.Segments())
		}
		if err := reader.Close(); err != nil {
			return s, fmt.Errorf("bleve: %w", err)
		}
	}
	var err error
	s.Bytes, err = DiskUsage(b.dir)
	return s, err
}

// Close implements [Engine].
func (b *Bleve) Close() error {
	var err error
	for _, x := range b.indexes {
		err = errors.Join(err, x.Close())
	}
	return err
}
