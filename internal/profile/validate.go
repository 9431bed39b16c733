package profile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var (
	reference = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,128}$`)
	nutsForm  = regexp.MustCompile(`^[A-Z]{2}[0-9A-Z]{0,3}$`)
)

// Validate returns everything wrong with p, in order of path, so that a producer
// can repair it in one round; none if p is good. It takes a profile before or
// after [Profile.Normalise], and knows no clock: whether p has ended is the
// gate's question.
func (p *Profile) Validate() []Fault {
	var c checker
	if _, err := ParseID(string(p.ID)); err != nil {
		c.fail("/id", CodeBadForm, "the id must be <kind>.<organisation>.<id>, with kind one of %s and each other part 1 to 64 of A-Z a-z 0-9 _ -", list(Kinds))
	}
	if p.Cluster != "" && !ValidToken(p.Cluster) {
		c.fail("/cluster", CodeBadForm, "the cluster must be 1 to 64 of A-Z a-z 0-9 _ -")
	}
	c.reference("/contact", p.Contact, "the contact is given by reference only: up to 128 of A-Z a-z 0-9 _ . : / -, no address and no telephone number")
	c.reference("/call", p.Call, "the call must be a reference of up to 128 of A-Z a-z 0-9 _ . : / -")
	c.organisation(&p.Organisation)
	c.texts(p.Texts)

	c.count("/seeks_organisations", len(p.SeeksOrganisations), MaxSeeks)
	each(&c, "/seeks_organisations", p.SeeksOrganisations, OrganisationTypes)
	c.count("/cooperation", len(p.Cooperation), MaxCooperation)
	each(&c, "/cooperation", p.Cooperation, Cooperations)
	if p.TRL != nil {
		c.trl(*p.TRL)
	}
	c.classification(p)
	c.place(p)

	optional(&c, "/ipr", p.IPR, IPRs)
	optional(&c, "/visibility", p.Visibility, Visibilities)
	optional(&c, "/status", p.Status, Statuses)

	c.year("/valid_from", p.ValidFrom)
	c.year("/valid_until", p.ValidUntil)
	c.year("/deadline", p.Deadline)
	if !p.ValidFrom.IsZero() && !p.ValidUntil.IsZero() && !utc(p.ValidFrom).Before(utc(p.ValidUntil)) {
		c.fail("/valid_until", CodeWrongOrder, "valid_until must be later than valid_from")
	}
	return SortFaults(c.faults)
}

// checker collects faults.
type checker struct{ faults []Fault }

func (c *checker) fail(path, code, format string, args ...any) {
	c.faults = append(c.faults, Fault{Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) organisation(o *Organisation) {
	c.text("/organisation/name", "the organisation's name", o.Name, MaxName, true)
	if o.Type == "" {
		c.fail("/organisation/type", CodeRequired, "the organisation's type is missing: one of %s", list(OrganisationTypes))
	}
	optional(c, "/organisation/type", o.Type, OrganisationTypes)
	c.country("/organisation/country", o.Country)
	c.reference("/organisation/legal_entity_id", o.LegalEntityID, "the legal entity must be a reference of up to 128 of A-Z a-z 0-9 _ . : / -")
	c.count("/organisation/identifiers", len(o.Identifiers), MaxIdentifiers)
	for i, id := range o.Identifiers {
		f, bad := id.Check()
		if !bad {
			continue
		}
		f.Path = at("/organisation/identifiers", i) + "/value"
		if f.Code == CodeNotInList {
			f.Path = at("/organisation/identifiers", i) + "/scheme"
		}
		c.faults = append(c.faults, f)
	}
}

func (c *checker) texts(texts []Text) {
	if len(texts) == 0 {
		c.fail("/texts", CodeRequired, "there is no text: at least one with a title is needed")
	}
	c.count("/texts", len(texts), MaxTexts)
	seen := make(map[string]bool, len(texts))
	for i, t := range texts {
		path := at("/texts", i)
		lang := canonicalLang(t.Lang)
		switch {
		case lang == "" && len(texts) > 1:
			c.fail(path+"/lang", CodeRequired, "with more than one text, each must state its language")
		case lang == "":
		case !slices.Contains(Languages, lang):
			c.fail(path+"/lang", CodeNotInList, "the language must be one of %s", list(Languages))
		case seen[lang]:
			c.fail(path+"/lang", CodeDuplicate, "there are two texts in the language %s", lang)
		}
		seen[lang] = true
		c.text(path+"/title", "the title", t.Title, MaxTitle, true)
		c.text(path+"/summary", "the summary", t.Summary, MaxSummary, false)
		c.text(path+"/description", "the description", t.Description, MaxDescription, false)
		c.text(path+"/requirements", "the text on requirements", t.Requirements, MaxRequirements, false)
		c.text(path+"/partner_role", "the text on the partner's role", t.PartnerRole, MaxPartnerRole, false)
	}
}

func (c *checker) trl(t TRL) {
	for _, level := range []struct {
		path  string
		value int
	}{{"/trl/min", t.Min}, {"/trl/max", t.Max}} {
		if level.value < MinTRL || level.value > MaxTRL {
			c.fail(level.path, CodeOutOfRange, "the technology readiness level is %d, it must be %d to %d", level.value, MinTRL, MaxTRL)
		}
	}
	if t.Min > t.Max {
		c.fail("/trl/max", CodeWrongOrder, "trl.max must not be below trl.min")
	}
}

func (c *checker) classification(p *Profile) {
	c.count("/themes", len(p.Themes), MaxThemes)
	for i, theme := range p.Themes {
		c.text(at("/themes", i), "the theme", theme, MaxTheme, true)
	}
	c.count("/codes", len(p.Codes), MaxCodes)
	for i, code := range p.Codes {
		path := at("/codes", i)
		c.text(path+"/scheme", "the code's scheme", code.Scheme, MaxScheme, true)
		c.text(path+"/version", "the code's version", code.Version, MaxScheme, false)
		c.text(path+"/code", "the code", code.Code, MaxCode, true)
	}
}

func (c *checker) place(p *Profile) {
	c.country("/place/country", p.Place.Country)
	c.count("/target_countries", len(p.TargetCountries), MaxTargets)
	for i, country := range p.TargetCountries {
		if line(country) == "" {
			c.fail(at("/target_countries", i), CodeRequired, "the country is empty")
		}
		c.country(at("/target_countries", i), country)
	}
	nuts := upper(p.Place.NUTS)
	if nuts == "" {
		return
	}
	country := nutsCountry(nuts)
	switch home := upper(p.Place.Country); {
	case !nutsForm.MatchString(nuts) || !ValidCountry(country):
		c.fail("/place/nuts", CodeBadForm, "the NUTS code must be two letters of a country (EL for Greece, UK for the United Kingdom) and up to three letters or digits")
	case home != "" && home != country:
		c.fail("/place/nuts", CodeBadForm, "the NUTS code belongs to %s, the place is in %s", country, shorten(home))
	}
}

// text checks one text of at most limit characters.
func (c *checker) text(path, name, s string, limit int, required bool) {
	if required && line(s) == "" {
		c.fail(path, CodeRequired, "%s is missing", name)
	}
	// Composition (NFC) makes a few characters longer: the limit holds for both.
	n := utf8.RuneCountInString(s)
	if n > limit/3 { // no character becomes more than three
		n = max(n, utf8.RuneCountInString(norm.NFC.String(s)))
	}
	if n > limit {
		c.fail(path, CodeTooLong, "%s has %d characters, the limit is %d", name, n, limit)
	}
	if !utf8.ValidString(s) {
		c.fail(path, CodeBadForm, "%s is not UTF-8", name)
	}
	if i := strings.IndexFunc(s, forbidden); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		c.fail(path, CodeControlCharacter, "%s contains the control character %U", name, r)
	}
}

// forbidden reports whether r must not be in a text: control characters other
// than blanks and line breaks, and those that reverse the direction of reading
// (they let a mail show something else than it says).
func forbidden(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r', r == '\u0085':
		return false
	case r < ' ', r >= 0x7f && r < 0xa0:
		return true
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}

func (c *checker) reference(path, s, message string) {
	if s = line(s); s != "" && !reference.MatchString(s) {
		c.fail(path, CodeBadForm, "%s", message)
	}
}

func (c *checker) country(path, s string) {
	if s = upper(s); s != "" && !ValidCountry(s) {
		c.fail(path, CodeNotInList, "%q is not a country of ISO 3166-1: two letters such as DK", shorten(s))
	}
}

func (c *checker) count(path string, n, limit int) {
	if n > limit {
		c.fail(path, CodeTooMany, "there are %d entries, the limit is %d", n, limit)
	}
}

func (c *checker) year(path string, t time.Time) {
	if !ValidYear(t) {
		c.fail(path, CodeOutOfRange, "the year must be %d to %d", minYear, maxYear)
	}
}

// optional checks that v is empty or in the list.
func optional[S ~string](c *checker, path string, v S, allowed []S) {
	if v != "" && !slices.Contains(allowed, v) {
		c.fail(path, CodeNotInList, "%q is not one of %s", shorten(string(v)), list(allowed))
	}
}

// each checks that every value is in the list.
func each[S ~string](c *checker, path string, values, allowed []S) {
	for i, v := range values {
		if !slices.Contains(allowed, v) {
			c.fail(at(path, i), CodeNotInList, "%q is not one of %s", shorten(string(v)), list(allowed))
		}
	}
}

// at returns the path of the ith entry of the list at path.
func at(path string, i int) string { return path + "/" + strconv.Itoa(i) }

// list returns values as a sentence shows them.
func list[S ~string](values []S) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return strings.Join(names, ", ")
}

// shorten returns s as it may be quoted in a message.
func shorten(s string) string {
	const limit = 40
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}
