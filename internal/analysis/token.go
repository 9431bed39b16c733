package analysis

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxWord is the longest word, in bytes, that is looked at; what is longer is
// not a word (a sequence, an address) and is passed over.
const maxWord = 64

// token is one word of a text.
type token struct {
	start, end int    // bytes in the text as given
	word       string // NFC, lower case
	// apart says that punctuation stands between this word and the one before,
	// so that no phrase spans them.
	apart bool
	// caps says that the word is written in capitals: an abbreviation, and no
	// function word (ALS in Dutch, IT in English).
	caps bool
}

// tokenise appends the words of text to dst. A word is a run of letters, digits
// and combining marks. A hyphen parts words without breaking a phrase. An ending
// after an apostrophe or a colon (patient's, MDR:n) belongs to no word.
func tokenise(dst []token, text string) []token {
	apart := true
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !inWord(r) {
			apart = apart || breaksPhrase(r) && !abbreviates(text, i)
			i += size
			continue
		}
		start := i
		for i < len(text) {
			if r, size = utf8.DecodeRuneInString(text[i:]); !inWord(r) {
				break
			}
			i += size
		}
		if i-start <= maxWord {
			dst = append(dst, token{start: start, end: i, word: normal(text[start:i]), apart: apart, caps: inCapitals(text[start:i])})
		}
		apart = i-start > maxWord
		i += ending(text[i:])
	}
	return dst
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// inCapitals reports whether word has two letters or more and all are capitals.
func inCapitals(word string) bool {
	n := 0
	for _, r := range word {
		if unicode.IsLower(r) {
			return false
		}
		if unicode.IsUpper(r) {
			n++
		}
	}
	return n > 1
}

// breaksPhrase reports whether r ends a phrase. Spaces, hyphens, slashes,
// quotation marks and signs such as ® do not.
func breaksPhrase(r rune) bool { return strings.ContainsRune(".,;:!?()[]\n•–—|", r) }

// abbreviates reports whether the mark at i is a full stop inside an abbreviation
// or after an initial (ph.d., C. elegans) and ends no sentence.
func abbreviates(text string, i int) bool {
	if text[i] != '.' {
		return false
	}
	if next, _ := utf8.DecodeRuneInString(text[i+1:]); inWord(next) {
		return true
	}
	last, size := utf8.DecodeLastRuneInString(text[:i])
	before, _ := utf8.DecodeLastRuneInString(text[:i-size])
	return unicode.IsLetter(last) && !inWord(before)
}

// ending returns the length of an ending set off from its word: 's, :n, :ssa.
// French l' and d' are words of their own and no endings.
func ending(rest string) int {
	mark, size := utf8.DecodeRuneInString(rest)
	if mark != '\'' && mark != '’' && mark != ':' {
		return 0
	}
	n := size
	letters := 0
	for n < len(rest) {
		r, size := utf8.DecodeRuneInString(rest[n:])
		if !unicode.IsLower(r) {
			if inWord(r) {
				return 0
			}
			break
		}
		n += size
		letters++
	}
	if letters == 0 || letters > 4 || mark != ':' && letters > 1 {
		return 0
	}
	return n
}

// normal returns word in NFC and lower case.
func normal(word string) string {
	word = strings.ToLower(word) // returns word itself if it has no upper case
	if norm.NFC.IsNormalString(word) {
		return word
	}
	return norm.NFC.String(word)
}
