package score_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
)

func TestFactsOfAProfile(t *testing.T) {
	t.Parallel()
	p := &profile.Profile{
		ID:                 "public_need.helsinki.beds",
		Organisation:       profile.Organisation{Type: profile.Municipality, Country: "se"},
		Texts:              []profile.Text{{Lang: "fi"}, {Lang: "sv"}, {Lang: "fi"}, {}},
		SeeksOrganisations: []profile.OrganisationType{profile.SME},
		Cooperation:        []profile.Cooperation{profile.Licence},
		TRL:                &profile.TRL{Min: 2, Max: 5},
		Place:              profile.Place{Country: "fi", NUTS: "fi1b1"},
		TargetCountries:    []string{"no", "DK"},
	}
	want := score.Facts{
		Kind: profile.PublicNeed, OrgType: profile.Municipality, Country: "FI", NUTS: "FI1B1", Seeks: []profile.OrganisationType{profile.SME},
		Cooperation: []profile.Cooperation{profile.Licence}, Targets: []string{"NO", "DK"}, TRL: profile.TRL{Min: 2, Max: 5}, Langs: []string{"fi", "sv"},
	}
	got := score.FactsOf(p)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	got.Seeks[0], got.Cooperation[0] = profile.RTO, profile.Supplier
	if p.SeeksOrganisations[0] != profile.SME || p.Cooperation[0] != profile.Licence || p.TargetCountries[0] != "no" {
		t.Errorf("the profile changed with its facts: %+v", p)
	}
	p.Place.Country = ""
	if got := score.FactsOf(p); got.Country != "SE" {
		t.Errorf("without a place the country is %q, want the organisation's", got.Country)
	}
}

// The index keeps facts as bytes.
func TestFactsAreReadBackAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := facts(t, profile.Kinds...)
		f.NUTS, f.Langs = rapid.StringN(0, 5, 5).Draw(t, "nuts"), rapid.SliceOfN(rapid.SampledFrom(profile.Languages), 0, 9).Draw(t, "langs")
		b := f.AppendBinary([]byte("before"))
		got, err := score.ParseFacts(b[len("before"):])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("written and read again (-was +is):\n%s", diff)
		}
		for n := range len(b) - len("before") {
			if _, err := score.ParseFacts(b[len("before"):][:n]); !errors.Is(err, fault.ErrInvalid) {
				t.Fatalf("cut after %d bytes: %v", n, err)
			}
		}
		if _, err := score.ParseFacts(append(b[len("before"):], 0)); !errors.Is(err, fault.ErrInvalid) {
			t.Fatalf("with a byte too many: %v", err)
		}
	})
}

func FuzzParseFacts(f *testing.F) {
	f.Add(score.Facts{}.AppendBinary(nil))
	f.Add(score.Facts{Kind: profile.Need, Country: "NO", Langs: []string{"nb"}, Targets: []string{"FI", "SE"}, TRL: profile.TRL{Min: 1, Max: 9}}.AppendBinary(nil))
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add(append([]byte{1, 0, 0, 0, 0, 65}, make([]byte, 80)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		kept := bytes.Clone(b)
		facts, err := score.ParseFacts(b)
		if !bytes.Equal(b, kept) {
			t.Error("the bytes were changed")
		}
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("error of no kind: %v", err)
			}
			return
		}
		again, err := score.ParseFacts(facts.AppendBinary(nil))
		if diff := cmp.Diff(facts, again); err != nil || diff != "" {
			t.Errorf("written and read again: %v\n%s", err, diff)
		}
	})
}
