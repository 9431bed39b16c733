package analysis

import (
	"strings"
	"sync"
	"unicode/utf8"

	"kobling/internal/lexicon"
	"kobling/internal/translate"
)

// lexeme is what there is to know of a word of a language. It does not change,
// and the texts of a cluster say the same words again and again: it is found once.
type lexeme struct {
	id    wordID // in the labels' words
	key   string
	own   word     // the term of its stem
	start word     // the term of its beginning; empty if it is too short
	empty bool     // a function word; nothing else is known of it then
	says  []saying // its translations; of an English word itself
	// A word that no label has may be a compound of labels' words, each an atom of
	// its own, or of words of the translation tables.
	parts  []part
	pieces []saying
}

// saying is a term that a word stands for and how much of it, of translate.Full.
type saying struct {
	word

	share uint32
}

// word is the term of a word, with what is asked of it again and again.
type word struct {
	term string
	hash uint32
	kind kind
}

func newWord(term string) word { return word{term, hash(term), kindOf(term)} }

// hash is FNV-1a.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// startLength is how many letters of a word its beginning has. Measured on the
// cross-language collections, beginnings of five letters do what all n-grams of
// four do, at a sixth of the features.
const startLength = 5

// lexemes remembers lexemes by language and word.
type lexemes struct {
	shards [64]struct {
		sync.RWMutex

		known map[lexemeKey]*lexeme
	}
}

type lexemeKey struct {
	lang int
	word string
}

// maxShard bounds the memory of one shard; when it is full it starts anew. So many
// words take some 25 MB in all shards; four times as many, which took 100 MB, were
// no faster with 150,000 words in use.
const maxShard = 1024

// capitals is added to the language of a function word that is written in
// capitals, and so is none.
const capitals = 1 << 8

// lexeme returns what there is to know of a word; a lang of -1 is unknown.
func (a *Analyzer) lexeme(s *scratch, lang int, t *token) *lexeme {
	l := a.known(s, lexemeKey{lang, t.word})
	if l.empty && t.caps {
		l = a.known(s, lexemeKey{lang + capitals, t.word})
	}
	return l
}

// known returns the lexeme of a key, a new one if need be.
func (a *Analyzer) known(s *scratch, k lexemeKey) *lexeme {
	shard := &a.lexemes.shards[hash(k.word)%uint32(len(a.lexemes.shards))]
	shard.RLock()
	l := shard.known[k]
	shard.RUnlock()
	if l != nil {
		return l
	}
	k.word = strings.Clone(k.word) // not the whole text
	switch {
	case k.lang >= capitals-1:
		l = a.newLexeme(s, k.lang-capitals, k.word)
	case a.isFunctionWord(token{word: k.word}, k.lang, k.lang):
		l = &lexeme{empty: true}
	default:
		l = a.newLexeme(s, k.lang, k.word)
	}
	shard.Lock()
	if shard.known == nil || len(shard.known) >= maxShard {
		shard.known = make(map[lexemeKey]*lexeme)
	}
	shard.known[k] = l
	shard.Unlock()
	return l
}

func (a *Analyzer) newLexeme(s *scratch, lang int, word string) *lexeme {
	l := &lexeme{key: a.key(s, lang, word)}
	l.own = newWord(stemPrefix + l.key)
	l.id = a.vocabularyOf(lang).words[l.key]
	if b := s.foldBytes(word); utf8.RuneCount(b) >= startLength-1 && !a.without.has(Starts) {
		l.start = newWord(startPrefix + firstLetters(string(b), startLength))
	}
	l.says = a.translations(nil, lang, l.key, translate.Full)
	if l.id == 0 && !a.without.has(Compounds) {
		l.parts = a.split(s, nil, lang, word)
		for i, p := range l.parts {
			if p.key == "" {
				p.key = a.key(s, lang, word[p.start:p.end])
			}
			l.parts[i].lexeme = &lexeme{
				id: p.id, key: p.key, own: newWord(stemPrefix + p.key), says: a.translations(nil, lang, p.key, translate.Full),
			}
		}
		if len(l.parts) == 0 && len(l.says) == 0 {
			for _, key := range a.splitTranslated(s, lang, word, maxParts-1) {
				l.pieces = a.translations(l.pieces, lang, key, translate.Full/2)
			}
		}
	}
	return l
}

// firstLetters returns the first n letters of word.
func firstLetters(word string, n int) string {
	for i := range word {
		if n == 0 {
			return word[:i]
		}
		n--
	}
	return word
}

// nordic are the languages whose words are looked up in each other's tables when
// their own has none, nearest first.
var nordic = map[string][]string{
	"da": {"nb", "nn", "sv"}, "nb": {"nn", "da", "sv"}, "nn": {"nb", "da", "sv"}, "sv": {"nb", "da", "nn"},
}

// translations appends what a key of a language says in the pivot language.
func (a *Analyzer) translations(dst []saying, lang int, key string, full uint32) []saying {
	if lang < 0 || a.without.has(Translations) {
		return dst
	}
	code := lexicon.Languages[lang]
	if code == translate.Pivot {
		return append(dst, saying{newWord(stemPrefix + key), full})
	}
	list := a.tables.Lookup(nil, code, key)
	for _, other := range nordic[code] {
		if len(list) == 0 {
			list = a.tables.Lookup(nil, other, key)
		}
	}
	for _, t := range list {
		dst = append(dst, saying{newWord(stemPrefix + t.Key), max(1, full*uint32(t.Share)/translate.Full)})
	}
	return dst
}

// splitTranslated splits a word into words of the translation tables, at most
// room of them, and returns their keys; nil if it cannot. It takes the way of the
// fewest parts, and among those the one whose shortest part is longest.
func (a *Analyzer) splitTranslated(s *scratch, lang int, word string, room int) []string {
	if lang < 0 || a.links[lang] == nil || utf8.RuneCountInString(word) < minCompound {
		return nil
	}
	code := lexicon.Languages[lang]
	var best []string
	most := -1
	for cut := len(word) - minPart; cut >= minPart; cut-- {
		if !utf8.RuneStart(word[cut]) {
			continue
		}
		first := a.key(s, lang, word[:cut])
		if !a.tables.Knows(code, first) {
			continue
		}
		for _, link := range a.links[lang] {
			after := cut + len(link)
			if after+minPart > len(word) || word[cut:after] != link {
				continue
			}
			rest := word[after:]
			var parts []string
			if last := a.key(s, lang, rest); a.tables.Knows(code, last) {
				parts = []string{first, last}
			} else if room > 2 {
				if more := a.splitTranslated(s, lang, rest, room-1); more != nil {
					parts = append([]string{first}, more...)
				}
			}
			if parts == nil {
				continue
			}
			shortest := min(cut, len(word)-after)
			points := shortest - 10*len(link) - 200*len(parts)
			if shortest <= minPart {
				points -= 50 // rarely a word, mostly an ending
			}
			if points += 1000; points > most {
				best, most = parts, points
			}
		}
	}
	return best
}
