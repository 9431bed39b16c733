package index

import (
	"encoding/binary"
	"fmt"

	bleve "github.com/blevesearch/bleve_index_api"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// The fields of a document. bleve wants the first, and finds what to replace by
// it.
const (
	fieldID       = "_id"
	fieldFeatures = "f"
	fieldMeta     = "m"
	fieldOrg      = "o"
)

// document is what bleve is given of one profile. Nothing of it is analysed:
// the features come with their weights.
type document struct {
	id     string
	fields []*field
}

// field is one field of a document: indexed terms, or a stored value, or both.
type field struct {
	name    string
	options bleve.FieldIndexingOptions
	value   []byte
	terms   bleve.TokenFrequencies
}

var (
	_ bleve.Document = (*document)(nil)
	_ bleve.Field    = (*field)(nil)
)

// newDocument returns the document of a profile as revision seq has it. Its
// features are stored and not indexed, see the package comment. No field has doc
// values, term vectors or a copy in a common field: nothing here reads them.
func newDocument(id profile.ID, seq uint64, side score.Side) *document {
	return &document{id: string(id), fields: []*field{
		{
			name: fieldID, options: bleve.IndexField | bleve.StoreField,
			value: []byte(id), terms: bleve.TokenFrequencies{string(id): once()},
		},
		{name: fieldFeatures, options: bleve.StoreField, value: encodeFeatures(side.Features)},
		{name: fieldMeta, options: bleve.StoreField, value: encodeMeta(seq, side.Facts)},
		{
			name: fieldOrg, options: bleve.IndexField | bleve.StoreField,
			value: side.Signature.AppendBinary(nil), terms: organisations(id, side),
		},
	}}
}

// organisations are the names under which a profile's near-duplicates are looked
// for: its organisation and, if it says so, its legal entity. Which of them
// counts is the ledger's to say. The frequency of each is one more than the
// signature's sketch, for a frequency is never 0.
func organisations(id profile.ID, side score.Side) bleve.TokenFrequencies {
	sketch := new(bleve.TokenFreq)
	sketch.SetFrequency(int(side.Signature.Sketch() + 1)) //nolint:gosec // a sketch has 61 bits
	terms := bleve.TokenFrequencies{id.Org(): sketch}
	if side.Entity != "" {
		terms[side.Entity] = sketch
	}
	return terms
}

// once is the frequency of a term that occurs once.
func once() *bleve.TokenFreq {
	f := new(bleve.TokenFreq)
	f.SetFrequency(1)
	return f
}

// encodeMeta is what a candidate needs besides its text part: the sequence
// and the facts.
func encodeMeta(seq uint64, facts score.Facts) []byte {
	return facts.AppendBinary(binary.BigEndian.AppendUint64(nil, seq))
}

// parseMeta reads what encodeMeta wrote.
func parseMeta(b []byte) (seq uint64, facts score.Facts, err error) {
	if seq, err = parseSeq(b); err == nil {
		facts, err = score.ParseFacts(b[8:])
	}
	return seq, facts, err
}

// parseSeq reads the sequence alone.
func parseSeq(b []byte) (uint64, error) {
	if len(b) < 8 {
		return 0, fmt.Errorf("stored meta has %d bytes: %w", len(b), fault.ErrInvalid)
	}
	return binary.BigEndian.Uint64(b), nil
}

// ID implements bleve's Document.
func (d *document) ID() string { return d.id }

// Size implements bleve's Document: an estimate in bytes, for its statistics.
func (d *document) Size() int {
	n := len(d.id)
	for _, f := range d.fields {
		n += len(f.value) + 64*len(f.terms)
	}
	return n
}

// VisitFields implements bleve's Document.
func (d *document) VisitFields(visit bleve.FieldVisitor) {
	for _, f := range d.fields {
		visit(f)
	}
}

// VisitComposite implements bleve's Document: there are none.
func (d *document) VisitComposite(bleve.CompositeFieldVisitor) {}

// HasComposite implements bleve's Document.
func (d *document) HasComposite() bool { return false }

// NumPlainTextBytes implements bleve's Document: there is no text.
func (d *document) NumPlainTextBytes() uint64 { return 0 }

// AddIDField implements bleve's Document: the id is always there.
func (d *document) AddIDField() {}

// StoredFieldsBytes implements bleve's Document.
func (d *document) StoredFieldsBytes() uint64 {
	var n uint64
	for _, f := range d.fields {
		n += uint64(len(f.value))
	}
	return n
}

// Indexed implements bleve's Document: whether it was counted as searchable.
func (d *document) Indexed() bool { return true }

// Name implements bleve's Field.
func (f *field) Name() string { return f.name }

// Value implements bleve's Field.
func (f *field) Value() []byte { return f.value }

// ArrayPositions implements bleve's Field.
func (f *field) ArrayPositions() []uint64 { return nil }

// EncodedFieldType implements bleve's Field: text, which is what bleve expects
// of an id.
func (f *field) EncodedFieldType() byte { return 't' }

// Analyze implements bleve's Field: there is nothing to do.
func (f *field) Analyze() {}

// Options implements bleve's Field.
func (f *field) Options() bleve.FieldIndexingOptions { return f.options }

// AnalyzedLength implements bleve's Field. It becomes the norm that bleve stores
// beside each frequency. One is the shortest, and nought would lose postings: a
// term of frequency one in a single document is kept in the dictionary itself,
// where a norm of nought means that there is none.
func (f *field) AnalyzedLength() int { return 1 }

// AnalyzedTokenFrequencies implements bleve's Field.
func (f *field) AnalyzedTokenFrequencies() bleve.TokenFrequencies { return f.terms }

// NumPlainTextBytes implements bleve's Field.
func (f *field) NumPlainTextBytes() uint64 { return 0 }
