// Package profile says what one side of a match says of itself: a need, an
// offer, a public need or a test place, with its texts in several languages. It
// is the bottom of the import graph: no I/O, no clock, and only x/text beside the
// standard library.
package profile

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Kind is what a profile is. It never changes during a profile's life.
type Kind string

// The kinds. Needs and public needs are the demand side, offers and test places
// the supply side.
const (
	Need       Kind = "need"
	Offer      Kind = "offer"
	PublicNeed Kind = "public_need"
	TestPlace  Kind = "test_place"
)

// Kinds lists every kind, in the order in which people meet them.
var Kinds = []Kind{Need, Offer, PublicNeed, TestPlace}

// Side is one of the two sides of a match.
type Side string

// The sides.
const (
	Demand Side = "demand"
	Supply Side = "supply"
)

// Other returns the opposite side.
func (s Side) Other() Side {
	if s == Demand {
		return Supply
	}
	return Demand
}

// Side returns the side on which profiles of this kind stand.
func (k Kind) Side() Side {
	if k == Need || k == PublicNeed {
		return Demand
	}
	return Supply
}

// Valid reports whether k is one of [Kinds].
func (k Kind) Valid() bool {
	return k == Need || k == Offer || k == PublicNeed || k == TestPlace
}

// ID names one profile for its whole life: "<kind>.<org>.<id>". It is the tail
// of the profile's subjects, the key in PostgreSQL and the document id in the
// index. The zero ID is not a profile.
type ID string

// token is what each of the three parts of an ID after the kind must look like;
// it keeps ids safe as NATS subject tokens.
var token = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidToken reports whether s may stand as the organisation or the local part
// of an ID: 1 to 64 of A-Z a-z 0-9 _ and -.
func ValidToken(s string) bool { return token.MatchString(s) }

// NewID returns the ID of the profile that organisation org calls local.
func NewID(kind Kind, org, local string) (ID, error) {
	return ParseID(string(kind) + "." + org + "." + local)
}

// ParseID checks s and returns it as an ID.
func ParseID(s string) (ID, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("profile id %q: want <kind>.<org>.<id>", s)
	}
	if !Kind(parts[0]).Valid() {
		return "", fmt.Errorf("profile id %q: kind %q is not one of need, offer, public_need, test_place", s, parts[0])
	}
	for _, p := range parts[1:] {
		if !ValidToken(p) {
			return "", fmt.Errorf("profile id %q: %q must be 1 to 64 of A-Z a-z 0-9 _ -", s, p)
		}
	}
	return ID(s), nil
}

// part returns the nth dot-separated part, or "" if there is none.
func (id ID) part(n int) string {
	parts := strings.SplitN(string(id), ".", 3)
	if n >= len(parts) {
		return ""
	}
	return parts[n]
}

// Kind returns the kind that the id names.
func (id ID) Kind() Kind { return Kind(id.part(0)) }

// Org returns the organisation's token.
func (id ID) Org() string { return id.part(1) }

// Local returns the part that the organisation chose.
func (id ID) Local() string { return id.part(2) }

// Side returns the side of the match on which the profile stands.
func (id ID) Side() Side { return id.Kind().Side() }

// Profile is one revision of a profile, as published in JSON. The field names
// are a contract; see schemas/profile.json.
type Profile struct {
	ID           ID           `json:"id"`
	Revision     uint64       `json:"revision,omitempty"` // assigned by intake: 1, 2, 3, …
	Cluster      string       `json:"cluster,omitempty"`  // token of the owning cluster
	Organisation Organisation `json:"organisation"`
	Contact      string       `json:"contact,omitempty"` // a reference, never an address

	Texts []Text `json:"texts"` // one per language; the first is the original

	SeeksOrganisations []OrganisationType `json:"seeks_organisations,omitempty"` // none: any
	Cooperation        []Cooperation      `json:"cooperation,omitempty"`         // at most 3
	TRL                *TRL               `json:"trl,omitempty"`
	IPR                IPR                `json:"ipr,omitempty"`
	Themes             []string           `json:"themes,omitempty"`
	Codes              []Code             `json:"codes,omitempty"`
	Place              Place              `json:"place,omitzero"`
	TargetCountries    []string           `json:"target_countries,omitempty"` // ISO 3166-1 alpha-2; none: any

	Visibility Visibility `json:"visibility,omitempty"`
	Anonymous  bool       `json:"anonymous,omitempty"`

	ValidFrom  time.Time `json:"valid_from,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Deadline   time.Time `json:"deadline,omitzero"` // for interest
	Call       string    `json:"call,omitempty"`    // reference of a funding call

	Status Status `json:"status,omitempty"`
}

// Text is what a profile says in one language. Limits are in characters.
type Text struct {
	Lang        string `json:"lang,omitempty"` // BCP 47: da nb nn sv fi nl en de fr; intake detects it when empty
	Title       string `json:"title"`
	Summary     string `json:"summary,omitempty"`
	Description string `json:"description,omitempty"`
	// Requirements is what a need demands or which advantages an offer has.
	Requirements string `json:"requirements,omitempty"`
	PartnerRole  string `json:"partner_role,omitempty"`
}

// Organisation is who stands behind a profile.
type Organisation struct {
	Name          string           `json:"name"`
	Type          OrganisationType `json:"type"`
	Country       string           `json:"country,omitempty"`         // ISO 3166-1 alpha-2
	LegalEntityID string           `json:"legal_entity_id,omitempty"` // joins organisations of one legal entity
	Identifiers   []Identifier     `json:"identifiers,omitempty"`
}

// Identifier is a public identifier of an organisation or person.
type Identifier struct {
	Scheme IdentifierScheme `json:"scheme"`
	Value  string           `json:"value"`
}

// Code is a term of a public classification. Codes are strings: "06001002" and
// "006001002" are different EEN technology codes.
type Code struct {
	Scheme  string `json:"scheme"`
	Version string `json:"version,omitempty"`
	Code    string `json:"code"`
}

// TRL is a range of technology readiness levels, 1 to 9. For a demand, Min is
// where it stands and Max its target; for a supply, the range it covers.
type TRL struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Place is where a profile is at home.
type Place struct {
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2
	NUTS    string `json:"nuts,omitempty"`    // NUTS code, level 0 to 3
}

// IdentifierScheme is a public scheme with a rule for its values.
type IdentifierScheme string

// The schemes whose form and check digits are verified.
const (
	CVR   IdentifierScheme = "cvr"     // Denmark, 8 digits
	OrgNr IdentifierScheme = "orgnr"   // Norway, organisasjonsnummer, 9 digits
	OrgSE IdentifierScheme = "orgse"   // Sweden, organisationsnummer, nnnnnn-nnnn
	YTunn IdentifierScheme = "ytunnus" // Finland, 7 digits, hyphen, 1 digit
	KBO   IdentifierScheme = "kbo"     // Belgium, 10 digits
	ROR   IdentifierScheme = "ror"     // research organisations
	ORCID IdentifierScheme = "orcid"   // researchers
)

// OrganisationType is what kind of organisation stands behind a profile.
type OrganisationType string

// The organisation types.
const (
	SME                OrganisationType = "sme"
	Startup            OrganisationType = "startup"
	LargeCompany       OrganisationType = "large_company"
	University         OrganisationType = "university"
	UniversityHospital OrganisationType = "university_hospital"
	RTO                OrganisationType = "rto"
	Region             OrganisationType = "region"
	Municipality       OrganisationType = "municipality"
	Association        OrganisationType = "association"
	ClusterOrg         OrganisationType = "cluster"
	OtherOrganisation  OrganisationType = "other"
)

// Cooperation is what kind of collaboration is sought or given.
type Cooperation string

// The cooperation types.
const (
	ResearchCooperation Cooperation = "research_cooperation"
	TestWithEndUsers    Cooperation = "test_with_end_users"
	ClinicalStudy       Cooperation = "clinical_study"
	DataAccess          Cooperation = "data_access"
	TestingService      Cooperation = "testing_service"
	Licence             Cooperation = "licence"
	Commercial          Cooperation = "commercial"
	Supplier            Cooperation = "supplier"
	MarketEntry         Cooperation = "market_entry"
	Consortium          Cooperation = "consortium"
	Investment          Cooperation = "investment"
)

// IPR is the state of the intellectual property.
type IPR string

// The states of intellectual property.
const (
	IPRNone    IPR = "none"
	IPRApplied IPR = "applied"
	IPRGranted IPR = "granted"
	IPRSecret  IPR = "secret"
	IPROther   IPR = "other"
)

// Visibility is who may be shown a profile's suggestions.
type Visibility string

// The visibilities. The default is Cluster.
const (
	VisiblePrivate Visibility = "private" // no suggestions at all
	VisibleCluster Visibility = "cluster" // counterparts in the same cluster
	VisibleNetwork Visibility = "network" // counterparts in a cluster of a common network
	VisiblePublic  Visibility = "public"  // everybody
)

// Status is where a profile stands in its life.
type Status string

// The statuses. Expired is never stored: it is derived from ValidUntil.
const (
	Draft     Status = "draft"
	Submitted Status = "submitted"
	Published Status = "published"
	Paused    Status = "paused"
	Expired   Status = "expired"
	Archived  Status = "archived"
	Withdrawn Status = "withdrawn" // final
)
