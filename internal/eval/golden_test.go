package eval

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/score"
)

var update = flag.Bool("update", false, "write the golden rankings anew")

// shown is how many offers of each need stand in the golden file.
const shown = 3

// TestRankingsAreThoseOfTheGoldenFile holds what a change of analysis, lexicon,
// weights or thresholds does to a small collection: "go test ./internal/eval
// -update" writes the file anew, and its difference is the price to look at.
func TestRankingsAreThoseOfTheGoldenFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "golden")
	read := func(name string) []Document {
		docs, err := ReadDocuments(filepath.Join(dir, name), "")
		if err != nil {
			t.Fatal(err)
		}
		return docs
	}
	needs, offers := read("needs.jsonl"), read("offers.jsonl")
	qrels, err := ReadQrels(filepath.Join(dir, "qrels.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := open(t.Context(), epoch(t), offers)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	lang := map[string]string{}
	for _, d := range offers {
		lang[d.ID] = d.Lang
	}

	var out strings.Builder
	var sum Metrics
	for _, need := range needs {
		pairs, err := e.pairs(t.Context(), need)
		if err != nil {
			t.Fatal(err)
		}
		var ranked []string
		for _, p := range pairs {
			ranked = append(ranked, p.id)
		}
		sum.add(ranked, qrels[need.ID])
		fmt.Fprintf(&out, "%s %s %s\n", need.ID, need.Lang, need.Title)
		for _, p := range pairs[:min(shown, len(pairs))] {
			mark := " "
			if qrels[need.ID][p.id] > 0 {
				mark = "*"
			}
			fmt.Fprintf(&out, "  %s %s %s score %.4f text %.4f %s\n", mark, p.id, lang[p.id], p.Score, float64(p.text)/score.TextMax, p.Band)
			for _, r := range p.Reasons {
				fmt.Fprintf(&out, "        %.4f %s\n", r.Points, r.Feature)
			}
		}
	}
	m := sum.mean()
	fmt.Fprintf(&out, "\nof %d needs: hit@1 %.3f, hit@5 %.3f, nDCG@10 %.3f, MRR@10 %.3f\n", m.Queries, m.Hit1, m.Hit5, m.NDCG10, m.MRR10)

	golden := filepath.Join(dir, "rankings.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("the rankings changed; -update writes them (-golden +now):\n%s", diff)
	}
}
