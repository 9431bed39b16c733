package analysis_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// quotes returns what the spans of a term quote, each as field:words.
func quotes(spans []analysis.Span, texts []profile.Text) []string {
	all := []string{}
	for _, s := range spans {
		all = append(all, s.Field+":"+s.In(&texts[s.Text]))
	}
	return all
}

func TestSpansQuoteTheRightWords(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[home-care]\nsv: hemsjukvård\nfi: kotihoito\nen: care at home\n[sensor]\nsv: sensor\nfi: anturi\n[radar < sensor]\nsv: radar\n"+
		"[noise] empty\nsv: söker partner\n")
	texts := []profile.Text{
		{
			Lang: "sv", Title: norm.NFD.String("Hemsjukvård – nära"), Summary: "Å, hemsjukvårdens sensor!", Description: "Vi söker partner",
			Requirements: "radarsensorer, radar", PartnerRole: "sensorn",
		},
		{Lang: "fi", Description: "Kotihoitoon; ANTURI:a"},
	}
	for _, tt := range []struct {
		term     string
		narrower bool
		want     []string
	}{
		{"c:home-care", false, []string{norm.NFD.String("title:Hemsjukvård"), "summary:hemsjukvårdens", "description:Kotihoitoon"}},
		{"c:sensor", false, []string{"summary:sensor", "requirements:radarsensorer", "partner_role:sensorn", "description:ANTURI"}},
		{"c:sensor", true, []string{"summary:sensor", "requirements:radarsensorer", "requirements:radarsensorer", "requirements:radar", "partner_role:sensorn"}},
		{"c:radar", true, []string{"requirements:radarsensorer", "requirements:radar"}},
		{"s:sensor", false, []string{"summary:sensor", "requirements:radarsensorer", "partner_role:sensorn"}},
		{"s:ner", false, []string{norm.NFD.String("title:nära")}},
		{"s:home", false, []string{norm.NFD.String("title:Hemsjukvård"), "summary:hemsjukvårdens", "description:Kotihoitoon"}},
		{"s:partn", false, []string{"description:partner"}}, // it stands nowhere else
		{"c:noise", false, []string{"description:söker partner"}},
		{"c:unknown", true, []string{}},
	} {
		got := a.Spans(texts, []string{"c:home-care", tt.term}, tt.narrower)
		if diff := cmp.Diff(tt.want, quotes(got[tt.term], texts)); diff != "" {
			t.Errorf("%s, narrower %v (-want +got):\n%s", tt.term, tt.narrower, diff)
		}
	}
}

func TestAPhraseIsQuotedFromItsFirstToItsLastWord(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[home-care]\nen: care home\n[long-covid]\nen: long covid\n")
	texts := text("en", "We give care at their own home; long-Covid too.")
	got := a.Spans(texts, []string{"c:home-care", "c:long-covid"}, false)
	want := map[string][]string{"c:home-care": {"description:care at their own home"}, "c:long-covid": {"description:Covid"}}
	for term := range want {
		if diff := cmp.Diff(want[term], quotes(got[term], texts)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", term, diff)
		}
	}
}

// Each feature stands somewhere, and what is quoted for it has that feature.
func TestEveryFeatureHasASpan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { checkSpans(t, anyTexts().Draw(t, "texts")) })
}

// checkSpans fails unless each feature of texts is quoted well.
func checkSpans(tb rapid.TB, texts []profile.Text) {
	tb.Helper()
	var wanted []string
	raw := analyzer().Features(texts)
	for _, r := range raw.Counts {
		wanted = append(wanted, r.Term)
	}
	spans := analyzer().Spans(texts, wanted, false)
	for _, f := range analyzer().Weights(raw).Supply() {
		wanted = append(wanted, f.Term)
	}
	wider := analyzer().Spans(texts, wanted, true)
	for _, term := range wanted {
		if n := len(wider[term]); n == 0 || n > 5 || len(spans[term]) > n {
			tb.Fatalf("%s has %d spans, and %d narrower ones", term, len(spans[term]), n)
		}
	}
	for _, r := range raw.Counts {
		if len(spans[r.Term]) == 0 {
			tb.Fatalf("%s has no span", r.Term)
		}
		for _, s := range spans[r.Term] {
			quoted := s.In(&texts[s.Text])
			if quoted == "" || !utf8.ValidString(quoted) || strings.TrimSpace(quoted) != quoted {
				tb.Fatalf("%s is quoted as %q at %+v", r.Term, quoted, s)
			}
		}
	}
}
