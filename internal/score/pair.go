package score

import (
	"cmp"
	"slices"
	"strings"

	"kobling/internal/analysis"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// scale is how many points a score of 1 has.
const scale = 10000

// The greatest points of each part; together they are the scale.
const (
	maxText         = 8000
	maxCooperation  = 1200
	maxOrganisation = 400
	maxTRL          = 400
)

// What a part gives when a side says nothing.
const (
	unsaidCooperation  = 400
	unsaidOrganisation = 150
	unsaidTRL          = 150
)

// unsaid is what a pair has besides its text when neither side says anything.
const unsaid = unsaidCooperation + unsaidOrganisation + unsaidTRL

// trlStep is what each level between two ranges costs.
const trlStep = 100

// halfText is the text part that brings a little more than half of maxText.
const halfText = TextMax / 8

// The names of blockers, parts and facts.
const (
	blockKind         = "kind"
	blockOrganisation = "organisation_type"
	blockCountry      = "target_country"

	partText         = "text"
	partLanguage     = "common_language"
	partCooperation  = "cooperation"
	partOrganisation = "organisation"
	partTRL          = "trl"

	factPrefix = "fact:"
)

// Text returns the text part of a pair and what each shared feature brings, the
// heaviest first. Both lists are sorted by term. This is the definition that an
// index must agree with to the bit.
func Text(demand, supply []analysis.Feature) (uint32, []Contribution) {
	var total uint32
	var shared []Contribution
	for i, j := 0, 0; i < len(demand) && j < len(supply); {
		switch strings.Compare(demand[i].Term, supply[j].Term) {
		case -1:
			i++
		case 1:
			j++
		default:
			points := demand[i].Weight * supply[j].Weight
			total += points
			shared = append(shared, Contribution{demand[i].Term, points})
			i++
			j++
		}
	}
	slices.SortFunc(shared, func(a, b Contribution) int {
		return cmp.Or(cmp.Compare(b.Points, a.Points), strings.Compare(a.Term, b.Term))
	})
	return total, shared
}

// Pair scores a demand against a supply whose text part is text and whose
// heaviest shared features are top.
func (e *Epoch) Pair(demand, supply Facts, text uint32, top []Contribution) Result {
	var r Result
	if r.Blockers = blockers(demand, supply); len(r.Blockers) > 0 {
		return r
	}
	counts := Counts(demand, supply, text)
	textPoints := curve(counts)
	facts := factParts(demand, supply)
	points := textPoints
	whole := curve(text)
	r.Parts = []Part{{partText, share(whole)}}
	if textPoints < whole {
		r.Parts = append(r.Parts, Part{partLanguage, share(textPoints - whole)})
	}
	for _, f := range facts {
		points += f.points
		r.Parts = append(r.Parts, Part{f.part, share(f.points)})
	}
	r.Score = share(points)
	if counts >= e.thresholds.Floor {
		r.Band = e.thresholds.band(points, textPoints+unsaid)
	}
	r.Reasons = reasons(textPoints, text, top, facts)
	return r
}

// What a text part counts, in tenths, if both sides have a text in one language.
const commonLanguage = 7

// Counts returns what a text part counts. Texts of one language share more words
// than texts of two that say as much; without this, a near-miss in the reader's own
// language would come before a match in another. Measured where both are equally
// right: titles of Swedish and Danish projects among their descriptions in that
// language and in English are answered best at 7/10 (nDCG@10 .708 against .678, and
// .696 against .674).
func Counts(demand, supply Facts, text uint32) uint32 {
	common := func(lang string) bool { return slices.Contains(supply.Langs, lang) }
	if slices.ContainsFunc(demand.Langs, common) {
		return text / 10 * commonLanguage
	}
	return text
}

// curve turns a text part into points: steep at first, flat at the top, because
// a demand says much that no good counterpart repeats.
func curve(text uint32) int {
	t := uint64(text)
	return int(maxText * t * (TextMax + halfText) / ((t + halfText) * TextMax)) //nolint:gosec // at most maxText
}

// share turns points into a share of 1.
func share(points int) float64 { return float64(points) / scale }

// fact is what one fact brings to a score. Name is empty when it is no reason to
// show: nothing was said, or it does not fit.
type fact struct {
	part   string
	name   string
	points int
}

// factParts returns the parts besides the text, in a fixed order.
func factParts(demand, supply Facts) []fact {
	return []fact{cooperation(demand, supply), organisation(demand, supply), trl(demand, supply)}
}

func cooperation(demand, supply Facts) fact {
	given := supply.gives()
	f := fact{part: partCooperation}
	if len(demand.Cooperation) == 0 || len(given) == 0 {
		f.points = unsaidCooperation
		return f
	}
	for _, asked := range demand.Cooperation {
		if slices.Contains(given, asked) {
			f.name = factPrefix + partCooperation + ":" + string(asked)
			f.points = maxCooperation
			return f
		}
	}
	return f
}

// organisation is reached only if neither side's wish forbids the pair.
func organisation(demand, supply Facts) fact {
	switch {
	case len(demand.Seeks) > 0 && supply.OrgType != "":
		return fact{partOrganisation, factPrefix + partOrganisation + ":" + string(supply.OrgType), maxOrganisation}
	case len(supply.Seeks) > 0 && demand.OrgType != "":
		return fact{partOrganisation, factPrefix + partOrganisation + ":" + string(demand.OrgType), maxOrganisation}
	}
	return fact{part: partOrganisation, points: unsaidOrganisation}
}

func trl(demand, supply Facts) fact {
	none := profile.TRL{}
	if demand.TRL == none || supply.TRL == none {
		return fact{part: partTRL, points: unsaidTRL}
	}
	gap := max(demand.TRL.Min-supply.TRL.Max, supply.TRL.Min-demand.TRL.Max, 0)
	if gap == 0 {
		return fact{partTRL, factPrefix + partTRL, maxTRL}
	}
	return fact{part: partTRL, points: max(maxTRL-trlStep*(gap+1), 0)}
}

// blockers names the hard facts that forbid a pair.
func blockers(demand, supply Facts) []string {
	var names []string
	if demand.Kind.Side() != profile.Demand || supply.Kind.Side() != profile.Supply {
		names = append(names, blockKind)
	}
	if !wants(demand.Seeks, supply.OrgType) || !wants(supply.Seeks, demand.OrgType) {
		names = append(names, blockOrganisation)
	}
	if !targets(demand.Targets, supply.Country) || !targets(supply.Targets, append([]string{demand.Country}, demand.Targets...)...) {
		names = append(names, blockCountry)
	}
	return names
}

// wants reports whether a wish for organisation types allows one.
func wants(seeks []profile.OrganisationType, org profile.OrganisationType) bool {
	return len(seeks) == 0 || org == "" || slices.Contains(seeks, org)
}

// targets reports whether a wish for countries allows a profile of any of these
// countries. A foreign company counts as of the market that it enters.
func targets(wish []string, countries ...string) bool {
	return len(wish) == 0 || slices.ContainsFunc(countries, func(c string) bool {
		return c == "" || slices.Contains(wish, c)
	})
}

// reasons shares the points of the text out over its heaviest features and adds
// the facts that fit, heaviest first. An index knows no more than the heaviest;
// who knows all must come to the same reasons.
func reasons(textPoints int, text uint32, top []Contribution, facts []fact) []suggestion.Reason {
	top = top[:min(len(top), suggestion.MaxReasons)]
	list := make([]suggestion.Reason, 0, len(top)+len(facts))
	for _, c := range top {
		points := uint64(textPoints) * uint64(c.Points) / uint64(max(text, 1))              //nolint:gosec // both are small and not negative
		list = append(list, suggestion.Reason{Feature: c.Term, Points: share(int(points))}) //nolint:gosec // at most maxText
	}
	for _, f := range facts {
		if f.name != "" {
			list = append(list, suggestion.Reason{Feature: f.name, Points: share(f.points)})
		}
	}
	slices.SortFunc(list, func(a, b suggestion.Reason) int {
		return cmp.Or(cmp.Compare(b.Points, a.Points), strings.Compare(a.Feature, b.Feature))
	})
	return list[:min(len(list), suggestion.MaxReasons)]
}
