package score_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// pairEpoch scores pairs; the texts do not matter to it.
func pairEpoch() *score.Epoch { return score.NewEpoch(1, nil, score.DefaultThresholds()) }

// A hard fact forbids a pair whatever the texts say.
func TestBlockersForbidAPairWhateverTheText(t *testing.T) {
	t.Parallel()
	need, offer := score.Facts{Kind: profile.Need, OrgType: profile.SME, Country: "NO"}, score.Facts{Kind: profile.Offer, OrgType: profile.University, Country: "FI"}
	type change = func(d, s *score.Facts)
	for name, tt := range map[string]struct {
		change change
		want   []string
	}{
		"nothing":                      {func(_, _ *score.Facts) {}, nil},
		"a public need":                {func(d, _ *score.Facts) { d.Kind = profile.PublicNeed }, nil},
		"a test place":                 {func(_, s *score.Facts) { s.Kind = profile.TestPlace }, nil},
		"two demands":                  {func(_, s *score.Facts) { s.Kind = profile.PublicNeed }, []string{"kind"}},
		"two supplies":                 {func(d, _ *score.Facts) { d.Kind = profile.TestPlace }, []string{"kind"}},
		"turned round":                 {func(d, s *score.Facts) { d.Kind, s.Kind = s.Kind, d.Kind }, []string{"kind"}},
		"wanted type":                  {func(d, _ *score.Facts) { d.Seeks = []profile.OrganisationType{profile.RTO, profile.University} }, nil},
		"type not wanted":              {func(d, _ *score.Facts) { d.Seeks = []profile.OrganisationType{profile.RTO} }, []string{"organisation_type"}},
		"type not wanted by supply":    {func(_, s *score.Facts) { s.Seeks = []profile.OrganisationType{profile.RTO} }, []string{"organisation_type"}},
		"unknown type":                 {func(d, s *score.Facts) { d.Seeks, s.OrgType = []profile.OrganisationType{profile.RTO}, "" }, nil},
		"wanted country":               {func(d, _ *score.Facts) { d.Targets = []string{"DK", "FI"} }, nil},
		"country not wanted":           {func(d, _ *score.Facts) { d.Targets = []string{"DK"} }, []string{"target_country"}},
		"country not wanted by supply": {func(_, s *score.Facts) { s.Targets = []string{"DK"} }, []string{"target_country"}},
		"unknown country":              {func(d, s *score.Facts) { d.Targets, s.Country = []string{"DK"}, "" }, nil},
		"a demand that enters the supply's market": {func(d, s *score.Facts) { d.Targets, s.Targets = []string{"FI"}, []string{"FI"} }, nil},
		"everything": {func(d, s *score.Facts) {
			s.Kind, d.Seeks, s.Targets = profile.Need, []profile.OrganisationType{profile.RTO}, []string{"DK"}
		}, []string{"kind", "organisation_type", "target_country"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			demand, supply := need, offer
			tt.change(&demand, &supply)
			r := pairEpoch().Pair(demand, supply, score.TextMax, []score.Contribution{{Term: "c:a", Points: score.TextMax}})
			if diff := cmp.Diff(tt.want, r.Blockers); diff != "" {
				t.Errorf("blockers (-want +got):\n%s", diff)
			}
			if blocked := len(tt.want) > 0; blocked != (r.Band == "") || blocked != (r.Score == 0) || blocked != (len(r.Reasons) == 0) {
				t.Errorf("blocked is %v, but %+v", blocked, r)
			}
		})
	}
}

func TestFactsBringPoints(t *testing.T) {
	t.Parallel()
	type f = score.Facts
	test, study, licence := profile.TestWithEndUsers, profile.ClinicalStudy, profile.Licence
	asks := func(c ...profile.Cooperation) f { return f{Kind: profile.Need, Cooperation: c} }
	trl := func(kind profile.Kind, from, to int) f { return f{Kind: kind, TRL: profile.TRL{Min: from, Max: to}} }
	for name, tt := range map[string]struct {
		demand, supply f
		part           string
		points         float64
		reason         string
	}{
		"cooperation asked and given":      {asks(licence, study), f{Kind: profile.Offer, Cooperation: []profile.Cooperation{study, licence}}, "cooperation", .12, "fact:cooperation:licence"},
		"cooperation never the same":       {asks(licence), f{Kind: profile.Offer, Cooperation: []profile.Cooperation{study}}, "cooperation", 0, ""},
		"cooperation not asked":            {asks(), f{Kind: profile.Offer, Cooperation: []profile.Cooperation{study}}, "cooperation", .04, ""},
		"cooperation not given":            {asks(study), f{Kind: profile.Offer}, "cooperation", .04, ""},
		"a test place tests":               {asks(test), f{Kind: profile.TestPlace}, "cooperation", .12, "fact:cooperation:test_with_end_users"},
		"a test place that says so":        {asks(test), f{Kind: profile.TestPlace, Cooperation: []profile.Cooperation{study, test}}, "cooperation", .12, "fact:cooperation:test_with_end_users"},
		"a test place does nothing else":   {asks(study), f{Kind: profile.TestPlace}, "cooperation", 0, ""},
		"an offer that says nothing":       {asks(test), f{Kind: profile.Offer}, "cooperation", .04, ""},
		"a wanted organisation":            {f{Kind: profile.Need, Seeks: []profile.OrganisationType{profile.RTO}}, f{Kind: profile.Offer, OrgType: profile.RTO}, "organisation", .04, "fact:organisation:rto"},
		"an organisation the supply wants": {f{Kind: profile.Need, OrgType: profile.SME}, f{Kind: profile.Offer, Seeks: []profile.OrganisationType{profile.SME}}, "organisation", .04, "fact:organisation:sme"},
		"no wish":                          {f{Kind: profile.Need}, f{Kind: profile.Offer, OrgType: profile.RTO}, "organisation", .015, ""},
		"a wish, but the type is unknown":  {f{Kind: profile.Need, Seeks: []profile.OrganisationType{profile.RTO}}, f{Kind: profile.Offer}, "organisation", .015, ""},
		"levels meet":                      {trl(profile.Need, 3, 6), trl(profile.Offer, 6, 9), "trl", .04, "fact:trl"},
		"levels are next to each other":    {trl(profile.Need, 3, 5), trl(profile.Offer, 6, 9), "trl", .02, ""},
		"two levels lie between":           {trl(profile.Need, 8, 9), trl(profile.Offer, 4, 6), "trl", .01, ""},
		"levels are far apart":             {trl(profile.Need, 9, 9), trl(profile.Offer, 1, 1), "trl", 0, ""},
		"a level is unknown":               {trl(profile.Need, 3, 6), f{Kind: profile.Offer}, "trl", .015, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := pairEpoch().Pair(tt.demand, tt.supply, 0, nil)
			i := slices.IndexFunc(r.Parts, func(p score.Part) bool { return p.Name == tt.part })
			if i < 0 || r.Parts[i].Points != tt.points {
				t.Errorf("parts %v, want %v for %s", r.Parts, tt.points, tt.part)
			}
			var want []suggestion.Reason
			if tt.reason != "" {
				want = []suggestion.Reason{{Feature: tt.reason, Points: tt.points}}
			}
			if diff := cmp.Diff(want, r.Reasons, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

// A band begins exactly at its threshold, and nothing below the floor has one.
func TestBandsBeginAtTheirThresholds(t *testing.T) {
	t.Parallel()
	demand, supply := score.Facts{Kind: profile.Need}, score.Facts{Kind: profile.Offer}
	const text = score.TextMax / 2
	points := int(pairEpoch().Pair(demand, supply, text, nil).Score*10000 + .5)
	for _, tt := range []struct {
		floor            uint32
		possible, strong int
		want             suggestion.Band
	}{
		{text, points, points + 1, suggestion.Possible},
		{text, points - 1, points, suggestion.Strong},
		{text, points + 1, points + 2, ""},
		{text + 1, points - 2, points - 1, ""},
		{1, 0, 10_000, suggestion.Possible},
	} {
		th := score.Thresholds{Floor: tt.floor, Possible: tt.possible, Strong: tt.strong}
		if got := score.NewEpoch(1, nil, th).Pair(demand, supply, text, nil).Band; got != tt.want {
			t.Errorf("%+v: a score of %d points is in band %q, want %q", th, points, got, tt.want)
		}
	}
}

// The shares of the text part tell its reasons apart.
func TestReasonsShareTheTextPart(t *testing.T) {
	t.Parallel()
	demand := score.Facts{Kind: profile.Need, Cooperation: []profile.Cooperation{profile.Licence}}
	supply := score.Facts{Kind: profile.Offer, Cooperation: []profile.Cooperation{profile.Licence}}
	r := pairEpoch().Pair(demand, supply, score.TextMax, []score.Contribution{{Term: "c:a", Points: score.TextMax / 2}, {Term: "c:b", Points: score.TextMax / 4}, {Term: "c:c", Points: score.TextMax / 4}})
	want := []suggestion.Reason{{Feature: "c:a", Points: .4}, {Feature: "c:b", Points: .2}, {Feature: "c:c", Points: .2}, {Feature: "fact:cooperation:licence", Points: .12}}
	if diff := cmp.Diff(want, r.Reasons, cmp.Comparer(func(a, b float64) bool { return a-b < 2e-4 && b-a < 2e-4 })); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}
