// Package baseline has the engines that kobling is compared with. They know no
// lexicon and no language but what bleve's analyzers know; title and text are
// one text to them.
package baseline

import (
	"fmt"

	"kobling/internal/eval"
	"kobling/internal/fault"
)

// Names are the engines that there are.
var Names = []string{"bleve", "bleve-lang", "bm25"}

// Engine returns the engine of this name.
func Engine(name string) (eval.Engine, error) {
	switch name {
	case "bleve":
		return Bleve, nil
	case "bleve-lang":
		return BleveLang, nil
	case "bm25":
		return BM25, nil
	}
	return nil, fmt.Errorf("engine %q is not one of %v: %w", name, Names, fault.ErrInvalid)
}

// whole is all the text of a document.
func whole(d eval.Document) string {
	if d.Title == "" {
		return d.Text
	}
	return d.Title + "\n" + d.Text
}
