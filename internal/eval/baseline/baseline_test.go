package baseline_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"kobling/internal/eval"
	"kobling/internal/eval/baseline"
)

func rank(t *testing.T, engine eval.Engine, docs []eval.Document, q eval.Document, n int) []eval.Hit {
	t.Helper()
	x, err := engine(t.Context(), docs)
	if err != nil {
		t.Fatal(err)
	}
	hits, err := x.Rank(t.Context(), q, n)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	return hits
}

func named(t *testing.T, name string) eval.Engine {
	t.Helper()
	engine, err := baseline.Engine(name)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func found(hits []eval.Hit) string {
	var list []string
	for _, h := range hits {
		list = append(list, h.ID)
	}
	return strings.Join(list, " ")
}

// Worked out by hand: three documents of 2, 2 and 4 words; k1 1.2, b 0.75.
func TestBM25IsTheTextbooksFormula(t *testing.T) {
	t.Parallel()
	docs := []eval.Document{{ID: "a", Title: "Fall", Text: "sensor"}, {ID: "b", Text: "radar sensor"}, {ID: "c", Text: "Åse_1: åse_1, FALL fall"}}
	const mean = 8. / 3
	idf := func(df float64) float64 { return math.Log(1 + (3-df+.5)/(df+.5)) }
	part := func(tf, length float64) float64 { return tf * 2.2 / (tf + 1.2*(.25+.75*length/mean)) }
	for query, want := range map[string][]eval.Hit{
		"radar":        {{ID: "b", Score: idf(1) * part(1, 2)}},
		"fall":         {{ID: "c", Score: idf(2) * part(2, 4)}, {ID: "a", Score: idf(2) * part(1, 2)}},
		"fall fall":    {{ID: "c", Score: 2 * idf(2) * part(2, 4)}, {ID: "a", Score: 2 * idf(2) * part(1, 2)}},
		"Radar, fall!": {{ID: "b", Score: idf(1) * part(1, 2)}, {ID: "c", Score: idf(2) * part(2, 4)}, {ID: "a", Score: idf(2) * part(1, 2)}},
		"ÅSE_1":        {{ID: "c", Score: idf(1) * part(2, 4)}},
		"åse":          {},
		"falls":        {},
		"":             {},
	} {
		got := rank(t, baseline.BM25, docs, eval.Document{Text: query}, 10)
		slices.SortFunc(want, func(a, b eval.Hit) int { return int(math.Copysign(1, b.Score-a.Score)) })
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}

func TestOnlyBleveLangKnowsALanguage(t *testing.T) {
	t.Parallel()
	docs := []eval.Document{
		{ID: "da", Text: "Målinger af trykket i madrasserne", Lang: "da"},
		{ID: "fi", Text: "Hoitajien ja potilaiden kokemuksia", Lang: "fi"},
		{ID: "en", Text: "The measuring of pressures", Lang: "en"},
		{ID: "none", Text: "Målinger af trykket"},
	}
	for _, tt := range []struct{ query, lang, standard, own string }{
		{"madrassens", "da", "", "da"}, // a stem
		{"målingene", "nb", "", "da"},  // stems of two languages meet
		{"målinger", "nn", "da none", "da"},
		{"af", "da", "da none", ""}, // a stop word of its own language
		{"of the", "en", "", ""},    // bleve's standard knows those of English
		{"pressure", "en", "", "en"},
		{"potilas hoitajan", "fi", "", "fi"},
		{"trykket", "", "da none", "none"}, // of no language: the word as it stands, and "da" has a stem
		{"MÅLINGER", "", "da none", "none"},
		{"ultralyd", "da", "", ""},
		{"", "da", "", ""},
	} {
		q := eval.Document{Text: tt.query, Lang: tt.lang}
		got := [2]string{found(rank(t, baseline.Bleve, docs, q, 10)), found(rank(t, baseline.BleveLang, docs, q, 10))}
		for i := range got {
			list := strings.Fields(got[i])
			slices.Sort(list)
			got[i] = strings.Join(list, " ")
		}
		if want := [2]string{tt.standard, tt.own}; got != want {
			t.Errorf("%q in %q: standard and own find %q, want %q", tt.query, tt.lang, got, want)
		}
	}
}

// What holds for every engine, kobling's apart: that needs no words in common.
func TestEveryEngineKeepsWhatARankerPromises(t *testing.T) {
	t.Parallel()
	texts := rapid.SliceOfN(rapid.SampledFrom([]string{"fall", "sensor", "radar", "wound", "care"}), 1, 6)
	for _, name := range baseline.Names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := named(t, name)
			rapid.Check(t, func(rt *rapid.T) {
				var docs []eval.Document
				for i := range rapid.IntRange(0, 12).Draw(rt, "documents") {
					docs = append(docs, eval.Document{ID: string(rune('a' + i)), Text: strings.Join(texts.Draw(rt, "text"), " "), Lang: "en"})
				}
				q := eval.Document{Text: strings.Join(texts.Draw(rt, "query"), " "), Lang: "en"}
				n := rapid.IntRange(1, 12).Draw(rt, "n")
				hits := rank(t, engine, docs, q, n)
				shares := 0
				for _, d := range docs {
					if slices.ContainsFunc(strings.Fields(d.Text), func(w string) bool { return strings.Contains(q.Text, w) }) {
						shares++
					}
				}
				if len(hits) != min(n, shares) {
					rt.Fatalf("%d hits of %d documents that share a word, at most %d: %v", len(hits), shares, n, hits)
				}
				for i, h := range hits {
					if i > 0 && (h.Score > hits[i-1].Score || h.Score == hits[i-1].Score && h.ID <= hits[i-1].ID) {
						rt.Fatalf("not in order: %v", hits)
					}
				}
			})
		})
	}
}

func TestEnginesServeSeveralQueriesAtOnce(t *testing.T) {
	t.Parallel()
	docs := []eval.Document{{ID: "a", Text: "fall sensor"}, {ID: "b", Text: "wound care"}}
	for _, name := range baseline.Names {
		x, err := named(t, name)(t.Context(), docs)
		if err != nil {
			t.Fatal(err)
		}
		var g errgroup.Group
		for i := range 32 {
			d := docs[i%2]
			g.Go(func() error {
				hits, err := x.Rank(t.Context(), d, 10)
				if len(hits) != 1 || hits[0].ID != d.ID {
					t.Errorf("%s: %v", name, hits)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestEnginesStopWhenToldTo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range baseline.Names {
		if _, err := named(t, name)(ctx, []eval.Document{{ID: "a", Text: "fall"}}); err == nil {
			t.Errorf("%s goes on", name)
		}
	}
	if _, err := baseline.Engine("kobling"); err == nil {
		t.Error("an engine that is no baseline is one")
	}
}
