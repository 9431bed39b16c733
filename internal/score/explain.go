package score

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// The kinds of an explained reason.
const (
	kindConcept = "concept"
	kindWord    = "word"
	kindNgram   = "ngram"
	kindFact    = "fact"
)

// The facts that order equals without touching the score; Explain adds them.
const (
	factRegion  = factPrefix + "region"
	factCountry = factPrefix + "country"
)

// Explain makes the reasons of a pair readable in lang (da, nb, sv, fi, nl or
// en; others read English): a label for each, and where it stands in both
// profiles' texts. A common region or country is added with no points.
func (e *Epoch) Explain(demand, supply *profile.Profile, reasons []suggestion.Reason, lang string) []suggestion.Explained {
	var terms []string
	for _, r := range reasons {
		if !strings.HasPrefix(r.Feature, factPrefix) {
			terms = append(terms, r.Feature)
		}
	}
	inDemand := e.analyzer.Spans(demand.Texts, terms, false)
	inSupply := e.analyzer.Spans(supply.Texts, terms, true)

	explained := make([]suggestion.Explained, 0, len(reasons)+1)
	for _, r := range reasons {
		x := suggestion.Explained{Reason: r, Kind: kindOf(r.Feature)}
		if x.Kind == kindFact {
			x.Label = factLabel(r.Feature, lang)
		} else {
			x.Demand = quote(demand.Texts, inDemand[r.Feature])
			x.Supply = quote(supply.Texts, inSupply[r.Feature])
			x.Label = e.label(r.Feature, lang, x)
		}
		explained = append(explained, x)
	}
	explained = merge(explained)
	if place := commonPlace(FactsOf(demand), FactsOf(supply)); place != "" {
		has := func(x suggestion.Explained) bool { return x.Feature == place }
		if !slices.ContainsFunc(explained, has) {
			explained = append(explained, suggestion.Explained{
				Reason: suggestion.Reason{Feature: place}, Kind: kindFact, Label: factLabel(place, lang),
			})
		}
	}
	return explained
}

// merge adds reasons that quote the same words of either side, or would be called
// alike, to the first of them, concepts first: a word is a feature by its
// translations, its beginning and its concept, but one reason.
func merge(list []suggestion.Explained) []suggestion.Explained {
	rank := map[string]int{kindConcept: 0, kindWord: 1, kindNgram: 2, kindFact: 3}
	slices.SortStableFunc(list, func(a, b suggestion.Explained) int { return cmp.Compare(rank[a.Kind], rank[b.Kind]) })
	merged := make([]suggestion.Explained, 0, len(list))
	for _, x := range list {
		at := -1
		if x.Kind == kindWord || x.Kind == kindNgram {
			at = slices.IndexFunc(merged, func(m suggestion.Explained) bool {
				return m.Kind != kindFact && (m.Label == x.Label || within(x.Demand, m.Demand) || within(x.Supply, m.Supply))
			})
		}
		if at < 0 {
			merged = append(merged, x)
			continue
		}
		merged[at].Points = math.Round((merged[at].Points+x.Points)*scale) / scale
	}
	slices.SortStableFunc(merged, func(a, b suggestion.Explained) int { return cmp.Compare(b.Points, a.Points) })
	return merged
}

// within reports whether each of spans lies in one of others.
func within(spans, others []suggestion.Span) bool {
	for _, s := range spans {
		in := func(o suggestion.Span) bool {
			return s.Lang == o.Lang && s.Field == o.Field && s.Start >= o.Start && s.End <= o.End
		}
		if !slices.ContainsFunc(others, in) {
			return false
		}
	}
	return len(spans) > 0
}

func kindOf(feature string) string {
	switch {
	case strings.HasPrefix(feature, factPrefix):
		return kindFact
	case analysis.IsConcept(feature):
		return kindConcept
	case strings.HasPrefix(feature, "g:"):
		return kindNgram
	}
	return kindWord
}

// label names a feature: a concept by the lexicon, a word as the texts have it,
// the reader's language first.
func (e *Epoch) label(feature, lang string, x suggestion.Explained) string {
	if x.Kind == kindConcept {
		return e.analyzer.Label(feature, lang)
	}
	spans := slices.Concat(x.Demand, x.Supply)
	own := slices.IndexFunc(spans, func(s suggestion.Span) bool { return s.Lang == lang })
	switch {
	case own >= 0:
		return strings.ToLower(spans[own].Text)
	case len(spans) > 0:
		return strings.ToLower(spans[0].Text)
	}
	return e.analyzer.Label(feature, lang)
}

// quote turns spans into quotations.
func quote(texts []profile.Text, spans []analysis.Span) []suggestion.Span {
	var quotes []suggestion.Span
	for _, s := range spans {
		quotes = append(quotes, suggestion.Span{
			Lang:  texts[s.Text].Lang,
			Field: s.Field,
			Start: s.Start,
			End:   s.End,
			Text:  s.In(&texts[s.Text]),
		})
	}
	return quotes
}

// commonPlace returns the fact that both are at home in one region (NUTS level
// 2, or as much of it as the shorter code says) or country; "" if they are not.
func commonPlace(a, b Facts) string {
	const level2 = 4 // characters of a NUTS code
	if n := min(len(a.NUTS), len(b.NUTS), level2); n > 2 && a.NUTS[:n] == b.NUTS[:n] {
		return factRegion + ":" + a.NUTS[:n]
	}
	if a.Country != "" && a.Country == b.Country {
		return factCountry + ":" + a.Country
	}
	return ""
}

// factLabel names a fact ("fact:cooperation:clinical_study") for a reader.
func factLabel(feature, lang string) string {
	name, value, _ := strings.Cut(strings.TrimPrefix(feature, factPrefix), ":")
	column := slices.Index(labelLanguages[:], lang)
	switch {
	case lang == "nn":
		column = slices.Index(labelLanguages[:], "nb")
	case column < 0:
		column = slices.Index(labelLanguages[:], "en")
	}
	says := factNames[name][column]
	if says == "" {
		return name
	}
	if value == "" {
		return says
	}
	if named := valueNames[value][column]; named != "" {
		value = named
	}
	return says + ": " + value
}
