package profile

import (
	"slices"
	"strings"
	"time"
)

// Limits of a profile's texts, in characters: Unicode code points, after
// composition (NFC). schemas/profile.json states the same numbers.
const (
	MaxTitle        = 256
	MaxSummary      = 500
	MaxDescription  = 4000
	MaxRequirements = 2000
	MaxPartnerRole  = 4000
	MaxName         = 200 // of an organisation
	MaxTheme        = 100
	MaxCode         = 64 // of a classification
	MaxScheme       = 32 // of a classification: its name, and its version
	MaxReference    = 128
)

// Limits on counts.
const (
	MaxTexts       = 9
	MaxCooperation = 3
	MaxSeeks       = 11
	MaxThemes      = 20
	MaxCodes       = 50
	MaxTargets     = 60
	MaxIdentifiers = 10
)

// Bounds of the technology readiness level.
const (
	MinTRL = 1
	MaxTRL = 9
)

// DefaultCluster owns the profiles that name no cluster.
const DefaultCluster = "default"

// Times outside these years are taken for mistakes.
const (
	minYear = 1970
	maxYear = 2199
)

// Languages are the languages that a text may be in. "no" is read as "nb".
var Languages = []string{"da", "nb", "nn", "sv", "fi", "nl", "en", "de", "fr"}

// OrganisationTypes lists every organisation type.
var OrganisationTypes = []OrganisationType{
	SME, Startup, LargeCompany, University, UniversityHospital, RTO, Region, Municipality, Association, ClusterOrg,
	OtherOrganisation,
}

// Cooperations lists every cooperation type.
var Cooperations = []Cooperation{
	ResearchCooperation, TestWithEndUsers, ClinicalStudy, DataAccess, TestingService, Licence, Commercial, Supplier,
	MarketEntry, Consortium, Investment,
}

// IPRs lists every state of intellectual property.
var IPRs = []IPR{IPRNone, IPRApplied, IPRGranted, IPRSecret, IPROther}

// Visibilities lists every visibility, from the narrowest.
var Visibilities = []Visibility{VisiblePrivate, VisibleCluster, VisibleNetwork, VisiblePublic}

// Statuses lists every status, in the order of a profile's life.
var Statuses = []Status{Draft, Submitted, Published, Paused, Expired, Archived, Withdrawn}

// IdentifierSchemes lists every scheme whose values are verified.
var IdentifierSchemes = []IdentifierScheme{CVR, OrgNr, OrgSE, YTunn, KBO, ROR, ORCID}

// countries are the codes that ISO 3166-1 has assigned, in order.
var countries = strings.Fields(`
	AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ
	BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR
	CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
	GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU
	ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ
	LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
	MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
	PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
	SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR
	TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW`)

// ValidCountry reports whether s is an assigned ISO 3166-1 alpha-2 code, in
// capitals.
func ValidCountry(s string) bool {
	_, found := slices.BinarySearch(countries, s)
	return found
}

// nutsCountry returns the country to which a NUTS code belongs, in capitals,
// or "". NUTS says EL for Greece and UK for the United Kingdom.
func nutsCountry(nuts string) string {
	if len(nuts) < 2 {
		return ""
	}
	switch prefix := strings.ToUpper(nuts[:2]); prefix {
	case "EL":
		return "GR"
	case "UK":
		return "GB"
	case "GR", "GB":
		return ""
	default:
		return prefix
	}
}

// ValidYear reports whether t is zero or in a year that can be meant.
func ValidYear(t time.Time) bool {
	y := t.UTC().Year()
	return t.IsZero() || y >= minYear && y <= maxYear
}
