package eval

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kobling/internal/analysis"
	"kobling/internal/lexicon"
	"kobling/internal/score"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	near := cmpopts.EquateApprox(0, 1e-9)
	for _, tt := range []struct {
		name   string
		ranked []string
		grades map[string]int
		want   Metrics
	}{
		{"right at once", []string{"a", "b"}, map[string]int{"a": 1}, Metrics{1, 1, 1, 1, 1, 1, 1}},
		{"nothing found", nil, map[string]int{"a": 1}, Metrics{Queries: 1}},
		{"second", []string{"x", "a"}, map[string]int{"a": 1}, Metrics{1, 1 / math.Log2(3), 0, 1, 1, 1, .5}},
		{
			"grades weigh, and one is missing",
			[]string{"a", "b"},
			map[string]int{"a": 1, "b": 2, "c": 1},
			Metrics{1, (1 + 3/math.Log2(3)) / (3 + 1/math.Log2(3) + .5), 1, 1, 2. / 3, 2. / 3, 1},
		},
		{
			"eleventh", append(strings.Split(strings.Repeat("x", 10), ""), "a"),
			map[string]int{"a": 1},
			Metrics{Queries: 1, Recall100: 1},
		},
	} {
		var sum Metrics
		one := sum.add(tt.ranked, tt.grades)
		if diff := cmp.Diff(tt.want, one, near); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		sum.add(tt.ranked, tt.grades)
		tt.want.Queries = 2
		if diff := cmp.Diff(tt.want, sum.mean(), near); diff != "" {
			t.Errorf("%s, twice (-want +got):\n%s", tt.name, diff)
		}
	}
}

var defaultEpoch = sync.OnceValues(func() (*score.Epoch, error) { return score.DefaultEpoch(1) })

func epoch(tb testing.TB) *score.Epoch {
	tb.Helper()
	e, err := defaultEpoch()
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

var (
	danish  = []Document{{ID: "1", Text: "Falddetektion i hjemmeplejen", Lang: "da"}, {ID: "2", Text: "Behandling af tryksår", Lang: "da"}}
	finnish = []Document{{ID: "1", Text: "Kaatumisen tunnistus kotihoidossa", Lang: "fi"}, {ID: "2", Text: "Painehaavojen hoito", Lang: "fi"}}
)

func TestTranslationsAreFound(t *testing.T) {
	t.Parallel()
	docs := map[string][]Document{"da": danish, "fi": finnish}
	asked := make(chan struct{}, 100)
	for name, measure := range map[string]func() (Report, error){
		"apart": func() (Report, error) {
			return Parallel(t.Context(), Kobling(epoch(t)), docs, func() { asked <- struct{}{} })
		},
		"mixed": func() (Report, error) {
			return Mixed(t.Context(), Kobling(epoch(t)), docs, func() { asked <- struct{}{} })
		},
	} {
		r, err := measure()
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Pairs) != 2 || r.Mean.N != 4 || r.Mean.Recall1 != 1 || r.Mean.Recall10 != 1 || r.Mean.MRR10 != 1 {
			t.Errorf("%s: %+v", name, r)
		}
		if len(asked) != 4 {
			t.Errorf("%s: progress was told %d times", name, len(asked))
		}
		for range 4 {
			<-asked
		}
	}
}

func TestTheWorstQueriesAreExplained(t *testing.T) {
	t.Parallel()
	queries := append(danish[:2:2], Document{ID: "unjudged", Text: "Falddetektion", Lang: "da"})
	qrels := Qrels{"1": {"1": 1}, "2": {"1": 2}, "unjudged": {"elsewhere": 1}} // the second is judged wrongly on purpose
	m, worst, err := Retrieval(t.Context(), Kobling(epoch(t)), finnish, queries, qrels, 1, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if m.Queries != 2 || m.Hit1 != .5 {
		t.Errorf("metrics = %+v, want two queries, one of them right", m)
	}
	if len(worst) != 1 || worst[0].Query != "2" || worst[0].First != "2" || len(worst[0].Why) == 0 {
		t.Errorf("worst = %+v", worst)
	}
	if _, _, err := Retrieval(t.Context(), Kobling(epoch(t)), finnish, queries, Qrels{}, 1, func() {}); err == nil {
		t.Error("a collection without judgments is measured")
	}
}

func TestFilesAreReadOrTheLineIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	docs, err := ReadDocuments(write("docs.jsonl", `{"_id":"a","title":"T","text":"x"}`+"\n\n"+`{"_id":"b","text":"y","lang":"fi"}`), "da")
	if diff := cmp.Diff([]Document{{ID: "a", Title: "T", Text: "x", Lang: "da"}, {ID: "b", Text: "y", Lang: "fi"}}, docs); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	docs, err = ReadDocuments(write("docs.tsv", "1\tet\r\n2\tto\n"), "da")
	if diff := cmp.Diff([]Document{{ID: "1", Text: "et", Lang: "da"}, {ID: "2", Text: "to", Lang: "da"}}, docs); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	qrels, err := ReadQrels(write("qrels.tsv", "q\td\tgrade\n1\ta\t2\n1\tb\t0\n"))
	if diff := cmp.Diff(Qrels{"1": {"a": 2}}, qrels); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for name, content := range map[string]string{"bad.jsonl": "{}", "worse.jsonl": "no", "bad.tsv": "one column"} {
		if _, err := ReadDocuments(write(name, content), ""); err == nil || !strings.Contains(err.Error(), name+":1: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadQrels(write("bad-qrels.tsv", "header\n1\ta\tmuch")); err == nil || !strings.Contains(err.Error(), ":2: ") {
		t.Errorf("qrels: %v", err)
	}
}

// BenchmarkAnalyzer measures what the first epoch of a process costs.
func BenchmarkAnalyzer(b *testing.B) {
	for b.Loop() {
		lex, err := lexicon.Default()
		if err == nil {
			_, err = analysis.New(lex)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
