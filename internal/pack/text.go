package pack

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// clean returns text in NFC with single spaces, without what cannot be seen: line
// breaks and other controls become spaces, soft hyphens and their like go. What
// is clean already stays as it is.
func clean(text string) string {
	if plain(text) {
		return text
	}
	text = norm.NFC.String(strings.Map(func(r rune) rune {
		switch {
		case r == '\u2010', r == '\u2011': // hyphens that only typesetting tells apart
			return '-'
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text))
	return strings.Join(strings.Fields(text), " ")
}

// plain reports whether text is clean at first sight.
func plain(text string) bool {
	before := byte(' ')
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c >= 0x7f || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return text == "" || before != ' '
}

// tooLong reports whether text has more than limit characters.
func tooLong(text string, limit int) bool { return utf8.RuneCountInString(text) > limit }
