package analysis

import (
	"bytes"
	"context"
	_ "embed" // for the file
	"iter"

	"kobling/internal/lexicon"
	"kobling/internal/translate"
)

// lexiconTimes is how often the concepts of the lexicon are read beside other
// entries: they say what words mean in this field, word lists what they mean
// anywhere. With all open packs, four times instead of once bring .05 of hit@1 on
// the domain collection and cost .005 of recall@1 on the news.
const lexiconTimes = 4

// Learn learns translation tables from entries, and from the lexicon, for
// [WithTables]. It ends with ctx's error; progress may be nil.
func (a *Analyzer) Learn(ctx context.Context, entries iter.Seq[translate.Entry], progress func(done, total int)) (*translate.Tables, error) {
	all := func(yield func(translate.Entry) bool) {
		for range lexiconTimes {
			for e := range conceptEntries(a.lexicon) {
				if !yield(e) {
					return
				}
			}
		}
		entries(yield)
	}
	return translate.Learn(ctx, all, a.Keys, progress)
}

// conceptEntries are the concepts of a lexicon as translation tables learn from
// them.
func conceptEntries(lex *lexicon.Lexicon) iter.Seq[translate.Entry] {
	return func(yield func(translate.Entry) bool) {
		for _, c := range lex.Concepts {
			var e translate.Entry
			for _, lang := range lexicon.Languages {
				for _, label := range c.Labels[lang] {
					e.Terms = append(e.Terms, translate.Term{Lang: lang, Text: label.Text})
				}
			}
			if !yield(e) {
				return
			}
		}
	}
}

// learnedFile is what the lexicon that ships teaches alone: a line that says by
// which analysis and from which lexicon, and the tables. To learn takes half of a
// start. A test holds it; it is written anew by
//
//	go test ./internal/analysis -run Learned -update
//
//go:embed learned.bin
var learnedFile []byte

// learnedHeader is the first line of a learned file.
func learnedHeader(lex *lexicon.Lexicon) []byte {
	return []byte("analysis " + version + " lexicon " + lex.Version() + "\n")
}

// shipped returns what the lexicon teaches alone; another than the one that ships
// has to be learned from.
func (a *Analyzer) shipped(keys translate.Keys) (*translate.Tables, error) {
	if tables, ok := bytes.CutPrefix(learnedFile, learnedHeader(a.lexicon)); ok {
		return translate.Read(bytes.NewReader(tables))
	}
	return translate.Learn(context.Background(), conceptEntries(a.lexicon), keys, nil)
}
