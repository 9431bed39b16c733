package analysis_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// backgroundOf is the pruned background of profiles with a text in one language
// or two.
func backgroundOf(a *analysis.Analyzer, profiles ...[]profile.Text) *analysis.Background {
	b := analysis.NewBackground()
	for _, texts := range profiles {
		b.Add(a.Features(texts))
	}
	b.Prune()
	return b
}

func said(lang, words string) profile.Text { return profile.Text{Lang: lang, Description: words} }

// fileOf is the file of a background.
func fileOf(tb rapid.TB, b *analysis.Background) []byte {
	tb.Helper()
	var file bytes.Buffer
	if err := b.Write(&file); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

// The process that made an epoch and one that reads it must weigh alike.
func TestABackgroundComesBackFromAFile(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[a]\nen: fall sensor\nda: faldsensor\n")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) profile.Text {
			return said(rapid.SampledFrom([]string{"da", "en", "nn", "fi", "xx", ""}).Draw(t, "lang"),
				rapid.StringMatching(`(fall sensor|faldsensor|alpha|beta|gamma|delta ){0,6}`).Draw(t, "words"))
		})
		profiles := rapid.SliceOfN(rapid.SliceOfN(text, 1, 2), 0, 6).Draw(t, "profiles")
		b := backgroundOf(a, profiles...)
		file := fileOf(t, b)
		back, err := analysis.ReadBackground(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if back.Version() != b.Version() || back.Profiles() != len(profiles) || back.Terms() != b.Terms() || !cmp.Equal(back.ByLanguage(), b.ByLanguage()) {
			t.Fatalf("%s of %d profiles, %d terms came back as %s of %d, %d", b.Version(), len(profiles), b.Terms(), back.Version(), back.Profiles(), back.Terms())
		}
		if !bytes.Equal(file, fileOf(t, back)) {
			t.Fatal("equal backgrounds give other files")
		}
		raw := a.Features([]profile.Text{said("en", "fall sensor alpha beta gamma")})
		if d := cmp.Diff(weigh(t, a, b, raw), weigh(t, a, back, raw)); d != "" {
			t.Fatal(d)
		}
	})
}

// weigh returns what raw weighs before a background.
func weigh(tb rapid.TB, a *analysis.Analyzer, b *analysis.Background, raw analysis.Raw) []analysis.Weighed {
	tb.Helper()
	with, err := a.With(analysis.WithBackground(b))
	if err != nil {
		tb.Fatal(err)
	}
	return with.Weights(raw).Heaviest()
}

func TestTermsOfOneProfileAreForgotten(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[a]\nen: fall sensor\n")
	b := analysis.NewBackground()
	for _, texts := range [][]profile.Text{
		{said("en", "zorgbreed quindle quindle")}, {said("en", "zorgbreed"), said("da", "zorgbreed")}, {said("xx", "blarvel")},
	} {
		b.Add(a.Features(texts))
	}
	before := b.Terms()
	b.Prune()
	if b.Terms() == 0 || b.Terms() >= before {
		t.Errorf("%d of %d terms are kept", b.Terms(), before)
	}
	alone := backgroundOf(a, []profile.Text{said("en", "zorgbreed")}, []profile.Text{said("en", "zorgbreed"), said("da", "zorgbreed")})
	if b.Terms() != alone.Terms() {
		t.Errorf("%d terms are kept, want the %d of the word that two have", b.Terms(), alone.Terms())
	}
	if want := map[string]int{"en": 2, "da": 1, "?": 1}; !cmp.Equal(b.ByLanguage(), want) || b.Profiles() != 3 {
		t.Errorf("%d profiles, %v, want %v", b.Profiles(), b.ByLanguage(), want)
	}
}

// FuzzReadBackground reads what may stand in the database.
func FuzzReadBackground(f *testing.F) {
	a := testkit.Analyzer(f, "[a]\nen: fall sensor\n")
	file := fileOf(f, backgroundOf(a, []profile.Text{said("en", "fall sensor")}, []profile.Text{said("da", "fall sensor")}))
	content := testkit.Gunzip(f, file)
	f.Add(content)
	f.Add(content[:len(content)-9])
	f.Add([]byte("no background"))
	f.Fuzz(func(t *testing.T, content []byte) {
		b, err := analysis.ReadBackground(bytes.NewReader(testkit.Gzip(t, content)))
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("ReadBackground = %v, want it invalid", err)
			}
			return
		}
		if back, err := analysis.ReadBackground(bytes.NewReader(fileOf(t, b))); err != nil || back.Version() != b.Version() {
			t.Errorf("what was read does not come back: %v", err)
		}
	})
}
