package analysis_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"kobling/internal/profile"
)

// FuzzFeatures checks what must hold for any text.
func FuzzFeatures(f *testing.F) {
	f.Add("da", "Faldsensor", "Vi søger en kommune, der vil afprøve CT-scanning og GPS:en.")
	f.Add("fi", "Kotihoidon testipaikka", "ikäihmisten kodit ja hyvinvointiteknologia")
	f.Add("", "\xff\x00é", "l'hôpital — 3D-printing\n• ISO 13485")
	f.Add("xx", strings.Repeat("hjemmepleje", 40), "a")
	f.Add("sv", "A\u030aldrande i\u0307 ǅ", "vård. C. elegans. .. x.y 12:30 patient's’:n")
	f.Add("nl", "ﬁ № K Å ſ", strings.Repeat("ziekenhuiszorg ", 30)+"\u0301")
	f.Fuzz(func(t *testing.T, lang, title, words string) {
		texts := []profile.Text{{Lang: lang, Title: title, Description: words}}
		raw := analyzer().Features(texts)
		checkSides(t, raw)
		checkSpans(t, texts)
		if diff := cmp.Diff(raw, analyzer().Features(texts), sameRaw); diff != "" {
			t.Errorf("another time, other features:\n%s", diff)
		}
		if lang == "" || !utf8.ValidString(title+words) {
			return // without a language the letters themselves are evidence
		}
		for name, form := range map[string]norm.Form{"composed": norm.NFC, "decomposed": norm.NFD} {
			same := []profile.Text{{Lang: lang, Title: form.String(title), Description: form.String(words)}}
			if diff := cmp.Diff(raw, analyzer().Features(same), sameRaw); diff != "" {
				t.Errorf("%s, other features:\n%s", name, diff)
			}
		}
	})
}
