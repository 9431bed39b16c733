package analysis

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"kobling/internal/lexicon"
	"kobling/internal/translate"
)

var update = flag.Bool("update", false, "write learned.bin anew")

// What is embedded is what the lexicon that ships teaches, to the byte.
func TestTheLearnedTablesAreThoseOfTheLexicon(t *testing.T) {
	t.Parallel()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(lex, Without(Translations))
	if err != nil {
		t.Fatal(err)
	}
	tables, err := translate.Learn(t.Context(), conceptEntries(lex), a.Keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	want.Write(learnedHeader(lex))
	if err := tables.Write(&want); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("learned.bin", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("learned.bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("learned.bin is not what the lexicon teaches: run this test with -update")
	}
}

// Files and sets of languages have room for each of the lexicon and the unknown.
func TestEveryLanguageHasItsPlace(t *testing.T) {
	t.Parallel()
	if len(lexicon.Languages)+1 != languages {
		t.Errorf("%d languages and the unknown have %d places", len(lexicon.Languages), languages)
	}
}
