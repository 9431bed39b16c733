package profile

import (
	"slices"
	"strings"
)

// nearby are the languages that a reader is likely to understand, best first,
// besides the reader's own and English.
var nearby = map[string][]string{
	"da": {"nb", "nn", "sv"},
	"nb": {"nn", "da", "sv"},
	"nn": {"nb", "da", "sv"},
	"sv": {"nb", "nn", "da"},
	"fi": {"sv"},
	"nl": {"de"},
	"de": {"nl"},
}

// Text returns the text that serves a reader of lang best: in that language, in
// one close to it, in English, or the original. It is zero if there is none.
func (p *Profile) Text(lang string) Text {
	lang = canonicalLang(lang)
	base, _, _ := strings.Cut(lang, "-")
	base = canonicalLang(base)
	for _, want := range slices.Concat([]string{lang, base}, nearby[base], []string{"en"}) {
		for _, t := range p.Texts {
			if t.Lang == want {
				return t
			}
		}
	}
	if len(p.Texts) == 0 {
		return Text{}
	}
	return p.Texts[0]
}

// Title returns the title of the text that serves a reader of lang best.
func (p *Profile) Title(lang string) string { return p.Text(lang).Title }

// Langs returns the languages of the texts, sorted, each once.
func (p *Profile) Langs() []string {
	langs := make([]string, 0, len(p.Texts))
	for _, t := range p.Texts {
		if t.Lang != "" {
			langs = append(langs, t.Lang)
		}
	}
	slices.Sort(langs)
	return slices.Compact(langs)
}

// canonicalLang returns lang as texts state it: lower case, nb for no.
func canonicalLang(lang string) string {
	lang = strings.ToLower(strings.TrimSpace(lang))
	if lang == "no" {
		return "nb"
	}
	return lang
}
