package analysis

import (
	"unicode/utf8"

	"kobling/internal/lexicon"
)

// labels are the lexicon's labels cut into words, once for all vocabularies.
type labels struct {
	list   []labelText // by concept and language
	starts []int32     // in list, by concept and language
	tokens []labelToken
	words  []labelWord
	folds  []string
}

// labelText is a label; its words are tokens from start to end.
type labelText struct {
	text       string
	start, end int32
}

type labelToken struct {
	word        int32 // place in labels.words
	apart, caps bool  // as in token
}

// labelWord is what there is to know of a word whatever language it is read in.
type labelWord struct {
	word    string
	fold    int32 // place in labels.folds
	letters int32
	empty   langSet // as wordLists.emptyIn has it
}

func (a *Analyzer) labels() *labels {
	s := a.scratch()
	defer a.release(s)
	l := &labels{}
	words, folds := make(map[string]int32), make(map[string]int32)
	for _, c := range a.lexicon.Concepts {
		for _, lang := range lexicon.Languages {
			l.starts = append(l.starts, int32(len(l.list))) //nolint:gosec // bounded by the lexicon's size, as all below
			for _, label := range c.Labels[lang] {
				s.label = tokenise(s.label[:0], label.Text)
				text := labelText{text: label.Text, start: int32(len(l.tokens))} //nolint:gosec // see above
				for _, t := range s.label {
					w, ok := words[t.word]
					if !ok {
						w = int32(len(l.words)) //nolint:gosec // see above
						words[t.word] = w
						fold, ok := folds[string(s.foldBytes(t.word))]
						if !ok {
							fold = int32(len(l.folds)) //nolint:gosec // see above
							l.folds = append(l.folds, s.fold(t.word))
							folds[l.folds[fold]] = fold
						}
						n := utf8.RuneCountInString(t.word)
						l.words = append(l.words, labelWord{t.word, fold, int32(n), a.functionWords.emptyIn(t.word)}) //nolint:gosec // a word
					}
					l.tokens = append(l.tokens, labelToken{w, t.apart, t.caps})
				}
				text.end = int32(len(l.tokens)) //nolint:gosec // see above
				l.list = append(l.list, text)
			}
		}
	}
	l.starts = append(l.starts, int32(len(l.list))) //nolint:gosec // see above
	return l
}

// of returns the labels of a concept in a language.
func (l *labels) of(concept, lang int) []labelText {
	at := concept*len(lexicon.Languages) + lang
	return l.list[l.starts[at]:l.starts[at+1]]
}

// label is how a label is recognised.
type label struct {
	words         []wordID // without function words
	before, after string   // the function word beside the only word, if there are just these two
	whole         bool     // the only word is the whole label, and no short foreign one that may mean anything here
	parted        bool     // a mark between the words ends the phrase, so that no text has it
}

// recognizer makes the words of labels known to a vocabulary. It knows each word
// by its place in labels.words: most stand in many labels.
type recognizer struct {
	analyzer *Analyzer
	scratch  *scratch
	to       *vocabulary
	labels   *labels
	lang     int
	ids      []wordID // by word
	spelled  []wordID // likewise, as an abbreviation
	parts    []wordID // by fold: the last word that has it
	words    []wordID // of the label in hand
}

func newRecognizer(a *Analyzer, s *scratch, v *vocabulary, all *labels, lang int) *recognizer {
	return &recognizer{
		analyzer: a, scratch: s, to: v, labels: all, lang: lang,
		ids: make([]wordID, len(all.words)), spelled: make([]wordID, len(all.words)), parts: make([]wordID, len(all.folds)),
	}
}

// label makes the words of a label known and says how to recognise it, until the
// next call.
func (r *recognizer) label(text labelText, source int, foreign bool) label {
	tokens := r.labels.tokens[text.start:text.end]
	l := label{words: r.words[:0]}
	at := 0
	for i, t := range tokens {
		w := &r.labels.words[t.word]
		l.parted = l.parted || i > 0 && t.apart
		if isEmpty(w.empty, t.caps, r.lang, source) {
			continue
		}
		at = i
		if t.caps && w.letters < minSpelled {
			if r.spelled[t.word] == 0 {
				r.spelled[t.word] = r.to.word(abbreviation(w.word))
			}
			l.words = append(l.words, r.spelled[t.word])
			continue
		}
		if r.ids[t.word] == 0 {
			r.ids[t.word] = r.to.word(r.key(w))
		}
		id := r.ids[t.word]
		l.words = append(l.words, id)
		// An abbreviation is no part of a compound: kol is not in kollagen.
		if n := w.letters; !t.caps && !foreign && (n >= 4 || n == 3 && len(tokens) == 1) {
			r.parts[w.fold] = id
		}
	}
	r.words = l.words
	switch {
	case len(l.words) != 1:
	case len(tokens) == 1:
		l.whole = !foreign || len(text.text) > 3 || tokens[0].caps
	case len(tokens) == 2 && at == 0:
		l.after = r.labels.words[tokens[1].word].word
	case len(tokens) == 2:
		l.before = r.labels.words[tokens[0].word].word
	}
	return l
}

func (r *recognizer) key(w *labelWord) string {
	if r.lang < 0 {
		return r.labels.folds[w.fold]
	}
	return r.analyzer.key(r.scratch, r.lang, w.word)
}

// finish tells the vocabulary the parts of compounds.
func (r *recognizer) finish() {
	for fold, id := range r.parts {
		if id != 0 {
			r.to.parts[r.labels.folds[fold]] = id
		}
	}
}

// keys returns [Analyzer.Keys] for translate.Learn, which asks for labels in the
// order of conceptEntries. What it returns lasts until the next call.
func (l *labels) keys(a *Analyzer) func(lang, text string) []string {
	known := make([][]string, len(lexicon.Languages)) // by language and word
	for lang := range known {
		known[lang] = make([]string, len(l.words))
	}
	s := a.scratch()
	next := 0
	var keys []string
	return func(code, text string) []string {
		lang := langIndex(code)
		if next == len(l.list) || l.list[next].text != text {
			return a.Keys(code, text)
		}
		label := l.list[next]
		next++
		keys = keys[:0]
		for _, t := range l.tokens[label.start:label.end] {
			w := &l.words[t.word]
			if isEmpty(w.empty, t.caps, lang, lang) {
				continue
			}
			if known[lang][t.word] == "" {
				known[lang][t.word] = a.key(s, lang, w.word)
			}
			keys = append(keys, known[lang][t.word])
		}
		return keys
	}
}
