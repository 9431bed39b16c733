package analysis_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"kobling/internal/lexicon"
)

var update = flag.Bool("update", false, "write learned.bin anew")

// What is embedded is what the lexicon that ships teaches, to the byte.
func TestTheLearnedTablesAreThoseOfTheLexicon(t *testing.T) {
	t.Parallel()
	lex, err := lexicon.Default()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := analyzer().WriteLearned(&want, lex); err != nil {
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
