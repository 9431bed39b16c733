package translate_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/fault"
	"kobling/internal/translate"
)

// fields are keys for tests: the words of a text.
func fields(_, text string) []string { return strings.Fields(text) }

// entry reads "da: hus / en: house, home".
func entry(s string) translate.Entry {
	var e translate.Entry
	for side := range strings.SplitSeq(s, " / ") {
		lang, terms, _ := strings.Cut(side, ": ")
		for term := range strings.SplitSeq(terms, ", ") {
			e.Terms = append(e.Terms, translate.Term{Lang: lang, Text: term})
		}
	}
	return e
}

func learn(tb testing.TB, entries ...string) *translate.Tables {
	tb.Helper()
	var list []translate.Entry
	for _, s := range entries {
		list = append(list, entry(s))
	}
	t, err := translate.Learn(tb.Context(), slices.Values(list), fields, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// best returns the likeliest translation of a key.
func best(t *translate.Tables, lang, key string) string {
	list := t.Lookup(nil, lang, key)
	if len(list) == 0 {
		return ""
	}
	return list[0].Key
}

func TestWordsAreLearnedFromLabelsOfSeveralWords(t *testing.T) {
	t.Parallel()
	tables := learn(t,
		"da: rødt hus / en: red house",
		"da: rødt vin / en: red wine",
		"da: stort hus / en: big house",
		"da: stort fald / en: big fall",
		"da: fald / en: fall")
	got := map[string]string{}
	for _, key := range []string{"rødt", "hus", "vin", "stort", "fald", "ukendt"} {
		got[key] = best(tables, "da", key)
	}
	want := map[string]string{"rødt": "red", "hus": "house", "vin": "wine", "stort": "big", "fald": "fall", "ukendt": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("translations (-want +got):\n%s", diff)
	}
}

func TestAWordOfManyMeaningsIsSharedOut(t *testing.T) {
	t.Parallel()
	tables := learn(t, "sv: vård / en: care", "sv: vård / en: care", "sv: vård / en: monument")
	got := tables.Lookup(nil, "sv", "vård")
	if len(got) != 2 || got[0].Key != "care" || got[1].Key != "monument" || got[0].Share != 170 || got[1].Share != 85 {
		t.Errorf("vård is %v", got)
	}
}

func TestSynonymsCountAsOne(t *testing.T) {
	t.Parallel()
	tables := learn(t, "fi: hoito / en: care, nursing, treatment, therapy", "fi: hoito / en: handling")
	if got := tables.Lookup(nil, "fi", "hoito"); len(got) != 4 || got[0].Key != "handling" || got[0].Share != 128 || got[1].Share != 32 {
		t.Errorf("hoito is %v", got)
	}
}

func TestAThirdLanguageLeadsToThePivot(t *testing.T) {
	t.Parallel()
	tables := learn(t, "da: lunge / nb: lunge", "nb: lunge / en: lung")
	if got := best(tables, "da", "lunge"); got != "lung" {
		t.Errorf("lunge is %q", got)
	}
	if tables.Knows("en", "lung") || !tables.Knows("nb", "lunge") || tables.Words("da") != 1 {
		t.Error("the pivot language has a table, or another has none")
	}
}

func TestLongLabelsAreNoTranslationsButTextsAre(t *testing.T) {
	t.Parallel()
	long := "en: one two three four five six seven / da: en to tre fire fem seks syv"
	if tables := learn(t, long); len(tables.Languages()) != 0 {
		t.Errorf("a description has taught %v", tables.Languages())
	}
	text := entry(long)
	text.Parallel = true
	tables, err := translate.Learn(t.Context(), slices.Values([]translate.Entry{text}), fields, nil)
	if err != nil || tables.Words("da") != 7 {
		t.Errorf("a text has taught %d words, %v", tables.Words("da"), err)
	}
}

func TestNothingIsLearnedAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := translate.Learn(ctx, slices.Values([]translate.Entry{entry("da: a / en: b")}), fields, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Learn = %v", err)
	}
}

func TestProgressGoesThroughThePairsOfLanguages(t *testing.T) {
	t.Parallel()
	var got [][2]int
	list := []translate.Entry{entry("da: a / en: b"), entry("sv: a / en: b")}
	if _, err := translate.Learn(t.Context(), slices.Values(list), fields, func(done, total int) { got = append(got, [2]int{done, total}) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][2]int{{0, 2}, {1, 2}}, got); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

func TestNoTablesTranslateNothing(t *testing.T) {
	t.Parallel()
	var none *translate.Tables
	if none.Lookup(nil, "da", "hus") != nil || none.Knows("da", "hus") || none.Words("da") != 0 || none.Version() != "none" || none.Languages() != nil {
		t.Error("nil tables know something")
	}
}

// anyEntries draws entries over a few words.
func anyEntries() *rapid.Generator[[]translate.Entry] {
	term := rapid.Custom(func(t *rapid.T) translate.Term {
		return translate.Term{
			Lang: rapid.SampledFrom([]string{"da", "sv", "fi", "en"}).Draw(t, "lang"),
			Text: strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 8).Draw(t, "words"), " "),
		}
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) translate.Entry {
		return translate.Entry{Terms: rapid.SliceOfN(term, 0, 5).Draw(t, "terms"), Parallel: rapid.Bool().Draw(t, "parallel")}
	}), 0, 20)
}

func TestTablesKeepTheirBoundsAndComeBackFromAFile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		entries := anyEntries().Draw(t, "entries")
		tables, err := translate.Learn(context.Background(), slices.Values(entries), fields, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := translate.Learn(context.Background(), slices.Values(entries), fields, nil)
		if err != nil || again.Version() != tables.Version() {
			t.Fatalf("the same entries teach %s and %s, %v", tables.Version(), again.Version(), err)
		}
		var b bytes.Buffer
		if err := tables.Write(&b); err != nil {
			t.Fatal(err)
		}
		back, err := translate.Read(&b)
		if err != nil || back.Version() != tables.Version() {
			t.Fatalf("%s came back as %s, %v", tables.Version(), back.Version(), err)
		}
		for _, lang := range tables.Languages() {
			for _, key := range []string{"a", "b", "c", "d", "e"} {
				list := back.Lookup(nil, lang, key)
				total := 0
				for _, to := range list {
					total += int(to.Share)
				}
				if len(list) > 4 || total > translate.Full+4 || len(list) > 0 != back.Knows(lang, key) {
					t.Fatalf("%s %s is %v", lang, key, list)
				}
			}
		}
	})
}

func TestDamagedTablesAreRefused(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := learn(t, "da: hus / en: house").Write(&b); err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"empty": nil, "cut": b.Bytes()[:b.Len()-5], "no gzip": []byte("tables"),
		"bit": slices.Concat(b.Bytes()[:b.Len()-6], []byte{b.Bytes()[b.Len()-6] ^ 1}, b.Bytes()[b.Len()-5:]),
	} {
		if _, err := translate.Read(bytes.NewReader(damaged)); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: Read = %v, want it invalid", name, err)
		}
	}
}
