package baseline

import (
	"context"
	"fmt"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/standard"
	"github.com/blevesearch/bleve/v2/analysis/lang/da"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/lang/fi"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/nl"
	"github.com/blevesearch/bleve/v2/analysis/lang/no"
	"github.com/blevesearch/bleve/v2/analysis/lang/sv"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"

	"kobling/internal/eval"
)

// analyzers are bleve's own, by language; it has one for both Norwegians.
var analyzers = map[string]string{
	"da": da.AnalyzerName, "nb": no.AnalyzerName, "nn": no.AnalyzerName, "sv": sv.AnalyzerName,
	"fi": fi.AnalyzerName, "nl": nl.AnalyzerName, "en": en.AnalyzerName, "de": de.AnalyzerName, "fr": fr.AnalyzerName,
}

// The fields of a document in bleve.
const (
	fieldAnalyzer = "analyzer"
	fieldText     = "text"
)

// batch is how many documents go into bleve at once.
const batch = 1000

// bleveIndex is an index of bleve's in memory.
type bleveIndex struct {
	bleve    bleve.Index
	analyzer func(lang string) string
}

// Bleve is bleve as it comes: the standard analyzer for every language.
func Bleve(ctx context.Context, docs []eval.Document) (eval.Index, error) {
	return openBleve(ctx, docs, func(string) string { return standard.Name })
}

// BleveLang is bleve with the analyzer of each text's own language, for queries
// and documents; all stand in one field, so that equal stems of two languages
// meet.
func BleveLang(ctx context.Context, docs []eval.Document) (eval.Index, error) {
	return openBleve(ctx, docs, func(lang string) string {
		if name, ok := analyzers[lang]; ok {
			return name
		}
		return standard.Name
	})
}

func openBleve(ctx context.Context, docs []eval.Document, analyzer func(string) string) (_ eval.Index, err error) {
	m := mapping.NewIndexMapping()
	m.TypeField = fieldAnalyzer
	for _, name := range append([]string{standard.Name}, valuesOf(analyzers)...) {
		text := mapping.NewTextFieldMapping()
		text.Analyzer = name
		text.Store, text.IncludeInAll, text.IncludeTermVectors, text.DocValues = false, false, false, false
		d := mapping.NewDocumentStaticMapping()
		d.AddFieldMappingsAt(fieldText, text)
		m.AddDocumentMapping(name, d)
	}
	x := &bleveIndex{analyzer: analyzer}
	if x.bleve, err = bleve.NewUsing("", m, scorch.Name, scorch.Name, nil); err != nil {
		return nil, fmt.Errorf("open bleve: %w", err)
	}
	defer func() {
		if err != nil {
			_ = x.bleve.Close() // it is thrown away
		}
	}()
	for from := 0; from < len(docs); from += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		changes := x.bleve.NewBatch()
		for _, d := range docs[from:min(len(docs), from+batch)] {
			if err := changes.Index(d.ID, map[string]any{fieldAnalyzer: analyzer(d.Lang), fieldText: whole(d)}); err != nil {
				return nil, fmt.Errorf("document %s: %w", d.ID, err)
			}
		}
		if err := x.bleve.Batch(changes); err != nil {
			return nil, fmt.Errorf("index documents: %w", err)
		}
	}
	return x, nil
}

// Rank implements eval.Ranker.
func (x *bleveIndex) Rank(ctx context.Context, q eval.Document, n int) ([]eval.Hit, error) {
	text := bleve.NewMatchQuery(whole(q))
	text.SetField(fieldText)
	text.Analyzer = x.analyzer(q.Lang)
	r, err := x.bleve.SearchInContext(ctx, bleve.NewSearchRequestOptions(text, n, 0, false))
	if err != nil {
		return nil, err
	}
	hits := make([]eval.Hit, len(r.Hits))
	for i, h := range r.Hits {
		hits[i] = eval.Hit{ID: h.ID, Score: h.Score}
	}
	eval.SortHits(hits)
	return hits, nil
}

// Close implements io.Closer.
func (x *bleveIndex) Close() error { return x.bleve.Close() }

func valuesOf(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for _, v := range m {
		list = append(list, v)
	}
	return list
}
