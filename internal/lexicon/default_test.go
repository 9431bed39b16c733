package lexicon_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/unicode/norm"

	"kobling/internal/fault"
	"kobling/internal/lexicon"
)

// What the lexicon that ships must have at least. It only grows: raise these
// with it.
const (
	minConcepts = 2_900
	minLabels   = 98_000
)

// minGroup is how many concepts each group must have at least.
var minGroup = map[string]int{
	"assistive": 310, "biotech": 280, "devices": 410, "healthit": 320, "pharma": 310, "welfare": 310, // the sectors
	"conditions": 150, "evidence": 30, "general": 15, "groups": 40, "methods": 80, "settings": 40,
	"words": 440,
}

// ships parses the default lexicon once for all tests; they only read it.
var ships = sync.OnceValues(lexicon.Default)

func defaultLexicon(tb testing.TB) *lexicon.Lexicon {
	tb.Helper()
	l, err := ships()
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func TestTheDefaultLexiconHasItsSize(t *testing.T) {
	t.Parallel()
	l := defaultLexicon(t)
	labels, groups := 0, map[string]int{}
	for _, c := range l.Concepts {
		groups[c.Group]++
		for _, list := range c.Labels {
			labels += len(list)
		}
	}
	if len(l.Concepts) < minConcepts || labels < minLabels {
		t.Errorf("%d concepts with %d labels, want at least %d and %d", len(l.Concepts), labels, minConcepts, minLabels)
	}
	for group, least := range minGroup {
		if groups[group] < least {
			t.Errorf("group %s has %d concepts, want at least %d", group, groups[group], least)
		}
	}
}

func TestEveryConceptHasALabelInEachRequiredLanguage(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"da", "nb", "sv", "fi", "nl", "en"}, lexicon.Languages[:lexicon.Required]); diff != "" {
		t.Errorf("required languages (-want +got):\n%s", diff)
	}
	for _, c := range defaultLexicon(t).Concepts {
		for _, lang := range lexicon.Languages[:lexicon.Required] {
			if len(c.Labels[lang]) == 0 {
				t.Errorf("concept %s has no label in %s", c.ID, lang)
			}
		}
	}
}

// A label of two concepts tells nothing apart, so it is marked on both sides; and
// a mark that nobody shares is left over from an edit.
func TestExactlyTheSharedLabelsAreMarked(t *testing.T) {
	t.Parallel()
	type place struct{ lang, label string }
	type claim struct {
		concepts []string
		marked   int
	}
	claims := make(map[place]claim)
	for _, c := range defaultLexicon(t).Concepts {
		for lang, list := range c.Labels {
			for _, label := range list {
				at := place{lang, strings.ToLower(norm.NFC.String(label.Text))}
				x := claims[at]
				x.concepts = append(x.concepts, c.ID)
				if label.Shared {
					x.marked++
				}
				claims[at] = x
			}
		}
	}
	for at, x := range claims {
		if shared := len(x.concepts) > 1; shared && x.marked < len(x.concepts) || !shared && x.marked > 0 {
			t.Errorf("%s label %q of %v carries %d marks", at.lang, at.label, x.concepts, x.marked)
		}
	}
}

// What is in every text weighs nothing, and what weighs nothing has no kinds.
func TestTheGeneralWordsAreEmpty(t *testing.T) {
	t.Parallel()
	l := defaultLexicon(t)
	for _, c := range l.Concepts {
		if (c.Group == "general") != (c.Weight == lexicon.Empty) {
			t.Errorf("concept %s of group %s is %s", c.ID, c.Group, c.Weight)
		}
		if up, ok := l.Concept(c.Broader); ok && up.Weight == lexicon.Empty {
			t.Errorf("concept %s is a kind of %s, which weighs nothing", c.ID, up.ID)
		}
	}
	if !slices.IsSortedFunc(l.Concepts, func(a, b lexicon.Concept) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("concepts are not in order of ID")
	}
}

func TestTheDefaultLexiconIsReadBackAsWritten(t *testing.T) {
	t.Parallel()
	checkRoundTrip(t, defaultLexicon(t))
}

// checkRoundTrip writes l as one file and reads it back.
func checkRoundTrip(tb testing.TB, l *lexicon.Lexicon) {
	tb.Helper()
	var b bytes.Buffer
	n, err := l.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		tb.Fatalf("WriteTo = %d, %v for %d bytes", n, err, b.Len())
	}
	back := parse(tb, fstest.MapFS{"all.txt": {Data: b.Bytes()}})
	if diff := cmp.Diff(l.Concepts, back.Concepts, cmpopts.IgnoreFields(lexicon.Concept{}, "Group"), cmpopts.EquateEmpty()); diff != "" {
		tb.Errorf("written and read again (-was +is):\n%s", diff)
	}
	if back.Version() != l.Version() {
		tb.Errorf("version %s became %s", l.Version(), back.Version())
	}
}

// broken fails on its nth write.
type broken struct{ n int }

func (w *broken) Write(p []byte) (int, error) {
	if w.n--; w.n == 0 {
		return 3, errors.New("disk full")
	}
	return len(p), nil
}

func TestWritingEndsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	l := parse(t, pack("[a]\nen: one\n[b]\nen: two\n[c]\nen: three\n"))
	n, err := l.WriteTo(&broken{n: 2})
	if want := int64(len("[a]\nen: one\n\n") + 3); err == nil || n != want {
		t.Errorf("WriteTo = %d, %v, want %d and a failure", n, err, want)
	}
}

// FuzzParse checks that Parse says what is wrong or returns what is written back
// alike.
func FuzzParse(f *testing.F) {
	f.Add("[fall-detection < safety] common\nda: falddetektion; ~fald\n[safety]\nen: safety; ~fald\n")
	f.Add("[a]\nda: \xff\n")
	f.Add("# only a comment")
	f.Add("[a < b]\n[b < a]\nen: a\u037eb; K; ~~x; A\u030a; \ufeff;\v ; [x]\n[]\nen:")
	f.Add("[a] empty\r\n nn: e\u0301;; é\n[a] empty\n\n[c < d] Common\nen one\nxx: two")
	f.Fuzz(func(t *testing.T, content string) {
		l, err := lexicon.Parse(pack(content))
		if err == nil {
			checkRoundTrip(t, l)
			return
		}
		if !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("error of no kind: %v", err)
		}
		if !strings.Contains(err.Error(), "\ntest.txt:") {
			t.Errorf("no place is named: %v", err)
		}
	})
}
