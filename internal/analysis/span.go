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
// supply. A word that means nothing is a place only of a term that stands nowhere
// else.
func (a *Analyzer) Spans(texts []profile.Text, terms []string, narrower bool) map[string][]Span {
	spans, faint := make(map[string][]Span, len(terms)), make(map[string][]Span)
	for _, t := range terms {
		spans[t] = nil
	}
	s := a.scratch()
	defer a.release(s)
	for i := range texts {
		lang := a.language(s, &texts[i])
		for n, f := range fields {
			addTo := func(to map[string][]Span, term string, start, end int) {
				if _, wanted := spans[term]; wanted && len(to[term]) < maxSpans {
					to[term] = append(to[term], Span{Text: i, Field: f.name, Start: start, End: end})
				}
			}
			a.read(s, lang, s.fields[n], func(m match) {
				start, end := s.atoms[m.from].start, s.atoms[m.to-1].end
				for _, c := range m.means {
					for at := c; at >= 0; at = a.broader[at] {
						addTo(spans, a.terms[at].term, start, end)
						if !narrower {
							break
						}
					}
				}
			})
			for i := range s.atoms {
				at := &s.atoms[i]
				to := spans
				if at.covered == weightless {
					to = faint
				}
				at.say(f.units, func(w word, _ uint32, _ bool) { addTo(to, w.term, at.start, at.end) })
			}
		}
	}
	for t, list := range faint {
		if len(spans[t]) == 0 {
			spans[t] = list
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
