package score

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kobling/internal/fault"
	"kobling/internal/profile"
)

// FactsOf returns what the predicate needs to know of p besides its texts.
func FactsOf(p *profile.Profile) Facts {
	f := Facts{
		Kind:        p.ID.Kind(),
		OrgType:     p.Organisation.Type,
		Country:     strings.ToUpper(p.Place.Country),
		NUTS:        strings.ToUpper(p.Place.NUTS),
		Seeks:       slices.Clone(p.SeeksOrganisations),
		Cooperation: slices.Clone(p.Cooperation),
	}
	if f.Country == "" {
		f.Country = strings.ToUpper(p.Organisation.Country)
	}
	for _, c := range p.TargetCountries {
		f.Targets = append(f.Targets, strings.ToUpper(c))
	}
	if p.TRL != nil {
		f.TRL = *p.TRL
	}
	for _, t := range p.Texts {
		if t.Lang != "" && !slices.Contains(f.Langs, t.Lang) {
			f.Langs = append(f.Langs, t.Lang)
		}
	}
	return f
}

// gives is the cooperation that a supply gives. A test place gives a test with
// end users whether it says so or not.
func (f Facts) gives() []profile.Cooperation {
	if f.Kind == profile.TestPlace && !slices.Contains(f.Cooperation, profile.TestWithEndUsers) {
		return append(slices.Clone(f.Cooperation), profile.TestWithEndUsers)
	}
	return f.Cooperation
}

// factsVersion is the first byte of encoded facts. Raise it when the encoding
// changes: an index of another version is rebuilt.
const factsVersion = 1

// maxList is the longest list that ParseFacts takes.
const maxList = 64

// AppendBinary appends f to b in a compact form that [ParseFacts] reads.
func (f Facts) AppendBinary(b []byte) []byte {
	b = append(b, factsVersion)
	b = appendText(b, string(f.Kind))
	b = appendText(b, string(f.OrgType))
	b = appendText(b, f.Country)
	b = appendText(b, f.NUTS)
	b = appendList(b, f.Seeks)
	b = appendList(b, f.Cooperation)
	b = appendList(b, f.Targets)
	b = binary.AppendVarint(b, int64(f.TRL.Min))
	b = binary.AppendVarint(b, int64(f.TRL.Max))
	return appendList(b, f.Langs)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList[S ~string](b []byte, list []S) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, string(s))
	}
	return b
}

// errFacts is what is wrong with facts that cannot be read.
var errFacts = errors.New("facts end early or are too long")

// ParseFacts reads what [Facts.AppendBinary] wrote. The error wraps
// fault.ErrInvalid: the bytes are damaged or of another version.
func ParseFacts(b []byte) (Facts, error) {
	if len(b) == 0 || b[0] != factsVersion {
		return Facts{}, fmt.Errorf("facts are not of version %d: %w", factsVersion, fault.ErrInvalid)
	}
	r := factsReader{rest: b[1:]}
	f := Facts{
		Kind:    profile.Kind(r.text()),
		OrgType: profile.OrganisationType(r.text()),
		Country: r.text(),
		NUTS:    r.text(),
	}
	f.Seeks = readList[profile.OrganisationType](&r)
	f.Cooperation = readList[profile.Cooperation](&r)
	f.Targets = readList[string](&r)
	f.TRL = profile.TRL{Min: r.number(), Max: r.number()}
	f.Langs = readList[string](&r)
	if r.bad || len(r.rest) > 0 {
		return Facts{}, fmt.Errorf("%w: %w", errFacts, fault.ErrInvalid)
	}
	return f, nil
}

// factsReader reads facts; once bad, it reads zeros.
type factsReader struct {
	rest []byte
	bad  bool
}

func (r *factsReader) length(most int) int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(most) { //nolint:gosec // most is not negative
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return int(n) //nolint:gosec // at most most
}

func (r *factsReader) text() string {
	n := r.length(len(r.rest))
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *factsReader) number() int {
	n, size := binary.Varint(r.rest)
	if size <= 0 || n < -128 || n > 127 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

func readList[S ~string](r *factsReader) []S {
	var list []S
	for range r.length(maxList) {
		list = append(list, S(r.text()))
	}
	return list
}
