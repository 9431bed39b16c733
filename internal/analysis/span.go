package analysis

import "kobling/internal/profile"

// Span is where a term stands in a profile's texts.
type Span struct {
	Text  int    // which text
	Field string // title, summary, description, requirements or partner_role
	Start int    // bytes in the field
	End   int
}

// maxSpans is how many places are kept of each term: the first.
const maxSpans = 5

// Spans returns where each of terms stands, in reading order. With narrower, a
// concept also stands where one of its narrower concepts does, as it does for a
// supply.
func (a *Analyzer) Spans(texts []profile.Text, terms []string, narrower bool) map[string][]Span {
	spans := make(map[string][]Span, len(terms))
	for _, t := range terms {
		spans[t] = nil
	}
	s := a.scratch()
	defer a.release(s)
	for i := range texts {
		lang := a.language(&texts[i])
		for _, f := range fields {
			words := f.of(&texts[i])
			add := func(term string, start, end int) {
				if old, wanted := spans[term]; wanted && len(old) < maxSpans {
					spans[term] = append(old, Span{Text: i, Field: f.name, Start: start, End: end})
				}
			}
			a.read(s, lang, words, func(m match) {
				start, end := s.atoms[m.from].start, s.atoms[m.to-1].end
				for _, c := range m.means {
					for at := c; at >= 0; at = a.broader[at] {
						add(a.terms[at], start, end)
						if !narrower {
							break
						}
					}
				}
			})
			for _, at := range s.atoms {
				if at.covered != weightless {
					add(stemPrefix+at.key, at.start, at.end)
				}
			}
		}
	}
	return spans
}

// In returns the words at s, as text has them.
func (s Span) In(text *profile.Text) string {
	for _, f := range fields {
		if f.name == s.Field {
			return f.of(text)[s.Start:s.End]
		}
	}
	return ""
}
