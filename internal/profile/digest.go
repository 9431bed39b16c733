package profile

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
)

// ContentDigest returns a digest of what the predicate reads of p: kind, texts,
// what is sought and given, stage, themes, codes and places. Two revisions with
// the same digest make the same pairs, so a pair that was declined stays
// declined. Identity, visibility, validity and status are left out: they belong
// to the gate. p should be normalised.
func (p *Profile) ContentDigest() [sha256.Size]byte {
	d := digester{sha256.New()}
	d.text("kobling profile content 1") // raise it when the fields change
	d.text(string(p.ID.Kind()))

	texts := slices.Clone(p.Texts)
	slices.SortFunc(texts, func(a, b Text) int {
		return cmp.Or(cmp.Compare(a.Lang, b.Lang), cmp.Compare(a.Title, b.Title))
	})
	d.number(len(texts))
	for _, t := range texts {
		d.text(t.Lang, t.Title, t.Summary, t.Description, t.Requirements, t.PartnerRole)
	}

	d.text(string(p.Organisation.Type), p.Organisation.Country)
	set(d, p.SeeksOrganisations)
	set(d, p.Cooperation)
	var trl TRL
	if p.TRL != nil {
		trl = *p.TRL
	}
	d.number(trl.Min)
	d.number(trl.Max)
	d.text(string(p.IPR))
	set(d, p.Themes)
	d.number(len(p.Codes))
	for _, c := range p.Codes {
		d.text(c.Scheme, c.Version, c.Code)
	}
	d.text(p.Place.Country, p.Place.NUTS)
	set(d, p.TargetCountries)
	return [sha256.Size]byte(d.Sum(nil))
}

// digester writes values so that no two sequences of them look alike.
type digester struct{ hash.Hash }

func (d digester) number(n int) {
	_, _ = d.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) //nolint:gosec // counts and levels; a hash never fails to write
}

func (d digester) text(values ...string) {
	for _, v := range values {
		d.number(len(v))
		_, _ = d.Write([]byte(v))
	}
}

func set[S ~string](d digester, values []S) {
	d.number(len(values))
	for _, v := range values {
		d.text(string(v))
	}
}
