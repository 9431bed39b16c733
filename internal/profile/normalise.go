package profile

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalise gives p its canonical spelling, in place: composed characters
// (NFC), single blanks, capitals for countries, canonical identifiers, sets
// sorted and without repeats, times in UTC, defaults filled in. It changes
// nothing the second time, and nothing that is valid becomes invalid. Slices
// and pointers are replaced, not written to.
func (p *Profile) Normalise() {
	p.Cluster = cmp.Or(line(p.Cluster), DefaultCluster)
	p.Contact = line(p.Contact)
	p.Call = line(p.Call)
	p.Visibility = cmp.Or(p.Visibility, VisibleCluster)

	p.Organisation.Name = line(p.Organisation.Name)
	p.Organisation.Country = upper(p.Organisation.Country)
	p.Organisation.LegalEntityID = line(p.Organisation.LegalEntityID)
	p.Organisation.Identifiers = sorted(p.Organisation.Identifiers, Identifier.Canonical, func(a, b Identifier) int {
		return cmp.Or(cmp.Compare(a.Scheme, b.Scheme), cmp.Compare(a.Value, b.Value))
	})

	p.Texts = slices.Clone(p.Texts)
	for i := range p.Texts {
		p.Texts[i].normalise()
	}

	p.SeeksOrganisations = sorted(p.SeeksOrganisations, same, cmp.Compare[OrganisationType])
	p.Cooperation = sorted(p.Cooperation, same, cmp.Compare[Cooperation])
	p.Themes = sorted(p.Themes, line, cmp.Compare[string])
	p.TargetCountries = sorted(p.TargetCountries, upper, cmp.Compare[string])
	p.Codes = sorted(p.Codes, Code.normalised, func(a, b Code) int {
		return cmp.Or(cmp.Compare(a.Scheme, b.Scheme), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Code, b.Code))
	})

	p.Place.NUTS = upper(p.Place.NUTS)
	p.Place.Country = upper(p.Place.Country)
	if c := nutsCountry(p.Place.NUTS); p.Place.Country == "" && ValidCountry(c) {
		p.Place.Country = c
	}

	p.ValidFrom = utc(p.ValidFrom)
	p.ValidUntil = utc(p.ValidUntil)
	p.Deadline = utc(p.Deadline)
}

func (t *Text) normalise() {
	t.Lang = canonicalLang(t.Lang)
	t.Title = line(t.Title)
	t.Summary = lines(t.Summary)
	t.Description = lines(t.Description)
	t.Requirements = lines(t.Requirements)
	t.PartnerRole = lines(t.PartnerRole)
}

func (c Code) normalised() Code {
	return Code{Scheme: line(c.Scheme), Version: line(c.Version), Code: line(c.Code)}
}

func same[T any](v T) T { return v }

// utc returns t in UTC, to the microsecond as the database keeps it.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

func upper(s string) string { return strings.ToUpper(line(s)) }

// sorted returns values, each passed through f, in order and each once; nil for
// none.
func sorted[T comparable](values []T, f func(T) T, compare func(a, b T) int) []T {
	if len(values) == 0 {
		return nil
	}
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = f(v)
	}
	slices.SortFunc(out, compare)
	return slices.Compact(out)
}

// line returns s composed, trimmed, and with every run of blanks and line
// breaks as one blank.
func line(s string) string {
	return strings.Join(strings.FieldsFunc(norm.NFC.String(s), unicode.IsSpace), " ")
}

// lines is line for each line of s; at most one empty line stays between two
// paragraphs, none at the ends.
func lines(s string) string {
	s = breaks.Replace(norm.NFC.String(s))
	var out []string
	for l := range strings.SplitSeq(s, "\n") {
		l = line(l)
		if l == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, l)
	}
	return strings.TrimSuffix(strings.Join(out, "\n"), "\n")
}

// breaks turns every kind of line break into the plain one.
var breaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")
