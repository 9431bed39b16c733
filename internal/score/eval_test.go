package score_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

// TestDomainCollection measures the predicate on a collection of needs and
// offers with judgments, folder domain of the one that KOBLING_EVAL_DATA names.
func TestDomainCollection(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testkit.EvalData(t), "domain")
	epoch := defaultEpoch(t)
	needs, offers := readSides(t, epoch, filepath.Join(dir, "needs.jsonl")), readSides(t, epoch, filepath.Join(dir, "offers.jsonl"))
	grades := readGrades(t, filepath.Join(dir, "qrels.tsv"))

	var hit1, hit5, pairs, strong, wrongStrong, rightStrong, right int
	for _, need := range needs {
		type ranked struct {
			id string
			score.Result
			text uint32
		}
		var list []ranked
		for _, offer := range offers {
			text, shared := score.Text(need.side.Features, offer.side.Features)
			r := epoch.Pair(need.side.Facts, offer.side.Facts, text, shared)
			list = append(list, ranked{offer.id, r, score.Counts(need.side.Facts, offer.side.Facts, text)})
		}
		slices.SortStableFunc(list, func(a, b ranked) int { return int(b.text) - int(a.text) })
		first := -1
		for i, r := range list {
			relevant := grades[need.id+" "+r.id]
			if relevant && first < 0 && r.text > 0 {
				first = i
			}
			if relevant {
				right++
			}
			if r.Band == "" {
				continue
			}
			pairs++
			if r.Band == suggestion.Strong {
				strong++
				if relevant {
					rightStrong++
				} else {
					wrongStrong++
				}
			}
		}
		if first == 0 {
			hit1++
		}
		if first >= 0 && first < 5 {
			hit5++
		}
		if testing.Verbose() && first != 0 {
			t.Logf("%s: right offer at %d, best %s text %.3f %v", need.id, first, list[0].id, float64(list[0].text)/score.TextMax, list[0].Reasons[:min(4, len(list[0].Reasons))])
		}
	}
	n := float64(len(needs))
	t.Logf("needs %d offers %d: hit@1 %.3f hit@5 %.3f; stored pairs a need %.1f, strong %d (%d wrong, %d of %d right)",
		len(needs), len(offers), float64(hit1)/n, float64(hit5)/n, float64(pairs)/n, strong, wrongStrong, rightStrong, right)
	if float64(hit1)/n < .65 || float64(hit5)/n < .93 {
		t.Error("the right offer comes first less often than it did")
	}
	if rightStrong < 8 || 50*wrongStrong > strong {
		t.Error("the band strong is emptier or more often wrong than it was")
	}
}

type judged struct {
	id   string
	side score.Side
}

func readSides(tb testing.TB, epoch *score.Epoch, file string) []judged {
	tb.Helper()
	f, err := os.Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read
	var sides []judged
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var doc struct {
			ID                      string `json:"_id"`
			Kind, Lang, Title, Text string
			Country                 string
			OrgType                 profile.OrganisationType `json:"org_type"`
		}
		if err := json.Unmarshal(lines.Bytes(), &doc); err != nil {
			tb.Fatal(err)
		}
		p := &profile.Profile{
			ID:           profile.ID(doc.Kind + ".x." + doc.ID),
			Organisation: profile.Organisation{Type: doc.OrgType, Country: doc.Country},
			Texts:        []profile.Text{{Lang: doc.Lang, Title: doc.Title, Description: doc.Text}},
		}
		sides = append(sides, judged{doc.ID, epoch.Side(p)})
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return sides
}

func readGrades(tb testing.TB, file string) map[string]bool {
	tb.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	grades := make(map[string]bool)
	for line := range strings.Lines(string(body)) {
		if f := strings.Fields(line); len(f) == 3 && f[2] != "grade" {
			grades[f[0]+" "+f[1]] = true
		}
	}
	return grades
}

func defaultEpoch(tb testing.TB) *score.Epoch {
	tb.Helper()
	epoch, err := score.DefaultEpoch(1)
	if err != nil {
		tb.Fatal(err)
	}
	return epoch
}
