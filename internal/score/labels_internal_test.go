package score

import (
	"slices"
	"testing"

	"kobling/internal/profile"
)

// Whatever a profile can say has a name in each language, and nothing else has.
func TestEveryFactHasANameInEachLanguage(t *testing.T) {
	t.Parallel()
	var values []string
	for _, c := range profile.Cooperations {
		values = append(values, string(c))
	}
	for _, o := range profile.OrganisationTypes {
		values = append(values, string(o))
	}
	for _, v := range values {
		if _, ok := valueNames[v]; !ok {
			t.Errorf("%s has no names", v)
		}
	}
	for v, names := range valueNames {
		if !slices.Contains(values, v) {
			t.Errorf("%s is nothing that a profile can say", v)
		}
		if i := slices.Index(names[:], ""); i >= 0 {
			t.Errorf("%s has no name in %s", v, labelLanguages[i])
		}
	}
	for _, fact := range []string{partCooperation, partOrganisation, partTRL, "region", "country"} {
		names := factNames[fact]
		if i := slices.Index(names[:], ""); i >= 0 {
			t.Errorf("fact %s has no name in %s", fact, labelLanguages[i])
		}
	}
}
