package testkit

import (
	"testing"
	"testing/fstest"

	"kobling/internal/analysis"
	"kobling/internal/lexicon"
)

// Analyzer returns an analyzer that knows only the concepts of content, a file as
// [lexicon.Parse] reads it.
func Analyzer(tb testing.TB, content string) *analysis.Analyzer {
	tb.Helper()
	l, err := lexicon.Parse(fstest.MapFS{"test.txt": {Data: []byte(content)}})
	if err != nil {
		tb.Fatal(err)
	}
	a, err := analysis.New(l)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}
