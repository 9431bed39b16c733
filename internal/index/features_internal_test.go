package index

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/analysis"
	"kobling/internal/score"
)

func TestFeaturesComeBackAsStored(t *testing.T) {
	t.Parallel()
	for _, features := range [][]analysis.Feature{
		nil,
		{{Term: "c:æøå", Weight: 1}},
		{{Term: "b:medis", Weight: 127}, {Term: "b:medit", Weight: 128}, {Term: "c:medit", Weight: score.DemandTotal}, {Term: "c:medita", Weight: 300}, {Term: "s:x", Weight: 7}},
	} {
		got, err := parseFeatures(encodeFeatures(features))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(features, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// FuzzParseFeatures reads any bytes: it never panics, takes no more memory than
// they could hold, and what it reads is read again from what it is written as.
func FuzzParseFeatures(f *testing.F) {
	f.Add(encodeFeatures([]analysis.Feature{{Term: "b:medis", Weight: 127}, {Term: "b:medit", Weight: 65536}}))
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0, 1, 'a', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parseFeatures(b)
		if err != nil {
			return
		}
		again, err := parseFeatures(encodeFeatures(got))
		if err != nil || !slices.Equal(got, again) {
			t.Errorf("%v became %v, %v", got, again, err)
		}
	})
}
