package score_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/testkit"
)

// postings are what four organisations posted. Those with one letter are one and
// the same thing: translated, revised or said in other words. The others of an
// organisation are different things in one field, by one group, and must stay
// apart.
var postings = map[string][]struct{ says, lang, title, description string }{
	"a company": {
		{"a", "da", "Testmiljø for faldsensor i plejehjem", "Vi har udviklet en radar, der opdager fald hos beboere med demens uden kamera. Vi søger et plejehjem eller en kommune, hvor hjemmeplejen kan afprøve sensoren om natten sammen med personalet."},
		{"a", "en", "Test environment for a fall sensor in nursing homes", "We have developed a radar that detects falls of residents with dementia without a camera. We are looking for a nursing home or a municipality where home care can try out the sensor at night together with the staff."},
		{"a", "sv", "Testmiljö för fallsensor på vårdboende", "Vi har utvecklat en radar som upptäcker fall hos boende med demens utan kamera. Vi söker ett äldreboende eller en kommun där hemtjänsten kan prova sensorn på natten tillsammans med personalen."},
		{"a", "en", "Nursing home wanted to test our fall sensor", "Our radar detects falls of people with dementia, without any camera. We seek a nursing home or municipality whose home care staff will try the sensor at night."},
		{"b", "da", "Klinisk afprøvning af medicindispenser", "Vores medicindispenser doserer tabletter og minder borgeren om at tage sin medicin. Vi søger en kommune, hvor hjemmeplejen vil måle, om færre doser bliver glemt."},
		{"c", "en", "Hospital partner for a smart bed sensor against pressure ulcers", "A mat under the mattress measures pressure and movement. We seek a hospital ward that will test whether fewer patients get pressure ulcers."},
	},
	"a university": {
		{"a", "en", "Gait analysis after stroke with wearable sensors", "Our biomechanics group measures gait and balance of patients after stroke with inertial sensors worn on the body, in rehabilitation and at home, and analyses the data with machine learning."},
		{"a", "nb", "Ganganalyse etter hjerneslag med kroppsbårne sensorer", "Vår gruppe i biomekanikk måler gange og balanse hos pasienter etter slag med bevegelsessensorer på kroppen, i rehabilitering og hjemme, og analyserer dataene med maskinlæring."},
		{"b", "en", "Tremor in Parkinson's disease: measurement with wearable sensors", "Our biomechanics group quantifies tremor of people with Parkinson's disease with electromyography and inertial sensors on the wrist, and builds orthoses that suppress it."},
		{"c", "en", "Falls of older people: risk assessment in the gait laboratory", "Our biomechanics group assesses the risk of falls of older people by balance tests on a treadmill and tests exercise programmes that prevent them."},
	},
	"a hospital": {
		{"a", "fi", "Kliininen tutkimus haavanhoidosta", "Yliopistosairaalan haavapoliklinikka tekee kliinisiä tutkimuksia kroonisten haavojen ja painehaavojen hoidosta. Tarjoamme potilaita, tutkimushoitajan ja kuvantamisen haavan paranemisen seurantaan."},
		{"a", "en", "Clinical study of wound care", "The university hospital's wound clinic runs clinical studies of the treatment of chronic wounds and pressure ulcers. We offer patients, a research nurse and imaging to follow wound healing."},
		{"b", "en", "Clinical study of diabetes technology", "The university hospital's diabetes clinic runs clinical studies of insulin pumps and continuous glucose monitoring. We offer patients, a research nurse and access to data."},
	},
	"a town": {
		{"a", "nl", "Proeftuin voor zorgrobots in het verpleeghuis", "De gemeente biedt een verpleeghuis waar bedrijven een sociale robot kunnen testen met ouderen met dementie, mantelzorgers en verpleegkundigen."},
		{"a", "en", "Living lab for care robots in the nursing home", "The municipality offers a nursing home where companies can test a social robot with older people with dementia, informal carers and nurses."},
		{"b", "nl", "Proeftuin voor slimme woningen", "De gemeente biedt aangepaste woningen waar bedrijven sensoren en domotica kunnen testen met ouderen die zelfstandig wonen."},
	},
}

func signature(e *score.Epoch, lang, title, description string) score.Signature {
	return e.Side(&profile.Profile{ID: "offer.org.one", Texts: []profile.Text{{Lang: lang, Title: title, Description: description}}}).Signature
}

func TestTranslationsAndRevisionsAreDuplicatesAndOtherOffersAreNot(t *testing.T) {
	t.Parallel()
	e := defaultEpoch(t)
	for org, list := range postings {
		for i, x := range list {
			for _, y := range list[:i] {
				a, b := signature(e, x.lang, x.title, x.description), signature(e, y.lang, y.title, y.description)
				likeness := score.Likeness(a, b)
				t.Logf("%s: %d %q, %q", org, likeness, x.title, y.title)
				if got, want := e.Duplicate(a, b), x.says == y.says; got != want {
					t.Errorf("%s: %q and %q are duplicates: %t, want %t (likeness %d)", org, x.title, y.title, got, want, likeness)
				}
			}
		}
	}
}

// A profile in two languages is a duplicate of itself in one.
func TestATwinInOneTextIsATwin(t *testing.T) {
	t.Parallel()
	e := defaultEpoch(t)
	x := postings["a company"]
	both := e.Side(&profile.Profile{ID: "need.acme.one", Texts: []profile.Text{
		{Lang: x[0].lang, Title: x[0].title, Description: x[0].description}, {Lang: x[1].lang, Title: x[1].title, Description: x[1].description},
	}}).Signature
	for _, one := range x[:2] {
		if !e.Duplicate(both, signature(e, one.lang, one.title, one.description)) {
			t.Errorf("%s is not a duplicate of the profile that has it as well", one.lang)
		}
	}
}

func TestTooLittleInCommonIsNoDuplicate(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[one]\nen: radar\n[two]\nen: falling\n[three]\nen: nursing\n[four]\nen: dementia\n")
	e := score.NewEpoch(1, a, score.DefaultThresholds())
	for text, want := range map[string]bool{
		"": false, "radar": false, "radar falling nursing": false, "radar falling nursing dementia": true, "radar falling nursing dementia xylophone": true,
	} {
		s := signature(e, "en", text, "")
		if got := e.Duplicate(s, s); got != want {
			t.Errorf("%q is a duplicate of itself: %t, want %t", text, got, want)
		}
	}
	if none := score.NewEpoch(1, a, score.Thresholds{Floor: 1}); none.Duplicate(signature(e, "en", "radar falling nursing dementia", ""), signature(e, "en", "radar falling nursing dementia", "")) {
		t.Error("an epoch without a threshold has duplicates")
	}
}

// signatures draws signatures that share marks now and then.
func signatures() *rapid.Generator[score.Signature] {
	return rapid.Custom(func(t *rapid.T) score.Signature {
		keys := rapid.SliceOfNDistinct(rapid.Uint32Range(0, 90), 0, score.MaxSignature, rapid.ID[uint32]).Draw(t, "keys")
		var s score.Signature
		left := uint32(score.SignatureTotal)
		for i, k := range keys {
			share := left
			if rest := uint32(len(keys) - i - 1); rest > 0 {
				share = rapid.Uint32Range(1, left-rest).Draw(t, "share")
			}
			left -= share
			at, _ := findMark(s, k)
			s = append(s[:at:at], append(score.Signature{{Key: k, Share: share}}, s[at:]...)...)
		}
		return s
	})
}

func findMark(s score.Signature, key uint32) (int, bool) {
	for i, m := range s {
		if m.Key >= key {
			return i, m.Key == key
		}
	}
	return len(s), false
}

// TestLikenessIsSymmetricAndBounded also checks it against its definition, and
// the bound by which an index leaves out what it need not read.
func TestLikenessIsSymmetricAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := signatures().Draw(t, "a"), signatures().Draw(t, "b")
		got := score.Likeness(a, b)
		if back := score.Likeness(b, a); back != got {
			t.Fatalf("%d from one side, %d from the other", got, back)
		}
		least, all, shared := 0, 0, 0
		for key := range uint32(91) {
			var shares [2]int
			for n, s := range []score.Signature{a, b} {
				if i, ok := findMark(s, key); ok {
					shares[n] = int(s[i].Share)
				}
			}
			least, all = least+min(shares[0], shares[1]), all+max(shares[0], shares[1])
			if shares[0] > 0 && shares[1] > 0 {
				shared++
			}
		}
		want := 0
		if shared >= 4 {
			want = least * 10000 / all
		}
		if got != want {
			t.Fatalf("likeness %d, by its definition %d", got, want)
		}
		if most := a.Bound().AtMost(b.Sketch()); most < got {
			t.Fatalf("likeness %d, bounded by %d", got, most)
		}
		read, err := score.ParseSignature(a.AppendBinary(nil))
		if err != nil || !cmp.Equal(read, a) {
			t.Fatalf("read back as %v, %v", read, err)
		}
	})
}

func TestASignatureKeepsTheHeaviestMarks(t *testing.T) {
	t.Parallel()
	e := defaultEpoch(t)
	for _, list := range postings {
		for _, x := range list {
			s := signature(e, x.lang, x.title, x.description)
			total := uint32(0)
			for i, m := range s {
				total += m.Share
				if m.Share == 0 || i > 0 && m.Key <= s[i-1].Key {
					t.Errorf("%q: mark %d is %+v", x.title, i, m)
				}
			}
			if len(s) > score.MaxSignature || total != score.SignatureTotal {
				t.Errorf("%q: %d marks of %d together", x.title, len(s), total)
			}
		}
	}
	var concepts, text strings.Builder
	for n := range 60 {
		word := fmt.Sprintf("word%c%c", 'a'+n/26, 'a'+n%26)
		fmt.Fprintf(&concepts, "[c%d]\nen: %s\n", n, word)
		fmt.Fprintf(&text, "%s. ", word)
	}
	if s := signature(score.NewEpoch(1, testkit.Analyzer(t, concepts.String()), score.DefaultThresholds()), "en", text.String(), ""); len(s) != score.MaxSignature {
		t.Errorf("%d marks of 60 concepts, want %d", len(s), score.MaxSignature)
	}
}

func FuzzParseSignature(f *testing.F) {
	f.Add([]byte{})
	f.Add(score.Signature{{Key: 1, Share: score.SignatureTotal}}.AppendBinary(nil))
	f.Add(score.Signature{{Key: 1, Share: 9}, {Key: 7, Share: score.SignatureTotal - 9}}.AppendBinary(nil))
	f.Add([]byte{0, 0, 0, 1, 0, 0})
	f.Add([]byte("not a signature"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := score.ParseSignature(b)
		if err != nil {
			return
		}
		if diff := cmp.Diff(b, s.AppendBinary([]byte{})); diff != "" {
			t.Errorf("written back (-read +written):\n%s", diff)
		}
	})
}
