package profile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"kobling/internal/profile"
)

func TestNormaliseGivesOneSpelling(t *testing.T) {
	t.Parallel()
	got := profile.Profile{
		ID: "need.acme.1",
		Organisation: profile.Organisation{
			Name: "  Acme\tApS ", Type: profile.SME, Country: "dk",
			Identifiers: []profile.Identifier{
				{Scheme: profile.ORCID, Value: "0000000218250097"},
				{Scheme: profile.CVR, Value: "DK 28 69 32 22"},
				{Scheme: profile.CVR, Value: "28693222"},
			},
		},
		Texts: []profile.Text{{
			Lang: "NO", Title: " Blod-\n sukker ", Description: "A\u030a  en\r\n \r\n\r\nto\u2028tre  \n\n",
		}},
		Cooperation:     []profile.Cooperation{profile.Licence, profile.Commercial, profile.Licence},
		Themes:          []string{"b", " a ", "a"},
		TargetCountries: []string{"se", "FI", "SE"},
		Place:           profile.Place{NUTS: "dk041"},
		ValidFrom:       time.Date(2026, 1, 1, 1, 0, 0, 1, time.FixedZone("", 3600)),
	}
	got.Normalise()
	want := profile.Profile{
		ID:      "need.acme.1",
		Cluster: profile.DefaultCluster,
		Organisation: profile.Organisation{
			Name: "Acme ApS", Type: profile.SME, Country: "DK",
			Identifiers: []profile.Identifier{
				{Scheme: profile.CVR, Value: "28693222"},
				{Scheme: profile.ORCID, Value: "0000-0002-1825-0097"},
			},
		},
		Texts:           []profile.Text{{Lang: "nb", Title: "Blod- sukker", Description: "Å en\n\nto\ntre"}},
		Cooperation:     []profile.Cooperation{profile.Commercial, profile.Licence},
		Themes:          []string{"a", "b"},
		TargetCountries: []string{"FI", "SE"},
		Place:           profile.Place{Country: "DK", NUTS: "DK041"},
		Visibility:      profile.VisibleCluster,
		ValidFrom:       time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Normalise (-want +got):\n%s", diff)
	}
}

// messy draws texts with everything that normalisation touches.
func messy() *rapid.Generator[string] {
	pieces := rapid.SampledFrom([]string{
		"a", "Å", "A\u030a", "o\u0308", "\ufb2c", "\u0301", " ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u2028", "\u2001", "\x00",
		"\xff", "1", "28693222", "DK", "no", "dk", "-", ".", "https://ror.org/", "03yrrjy16", "ǆ", "ß", "ı",
	})
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(pieces, 0, 8).Draw(t, "pieces"), "")
	})
}

// strange draws profiles that may be right or wrong.
func strange() *rapid.Generator[profile.Profile] {
	return rapid.Custom(func(t *rapid.T) profile.Profile {
		text := func(name string) string { return messy().Draw(t, name) }
		p := valid()
		p.Cluster = rapid.SampledFrom([]string{"", "default", " x ", "a.b"}).Draw(t, "cluster")
		p.Organisation.Name = text("name")
		p.Organisation.Country = rapid.SampledFrom([]string{"", "dk", " SE", "ı"}).Draw(t, "country")
		p.Organisation.Identifiers = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) profile.Identifier {
			return profile.Identifier{
				Scheme: rapid.SampledFrom(profile.IdentifierSchemes).Draw(t, "scheme"),
				Value:  messy().Draw(t, "value"),
			}
		}), 0, 3).Draw(t, "identifiers")
		p.Texts = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) profile.Text {
			return profile.Text{
				Lang:        rapid.SampledFrom([]string{"", "no", "NB", "da", "en", "is"}).Draw(t, "lang"),
				Title:       messy().Draw(t, "title"),
				Description: messy().Draw(t, "description"),
			}
		}), 0, 3).Draw(t, "texts")
		p.Themes = rapid.SliceOfN(messy(), 0, 3).Draw(t, "themes")
		p.TargetCountries = rapid.SliceOfN(rapid.SampledFrom([]string{"dk", "DK", " no ", "SE", "xx"}), 0, 4).Draw(t, "targets")
		p.Codes = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) profile.Code {
			return profile.Code{Scheme: messy().Draw(t, "scheme"), Code: messy().Draw(t, "code")}
		}), 0, 3).Draw(t, "codes")
		p.Place = profile.Place{
			Country: rapid.SampledFrom([]string{"", "dk", "GR", "gb"}).Draw(t, "place"),
			NUTS:    rapid.SampledFrom([]string{"", "dk041", "EL3", "uk", "zz1", "x"}).Draw(t, "nuts"),
		}
		p.ValidUntil = p.ValidFrom.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "nanoseconds")))
		return p
	})
}

func TestNormaliseIsIdempotentAndKeepsWhatIsValid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := strange().Draw(t, "profile")
		before := p.Validate()
		p.Normalise()
		once := p
		p.Normalise()
		if diff := cmp.Diff(once, p); diff != "" {
			t.Fatalf("the second Normalise changed (-once +twice):\n%s", diff)
		}
		if after := p.Validate(); before == nil && after != nil {
			t.Fatalf("a valid profile became invalid: %v", after)
		}
	})
}

func TestContentDigestFollowsWhatThePredicateReads(t *testing.T) {
	t.Parallel()
	base := valid()
	want := base.ContentDigest()

	for name, edit := range map[string]func(*profile.Profile){
		"revision":    func(p *profile.Profile) { p.Revision = 9 },
		"status":      func(p *profile.Profile) { p.Status = profile.Paused },
		"validity":    func(p *profile.Profile) { p.ValidUntil = time.Time{} },
		"visibility":  func(p *profile.Profile) { p.Visibility = profile.VisiblePublic },
		"name":        func(p *profile.Profile) { p.Organisation.Name = "Acme A/S" },
		"text order":  func(p *profile.Profile) { p.Texts[0], p.Texts[1] = p.Texts[1], p.Texts[0] },
		"local id":    func(p *profile.Profile) { p.ID = "need.acme.other" },
		"same again":  func(*profile.Profile) {},
		"normalising": (*profile.Profile).Normalise,
	} {
		p := valid()
		edit(&p)
		if p.ContentDigest() != want {
			t.Errorf("%s changed the digest", name)
		}
	}
	seen := map[[32]byte]string{want: "the profile itself"}
	for name, edit := range map[string]func(*profile.Profile){
		"kind":  func(p *profile.Profile) { p.ID = "public_need.acme.fall-sensor" },
		"title": func(p *profile.Profile) { p.Texts[0].Title += "." },
		"moved word": func(p *profile.Profile) {
			p.Texts[0].Title, p.Texts[0].Summary = p.Texts[0].Title+"V", "i søger et testmiljø."
		},
		"language":     func(p *profile.Profile) { p.Texts[0].Lang = "nb" },
		"one text":     func(p *profile.Profile) { p.Texts = p.Texts[:1] },
		"type":         func(p *profile.Profile) { p.Organisation.Type = profile.Startup },
		"seeks":        func(p *profile.Profile) { p.SeeksOrganisations = nil },
		"cooperation":  func(p *profile.Profile) { p.Cooperation = p.Cooperation[:1] },
		"trl":          func(p *profile.Profile) { p.TRL = nil },
		"ipr":          func(p *profile.Profile) { p.IPR = profile.IPRGranted },
		"themes":       func(p *profile.Profile) { p.Themes = nil },
		"codes":        func(p *profile.Profile) { p.Codes[0].Code = "006001002" },
		"place":        func(p *profile.Profile) { p.Place.NUTS = "DK042" },
		"target":       func(p *profile.Profile) { p.TargetCountries = p.TargetCountries[:1] },
		"organisation": func(p *profile.Profile) { p.Organisation.Country = "SE" },
	} {
		p := valid()
		edit(&p)
		got := p.ContentDigest()
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[got] = name
	}
}

func TestCountriesAreThoseThatISOAssigned(t *testing.T) {
	t.Parallel()
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			if !profile.ValidCountry(code) {
				continue
			}
			n++
			if r, err := language.ParseRegion(code); err != nil || !r.IsCountry() {
				t.Errorf("%s is not a country for x/text", code)
			}
		}
	}
	if n != 249 {
		t.Errorf("%d countries, want 249", n)
	}
	for _, code := range []string{"", "dk", "UK", "EL", "EU", "XK", "DKK", "AN", "YU"} {
		if profile.ValidCountry(code) {
			t.Errorf("%q is valid, want not", code)
		}
	}
}
