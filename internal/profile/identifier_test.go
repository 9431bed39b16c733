package profile_test

import (
	"strings"
	"testing"

	"kobling/internal/profile"
)

func TestIdentifiersAreVerifiedByTheirCheckDigits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scheme        profile.IdentifierScheme
		valid, broken string
	}{
		{profile.CVR, "28693222", "13585627"},
		{profile.OrgNr, "988077917", "988077918"},
		{profile.OrgSE, "123456-7897", "123456-7891"},
		{profile.YTunn, "2077474-0", "2077474-1"},
		{profile.KBO, "0428759497", "0431150351"},
		{profile.ROR, "03yrrjy16", "03yrrjy17"},
		{profile.ORCID, "0000-0002-1825-0097", "0000-0002-1825-0098"},
		{profile.ORCID, "0000-0002-1694-233X", "0000-0002-1694-2330"},
	} {
		good := profile.Identifier{Scheme: tt.scheme, Value: tt.valid}
		if f, bad := good.Check(); bad {
			t.Errorf("%s %s: %v, want good", tt.scheme, tt.valid, f)
		}
		if got := good.Canonical(); got != good {
			t.Errorf("%s %s: canonical is %s, want it unchanged", tt.scheme, tt.valid, got.Value)
		}
		f, bad := profile.Identifier{Scheme: tt.scheme, Value: tt.broken}.Check()
		if !bad || f.Code != profile.CodeBadIdentifier {
			t.Errorf("%s %s: %v, want %s", tt.scheme, tt.broken, f, profile.CodeBadIdentifier)
		}
		if strings.Contains(f.Message, tt.broken) {
			t.Errorf("%s: the message quotes the number: %s", tt.scheme, f.Message)
		}
	}
}

func TestIdentifiersMayBeWrittenAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scheme      profile.IdentifierScheme
		value, want string
	}{
		{profile.CVR, " DK 28 69 32 22 ", "28693222"},
		{profile.OrgNr, "NO 988 077 917 MVA", "988077917"},
		{profile.OrgSE, "1234567897", "123456-7897"},
		{profile.OrgSE, "161234567897", "123456-7897"},
		{profile.YTunn, "FI20774740", "2077474-0"},
		{profile.KBO, "BE 0428.759.497", "0428759497"},
		{profile.KBO, "428.759.497", "0428759497"},
		{profile.ROR, "https://ror.org/03YRRJY16", "03yrrjy16"},
		{profile.ORCID, "https://orcid.org/0000-0002-1694-233x/", "0000-0002-1694-233X"},
		{profile.ORCID, "0000000218250097", "0000-0002-1825-0097"},
	} {
		got := profile.Identifier{Scheme: tt.scheme, Value: tt.value}
		if f, bad := got.Check(); bad {
			t.Errorf("%s %q: %v, want good", tt.scheme, tt.value, f)
		}
		if got = got.Canonical(); got.Value != tt.want {
			t.Errorf("%s %q: canonical is %q, want %q", tt.scheme, tt.value, got.Value, tt.want)
		}
	}
}

func TestIdentifiersOfOtherFormsAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scheme profile.IdentifierScheme
		value  string
		code   string
	}{
		{profile.CVR, "", profile.CodeBadIdentifier},
		{profile.CVR, "2869322", profile.CodeBadIdentifier},
		{profile.CVR, "286932２2", profile.CodeBadIdentifier},  // a full-width digit
		{profile.ROR, "03yrrjl16", profile.CodeBadIdentifier}, // l is not of the alphabet
		{profile.ROR, "13yrrjy16", profile.CodeBadIdentifier},
		{profile.ORCID, "0000-0002-1825-009", profile.CodeBadIdentifier},
		{profile.OrgSE, "121212-1212", profile.CodePersonal},
		{profile.OrgSE, "121212+1212", profile.CodePersonal},
		{profile.OrgSE, "19121212-1212", profile.CodePersonal},
		{"duns", "123456789", profile.CodeNotInList},
	} {
		f, bad := profile.Identifier{Scheme: tt.scheme, Value: tt.value}.Check()
		if !bad || f.Code != tt.code {
			t.Errorf("%s %q: %v, want %s", tt.scheme, tt.value, f, tt.code)
		}
	}
}

func FuzzIdentifier(f *testing.F) {
	for _, scheme := range profile.IdentifierSchemes {
		f.Add(string(scheme), "28693222")
	}
	f.Add("orgse", "16123456-7897")
	f.Add("ror", "https://ror.org/03yrrjy16")
	f.Add("orcid", "0000-0002-1694-233X")
	f.Fuzz(func(t *testing.T, scheme, value string) {
		id := profile.Identifier{Scheme: profile.IdentifierScheme(scheme), Value: value}
		canonical := id.Canonical()
		if again := canonical.Canonical(); again != canonical {
			t.Errorf("%s %q: canonical %q becomes %q", scheme, value, canonical.Value, again.Value)
		}
		_, bad := id.Check()
		if _, badCanonical := canonical.Check(); bad != badCanonical {
			t.Errorf("%s %q: bad is %t, of the canonical spelling %q %t", scheme, value, bad, canonical.Value, badCanonical)
		}
	})
}
