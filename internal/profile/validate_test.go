package profile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/profile"
)

// valid returns a profile with nothing wrong and something in every field.
func valid() profile.Profile {
	return profile.Profile{
		ID:      "need.acme.fall-sensor",
		Cluster: "life-science",
		Contact: "crm:4711",
		Organisation: profile.Organisation{
			Name:          "Acme ApS",
			Type:          profile.SME,
			Country:       "DK",
			LegalEntityID: "dk:28693222",
			Identifiers:   []profile.Identifier{{Scheme: profile.CVR, Value: "28693222"}},
		},
		Texts: []profile.Text{
			{Lang: "da", Title: "Faldsensor til hjemmepleje", Summary: "Vi søger et testmiljø."},
			{Lang: "en", Title: "Fall sensor for home care", Description: "First paragraph.\n\nSecond paragraph."},
		},
		SeeksOrganisations: []profile.OrganisationType{profile.Municipality, profile.University},
		Cooperation:        []profile.Cooperation{profile.ResearchCooperation, profile.TestWithEndUsers},
		TRL:                &profile.TRL{Min: 4, Max: 7},
		IPR:                profile.IPRApplied,
		Themes:             []string{"digital medicine"},
		Codes:              []profile.Code{{Scheme: "een-tech", Version: "2", Code: "06001002"}},
		Place:              profile.Place{Country: "DK", NUTS: "DK041"},
		TargetCountries:    []string{"FI", "NO"},
		Visibility:         profile.VisibleNetwork,
		ValidFrom:          time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		ValidUntil:         time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC),
		Deadline:           time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC),
		Call:               "call/2026-1",
		Status:             profile.Published,
	}
}

// codes returns "path code" of each fault.
func codes(faults []profile.Fault) []string {
	var s []string
	for _, f := range faults {
		s = append(s, f.Path+" "+f.Code)
	}
	return s
}

func TestAValidProfileHasNoFaults(t *testing.T) {
	t.Parallel()
	full := valid()
	small := profile.Profile{
		ID:           "test_place.oulu.home",
		Organisation: profile.Organisation{Name: "Oulu", Type: profile.Municipality},
		Texts:        []profile.Text{{Title: "Koti"}},
	}
	for _, p := range []profile.Profile{full, small} {
		if got := p.Validate(); got != nil {
			t.Errorf("%s: %v, want no faults", p.ID, got)
		}
	}
}

func TestValidateFindsEachFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*profile.Profile)
		want string // "path code", comma-separated
	}{
		{"kind", func(p *profile.Profile) { p.ID = "wish.acme.1" }, "/id bad_form"},
		{"token", func(p *profile.Profile) { p.ID = "need.ac me.1" }, "/id bad_form"},
		{"cluster", func(p *profile.Profile) { p.Cluster = "a.b" }, "/cluster bad_form"},
		{"contact is an address", func(p *profile.Profile) { p.Contact = "anna@acme.example" }, "/contact bad_form"},
		{"call", func(p *profile.Profile) { p.Call = "call 1" }, "/call bad_form"},
		{"no name", func(p *profile.Profile) { p.Organisation.Name = " \u00a0" }, "/organisation/name required"},
		{"long name", func(p *profile.Profile) { p.Organisation.Name = strings.Repeat("å", 201) }, "/organisation/name too_long"},
		{"no type", func(p *profile.Profile) { p.Organisation.Type = "" }, "/organisation/type required"},
		{"type", func(p *profile.Profile) { p.Organisation.Type = "gmbh" }, "/organisation/type not_in_list"},
		{"country", func(p *profile.Profile) { p.Organisation.Country = "XX" }, "/organisation/country not_in_list"},
		{"legal entity", func(p *profile.Profile) { p.Organisation.LegalEntityID = "a b" }, "/organisation/legal_entity_id bad_form"},
		{"check digit", func(p *profile.Profile) { p.Organisation.Identifiers[0].Value = "28693223" }, "/organisation/identifiers/0/value bad_identifier"},
		{"scheme", func(p *profile.Profile) { p.Organisation.Identifiers[0].Scheme = "vat" }, "/organisation/identifiers/0/scheme not_in_list"},
		{"many identifiers", func(p *profile.Profile) {
			p.Organisation.Identifiers = slices.Repeat(p.Organisation.Identifiers, 11)
		}, "/organisation/identifiers too_many"},
		{"no text", func(p *profile.Profile) { p.Texts = nil }, "/texts required"},
		{"no title", func(p *profile.Profile) { p.Texts[1].Title = "\n" }, "/texts/1/title required"},
		{"two in one language", func(p *profile.Profile) { p.Texts[0].Lang, p.Texts[1].Lang = "nb", "no" }, "/texts/1/lang duplicate"},
		{"language", func(p *profile.Profile) { p.Texts[0].Lang = "is" }, "/texts/0/lang not_in_list"},
		{"no language", func(p *profile.Profile) { p.Texts[0].Lang = "" }, "/texts/0/lang required"},
		{"many texts", func(p *profile.Profile) { p.Texts = slices.Repeat(p.Texts[:1], 10) }, "/texts too_many"},
		{"title", func(p *profile.Profile) { p.Texts[0].Title = strings.Repeat("ø", 257) }, "/texts/0/title too_long"},
		{"summary", func(p *profile.Profile) { p.Texts[0].Summary = strings.Repeat("ø", 501) }, "/texts/0/summary too_long"},
		{"description", func(p *profile.Profile) { p.Texts[0].Description = strings.Repeat("ø", 4001) }, "/texts/0/description too_long"},
		{"requirements", func(p *profile.Profile) { p.Texts[0].Requirements = strings.Repeat("ø", 2001) }, "/texts/0/requirements too_long"},
		{"partner role", func(p *profile.Profile) { p.Texts[0].PartnerRole = strings.Repeat("ø", 4001) }, "/texts/0/partner_role too_long"},
		{"composed it is longer", func(p *profile.Profile) { p.Texts[0].Title = strings.Repeat("\ufb2c", 100) }, "/texts/0/title too_long"},
		{"null character", func(p *profile.Profile) { p.Texts[0].Summary = "a\x00b" }, "/texts/0/summary control_character"},
		{"reversed text", func(p *profile.Profile) { p.Texts[0].Title = "invoice\u202eexe" }, "/texts/0/title control_character"},
		{"not UTF-8", func(p *profile.Profile) { p.Texts[0].Title = "a\xff" }, "/texts/0/title bad_form"},
		{"seeks", func(p *profile.Profile) { p.SeeksOrganisations[1] = "x" }, "/seeks_organisations/1 not_in_list"},
		{"four cooperations", func(p *profile.Profile) { p.Cooperation = profile.Cooperations[:4] }, "/cooperation too_many"},
		{"cooperation", func(p *profile.Profile) { p.Cooperation[0] = "hugs" }, "/cooperation/0 not_in_list"},
		{"TRL", func(p *profile.Profile) { p.TRL = &profile.TRL{Min: 0, Max: 12} }, "/trl/max out_of_range,/trl/min out_of_range"},
		{"TRL falls", func(p *profile.Profile) { p.TRL = &profile.TRL{Min: 5, Max: 4} }, "/trl/max wrong_order"},
		{"ipr", func(p *profile.Profile) { p.IPR = "patent" }, "/ipr not_in_list"},
		{"theme", func(p *profile.Profile) { p.Themes = []string{"", strings.Repeat("x", 101)} }, "/themes/0 required,/themes/1 too_long"},
		{"themes", func(p *profile.Profile) { p.Themes = slices.Repeat([]string{"x"}, 21) }, "/themes too_many"},
		{"code", func(p *profile.Profile) { p.Codes = []profile.Code{{Version: "2"}} }, "/codes/0/code required,/codes/0/scheme required"},
		{"codes", func(p *profile.Profile) { p.Codes = slices.Repeat(p.Codes, 51) }, "/codes too_many"},
		{"place", func(p *profile.Profile) { p.Place = profile.Place{Country: "EL"} }, "/place/country not_in_list"},
		{"nuts form", func(p *profile.Profile) { p.Place.NUTS = "DK0411" }, "/place/nuts bad_form"},
		{"nuts of another country", func(p *profile.Profile) { p.Place.NUTS = "SE110" }, "/place/nuts bad_form"},
		{"nuts says EL", func(p *profile.Profile) { p.Place = profile.Place{NUTS: "GR3"} }, "/place/nuts bad_form"},
		{"target", func(p *profile.Profile) { p.TargetCountries = []string{"UK", ""} }, "/target_countries/0 not_in_list,/target_countries/1 required"},
		{"targets", func(p *profile.Profile) { p.TargetCountries = slices.Repeat([]string{"DK"}, 61) }, "/target_countries too_many"},
		{"visibility", func(p *profile.Profile) { p.Visibility = "secret" }, "/visibility not_in_list"},
		{"status", func(p *profile.Profile) { p.Status = "live" }, "/status not_in_list"},
		{"validity", func(p *profile.Profile) { p.ValidUntil = p.ValidFrom.Add(time.Nanosecond) }, "/valid_until wrong_order"},
		{"year", func(p *profile.Profile) { p.Deadline = time.Date(20260, 1, 1, 0, 0, 0, 0, time.UTC) }, "/deadline out_of_range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := valid()
			tt.edit(&p)
			got := codes(p.Validate())
			// A list that repeats its entries has their faults, too.
			if strings.HasSuffix(tt.want, "too_many") {
				got = slices.DeleteFunc(got, func(s string) bool { return strings.HasSuffix(s, " duplicate") })
			}
			if diff := cmp.Diff(strings.Split(tt.want, ","), got); diff != "" {
				t.Errorf("Validate (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	p := valid()
	p.Organisation.Identifiers[0].Value = "13585627"
	p.Texts[0].Title = strings.Repeat("x", 8192)
	p.TRL = &profile.TRL{Min: 1, Max: 12}
	want := []string{
		"/organisation/identifiers/0/value bad_identifier",
		"/texts/0/title too_long",
		"/trl/max out_of_range",
	}
	if diff := cmp.Diff(want, codes(p.Validate())); diff != "" {
		t.Errorf("Validate (-want +got):\n%s", diff)
	}
}

func TestNUTSHasItsOwnNamesForTwoCountries(t *testing.T) {
	t.Parallel()
	for nuts, country := range map[string]string{"EL3": "GR", "UKI": "GB", "FI1D": "FI", "be2": "BE"} {
		p := valid()
		p.Place = profile.Place{Country: country, NUTS: nuts}
		if got := p.Validate(); got != nil {
			t.Errorf("%s in %s: %v, want no faults", nuts, country, got)
		}
		p.Place.Country = ""
		p.Normalise()
		if p.Place.Country != country {
			t.Errorf("%s: country %q, want %q", nuts, p.Place.Country, country)
		}
	}
}

func TestReadersGetTheTextTheyUnderstandBest(t *testing.T) {
	t.Parallel()
	p := profile.Profile{Texts: []profile.Text{
		{Lang: "fi", Title: "fi"}, {Lang: "sv", Title: "sv"}, {Lang: "en", Title: "en"},
	}}
	for lang, want := range map[string]string{
		"fi": "fi", "FI": "fi", "sv-FI": "sv", "no": "sv", "da": "sv", "nl": "en", "": "en",
	} {
		if got := p.Title(lang); got != want {
			t.Errorf("Title(%q) = %q, want %q", lang, got, want)
		}
	}
	p.Texts = p.Texts[:1]
	if got := p.Title("da"); got != "fi" {
		t.Errorf("Title of an original that nobody else reads = %q, want it all the same", got)
	}
	if got := (&profile.Profile{}).Text("da"); got != (profile.Text{}) {
		t.Errorf("Text of a profile without texts = %v, want none", got)
	}
	langs := valid()
	if diff := cmp.Diff([]string{"da", "en"}, langs.Langs()); diff != "" {
		t.Errorf("Langs (-want +got):\n%s", diff)
	}
}
