package corpus_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/bench/corpus"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

func TestAProfileIsTheSameWheneverAsked(t *testing.T) {
	t.Parallel()
	a, b, other := corpus.New(1), corpus.New(1), corpus.New(2)
	for _, n := range []int{999, 0, 7, 20, 7} {
		p := a.Profile(n)
		if diff := cmp.Diff(p, b.Profile(n)); diff != "" {
			t.Errorf("profile %d (-first +again):\n%s", n, diff)
		}
		if cmp.Equal(p.Texts, other.Profile(n).Texts) {
			t.Errorf("profile %d says the same with another seed", n)
		}
	}
}

func TestProfilesAreWhatIntakeWouldAccept(t *testing.T) {
	t.Parallel()
	c := corpus.New(1)
	seen := map[profile.ID]bool{}
	for n := range 200 {
		p := c.Profile(n)
		if faults := p.Validate(); len(faults) > 0 {
			t.Fatalf("profile %d: %v", n, faults)
		}
		if want := []profile.Side{profile.Demand, profile.Supply}[n%2]; p.ID.Side() != want || seen[p.ID] {
			t.Errorf("profile %d is %s, of side %s", n, p.ID, p.ID.Side())
		}
		seen[p.ID] = true
		text := p.Texts[0]
		all := strings.Fields(strings.Join([]string{text.Title, text.Summary, text.Description, text.Requirements, text.PartnerRole}, " "))
		if len(all) != 189 {
			t.Errorf("profile %d has %d words", n, len(all))
		}
	}
}

func TestPhrasesAreAmongTheWords(t *testing.T) {
	t.Parallel()
	c := corpus.New(1, "fall detection", "home care")
	found := 0
	for n := range 50 {
		p := c.Profile(n)
		if faults := p.Validate(); len(faults) > 0 {
			t.Fatalf("profile %d: %v", n, faults)
		}
		found += strings.Count(p.Texts[0].Description, "fall detection") + strings.Count(p.Texts[0].Description, "home care")
	}
	if found < 100 || found > 500 {
		t.Errorf("%d phrases in 50 descriptions of 100 words, want about 5 %%", found)
	}
}

func TestAProfileIsFoundByItsID(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 7, 12345} {
		if got := corpus.Number(corpus.New(1).Profile(n).ID); got != n {
			t.Errorf("profile %d is taken for %d", n, got)
		}
	}
	for _, id := range []profile.ID{"need.a.b", "need.a.nx", "need.a"} {
		if got := corpus.Number(id); got != -1 {
			t.Errorf("%s is taken for profile %d", id, got)
		}
	}
}

// Some words are far more common than others, but none is in every second word.
func TestWordsFollowZipfsLaw(t *testing.T) {
	t.Parallel()
	c := corpus.New(1)
	counts, total := map[string]int{}, 0
	for n := range 400 {
		for word := range strings.FieldsSeq(c.Profile(n).Texts[0].Description) {
			counts[word]++
			total++
		}
	}
	most, once := 0, 0
	for _, n := range counts {
		most = max(most, n)
		if n == 1 {
			once++
		}
	}
	if share := float64(most) / float64(total); share < .02 || share > .1 {
		t.Errorf("the commonest word is %.3f of all", share)
	}
	if share := float64(once) / float64(len(counts)); share < .3 || share > .9 {
		t.Errorf("%.2f of the words stand once", share)
	}
}

func write(t *testing.T, name string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRealTextsAreReadFromThreeFormats(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var txt, tsv, jsonl []string
	for i := range 100 {
		txt = append(txt, fmt.Sprintf("A line of plain text%d. Too short. And another sentence here!", i))
		tsv = append(tsv, fmt.Sprintf("id%d\tA cell of tabbed%d text", i, i))
		jsonl = append(jsonl, fmt.Sprintf(`{"_id":"x%d","text":"An object of some json%d","n":1}`, i, i))
	}
	write(t, filepath.Join(dir, "a.txt"), txt...)
	write(t, filepath.Join(dir, "b.tsv"), tsv...)
	write(t, filepath.Join(dir, "c.jsonl"), jsonl...)
	write(t, filepath.Join(dir, "e.txt.gz"), string(testkit.Gzip(t, []byte(strings.Repeat("A line that was compressed1 once.\n", 100)))))
	write(t, filepath.Join(dir, "d.csv"), "nobody,should,ever,read,unwanted0")
	c, err := corpus.Read(dir, 1, func(string) string { return "da" })
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for n := range 100 {
		p := c.Profile(n)
		if faults := p.Validate(); len(faults) > 0 {
			t.Fatalf("profile %d: %v", n, faults)
		}
		if p.Texts[0].Lang != "da" {
			t.Errorf("profile %d is in %q", n, p.Texts[0].Lang)
		}
		all.WriteString(p.Texts[0].Description)
	}
	for word, want := range map[string]bool{"text1": true, "tabbed1": true, "json1": true, "compressed1": true, "another": true, "id1": false, "short.": false, "unwanted0": false} {
		if got := strings.Contains(all.String(), word); got != want {
			t.Errorf("%q is read: %t, want %t", word, got, want)
		}
	}
	if c.Kind() != "text" || corpus.New(1).Kind() != "synthetic" {
		t.Error("the kinds are mixed up")
	}
}

func TestTooLittleTextIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.txt"), "One sentence is not enough.")
	if _, err := corpus.Read(dir, 1, nil); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "1 sentences") {
		t.Errorf("error = %v", err)
	}
	write(t, filepath.Join(dir, "b.jsonl"), "{}", "no object")
	if _, err := corpus.Read(dir, 1, nil); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "b.jsonl:2") {
		t.Errorf("error = %v", err)
	}
	if _, err := corpus.Read(filepath.Join(dir, "none"), 1, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v", err)
	}
}
