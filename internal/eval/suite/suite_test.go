package suite_test

import (
	"compress/gzip"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kobling/internal/analysis"
	"kobling/internal/eval"
	"kobling/internal/eval/baseline"
	"kobling/internal/eval/suite"
	"kobling/internal/fault"
	"kobling/internal/lexicon"
	"kobling/internal/testkit"
)

// files is a folder of collections, three of them not there; their words are such
// as languages share, so that plain words find them.
func files() map[string]string {
	f := map[string]string{
		"domain/needs.jsonl":  `{"_id":"n1","lang":"da","title":"radar"}` + "\n" + `{"_id":"n2","lang":"nb","text":"laser"}`,
		"domain/offers.jsonl": `{"_id":"o1","lang":"fi","title":"radar"}` + "\n" + `{"_id":"o2","lang":"nl","text":"laser radar"}` + "\n" + `{"_id":"o3","lang":"nl","text":"laser"}`,
		"domain/qrels.tsv":    "n\to\tg\nn1\to1\t2\nn2\to2\t2",

		"expertise/h2020-topics/needs.jsonl":        `{"_id":"t","text":"radar"}`,
		"expertise/h2020-topics/offers.jsonl.gz":    `{"_id":"1","text":"radar"}`,
		"expertise/h2020-topics/qrels.tsv":          "n\to\tg\nt\t1\t1",
		"expertise/erc-organisations/queries.jsonl": `{"_id":"q","text":"radar"}`,
		"expertise/erc-organisations/projects.jsonl.gz": `{"_id":"1","org":"x","text":"radar and sonar"}` + "\n" +
			`{"_id":"2","org":"y","text":"radar of ships"}` + "\n" + `{"_id":"3","org":"y","text":"radar of birds"}`,
		"expertise/erc-organisations/qrels.tsv": "q\to\tg\nq\ty\t1",
		"expertise/reviewers/profiles.jsonl.gz": `{"_id":"1","expert":"e","text":"radar"}` + "\n" + `{"_id":"1","expert":"f","text":"radar"}`,
		"expertise/reviewers/papers.jsonl.gz":   `{"_id":"p","text":"radar"}` + "\n" + `{"_id":"r","text":"laser"}`,
		"expertise/reviewers/ratings.tsv":       "e\tp\tr\ne\tp\t5\ne\tr\t1\nf\tp\t1\nf\tr\t2.5",
		"xling/swecris/sv.jsonl.gz":             `{"_id":"1","title":"radar","text":"fartyg laser"}` + "\n" + `{"_id":"2","text":"sonar"}` + "\n" + `{"_id":"3","title":"sonar","text":"lidar"}`,
		"xling/swecris/en.jsonl.gz":             `{"_id":"2","title":"sonar","text":"sonar"}` + "\n" + `{"_id":"1","title":"radar","text":"laser"}` + "\n" + `{"_id":"3","title":"radar","text":"lidar sonar"}`,
		"xling/debian-science/da.jsonl.gz":      `{"_id":"1","title":"radar","text":"sonar"}`,
		"xling/debian-science/en.jsonl.gz":      `{"_id":"1","title":"sonar","text":"radar"}`,
		"ir-health/medline/corpus.jsonl.gz":     `{"_id":"1","text":"radar"}` + "\n" + `{"_id":"2","text":"laser"}`,
		"ir-health/medline/queries.jsonl":       `{"_id":"1","text":"radar"}`,
		"ir-health/medline/qrels.tsv":           "q\td\tg\n1\t2\t1\n1\t1\t0",
	}
	for _, lang := range []string{"da", "nb", "nn", "sv", "fi", "nl", "en"} {
		f["xling/ntrex/segments."+lang+".tsv"] = "1\tradar i Oslo\n2\tlaser i Oslo 7\n"
	}
	return f
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		var packed strings.Builder
		if strings.HasSuffix(name, ".gz") {
			w := gzip.NewWriter(&packed)
			_, err := w.Write([]byte(content))
			if err := errors.Join(err, w.Close()); err != nil {
				t.Fatal(err)
			}
			content = packed.String()
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func plain([]eval.Document) (eval.Engine, error) { return baseline.BM25, nil }

func TestASuiteMeasuresWhatIsThereAndNamesWhatIsNot(t *testing.T) {
	t.Parallel()
	dir := folder(t, files())
	var told []string
	got, err := suite.Suite{Dir: dir, Engine: plain, Progress: func(name string) { told = append(told, name) }}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	missing := func(name string) suite.Figure {
		return suite.Figure{Collection: name, Metric: "nDCG@10", Missing: "ir-health/" + name + "/corpus.jsonl.gz"}
	}
	want := []suite.Figure{
		{Collection: "domain", Metric: "hit@1", Queries: 2, Value: .5}, // o3 is shorter than o2
		{Collection: "domain", Metric: "hit@5", Queries: 2, Value: 1},
		missing("scifact"), missing("medquad"), missing("liveqa-med"),
		{Collection: "medline", Metric: "nDCG@10", Queries: 1},
		{Collection: "ntrex", Metric: "recall@1", Queries: 84, Value: 1},
		{Collection: "ntrex", Metric: "recall@10", Queries: 84, Value: 1},
		{Collection: "ntrex-bare", Metric: "recall@1", Queries: 84, Value: 1},
		{Collection: "ntrex-mixed", Metric: "recall@10", Queries: 12, Value: 1},
		{Collection: "swecris", Metric: "recall@1", Queries: 6, Value: 1},
		{Collection: "swecris-titles", Metric: "recall@10", Queries: 2, Value: .5}, // the second has no title; titles are not searched
		{Collection: "debian-titles", Metric: "recall@10", Queries: 1, Value: 1},
		{Collection: "h2020-topics", Metric: "nDCG@10", Queries: 1, Value: 1},
		{Collection: "erc-organisations", Metric: "recall@10", Queries: 1, Value: 1},
		{Collection: "erc-organisations", Metric: "hit@1", Queries: 1, Value: 1},
		{Collection: "reviewers", Metric: "pairs in order", Queries: 2, Value: .5},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(suite.Figure{}, "Seconds", "Must", "Aim"), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.Equal(told, suite.Names()) {
		t.Errorf("progress told of %v", told)
	}
}

func TestASuiteMeasuresOnlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := suite.Suite{Dir: folder(t, files()), Engine: plain, Only: []string{"medline", "domain"}, Progress: func(string) {}}
	got, err := s.Run(t.Context())
	if err != nil || len(got) != 3 || got[0].Collection != "domain" || got[2].Collection != "medline" {
		t.Errorf("%v, %+v", err, got)
	}
	s.Only = []string{"domain", "nonsense"}
	if _, err := s.Run(t.Context()); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("an unknown collection: %v", err)
	}
}

// A file that is there and wrong ends it, and so does an engine: only what is
// missing is passed over.
func TestASuiteStopsAtWhatIsBroken(t *testing.T) {
	t.Parallel()
	f := files()
	f["ir-health/medline/qrels.tsv"] = "header\n1\t2\tmuch"
	none := &os.PathError{Op: "open", Path: "/nowhere/segment", Err: os.ErrNotExist}
	for name, s := range map[string]suite.Suite{
		"medline: ": {Engine: plain, Only: []string{"medline"}},
		"domain: ":  {Engine: func([]eval.Document) (eval.Engine, error) { return nil, none }, Only: []string{"domain"}},
		"swecris: ": {Engine: func([]eval.Document) (eval.Engine, error) {
			return func(context.Context, []eval.Document) (eval.Index, error) { return nil, none }, nil
		}, Only: []string{"swecris"}},
	} {
		s.Dir, s.Progress = folder(t, f), func(string) {}
		if _, err := s.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s%v", name, err)
		}
	}
}

var analyzer = sync.OnceValues(func() (*analysis.Analyzer, error) {
	lex, err := lexicon.Default()
	if err != nil {
		return nil, err
	}
	return analysis.New(lex)
})

// product is the engine as "kobling eval" has it: weights from the documents.
func product(docs []eval.Document) (eval.Engine, error) {
	a, err := analyzer()
	if err != nil {
		return nil, err
	}
	epoch, err := eval.Epoch(a, docs)
	if err != nil {
		return nil, err
	}
	return eval.Kobling(epoch), nil
}

// TestFiguresOfRealCollections holds floors under some figures, of collections
// that KOBLING_EVAL_DATA names, just below those in the README of package eval;
// and plain BM25, which never changes, must come to what their READMEs say.
func TestFiguresOfRealCollections(t *testing.T) {
	t.Parallel()
	dir := testkit.EvalData(t)
	for name, tt := range map[string]struct {
		engine func([]eval.Document) (eval.Engine, error)
		least  map[string][2]float64 // and most
	}{
		"bm25": {plain, map[string][2]float64{
			"domain hit@1": {0, 0}, "domain hit@5": {0, 0}, "liveqa-med nDCG@10": {.72, .74}, "h2020-topics nDCG@10": {.46, .48}, "reviewers pairs in order": {.64, .66},
		}},
		"kobling": {product, map[string][2]float64{
			"domain hit@1": {.70, 1}, "domain hit@5": {.95, 1}, "scifact nDCG@10": {.70, 1}, "liveqa-med nDCG@10": {.80, 1},
			"h2020-topics nDCG@10": {.495, 1}, "reviewers pairs in order": {.70, 1},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			only := map[string]bool{}
			for key := range tt.least {
				collection, _, _ := strings.Cut(key, " ")
				only[collection] = true
			}
			s := suite.Suite{Dir: dir, Engine: tt.engine, Only: slices.Collect(maps.Keys(only)), Progress: func(string) {}}
			figures, err := s.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range figures {
				t.Logf("%s %s %.3f in %.1f s", f.Collection, f.Metric, f.Value, f.Seconds)
				bounds, ok := tt.least[f.Collection+" "+f.Metric]
				if !ok || f.Value < bounds[0] || f.Value > bounds[1] || f.Missing != "" {
					t.Errorf("%s %s is %.3f, want %v %s", f.Collection, f.Metric, f.Value, bounds, f.Missing)
				}
			}
			if len(figures) != len(tt.least) {
				t.Errorf("%d figures, want %d", len(figures), len(tt.least))
			}
		})
	}
}

// TestFiguresOfTranslatedNews holds floors under the first 200 segments of the
// translated news: all of them would take a minute.
func TestFiguresOfTranslatedNews(t *testing.T) {
	t.Parallel()
	dir := testkit.EvalData(t)
	docs := map[string][]eval.Document{}
	var all []eval.Document
	for _, lang := range []string{"da", "nb", "nn", "sv", "fi", "nl", "en"} {
		list, err := eval.ReadDocuments(filepath.Join(dir, "xling", "ntrex", "segments."+lang+".tsv"), lang)
		if err != nil {
			t.Fatal(err)
		}
		docs[lang] = list[:200]
		all = append(all, docs[lang]...)
	}
	engine, err := product(all)
	if err != nil {
		t.Fatal(err)
	}
	r, err := eval.Parallel(t.Context(), engine, docs, func() {})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("mean: %+v", r.Mean)
	if r.Mean.Recall1 < .80 || r.Mean.Recall10 < .91 {
		t.Errorf("recall@1 is %.3f, recall@10 %.3f", r.Mean.Recall1, r.Mean.Recall10)
	}
}
