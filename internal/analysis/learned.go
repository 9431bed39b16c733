package analysis

import (
	"bytes"
	"context"
	_ "embed" // for the file
	"io"

	"kobling/internal/lexicon"
	"kobling/internal/translate"
)

// learnedFile is what the lexicon that ships teaches: a line that says by which
// analysis and from which lexicon, and the tables. To learn takes half of a start.
// A test holds it; it is written anew by
//
//	go test ./internal/analysis -run Learned -update
//
//go:embed learned.bin
var learnedFile []byte

// learnedHeader is the first line of a learned file.
func learnedHeader(lex *lexicon.Lexicon) []byte {
	return []byte("analysis " + version + " lexicon " + lex.Version() + "\n")
}

// learn returns what lex teaches.
func (a *Analyzer) learn(lex *lexicon.Lexicon, keys translate.Keys) (*translate.Tables, error) {
	if tables, ok := bytes.CutPrefix(learnedFile, learnedHeader(lex)); ok {
		return translate.Read(bytes.NewReader(tables))
	}
	return translate.Learn(context.Background(), Entries(lex), keys, nil)
}

// WriteLearned writes what lex teaches in the form that is embedded.
func (a *Analyzer) WriteLearned(w io.Writer, lex *lexicon.Lexicon) error {
	tables, err := translate.Learn(context.Background(), Entries(lex), a.Keys, nil)
	if err != nil {
		return err
	}
	if _, err := w.Write(learnedHeader(lex)); err != nil {
		return err
	}
	return tables.Write(w)
}
