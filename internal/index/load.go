package index

import (
	"errors"
	"fmt"

	"github.com/blevesearch/bleve/v2/index/scorch"

	"kobling/internal/inverted"
)

// loadBatch is how many documents are brought into memory at a time.
const loadBatch = 4096

// load brings into memory what is on disk. What cannot be read there is damage.
func (h *half) load(snapshot *scorch.IndexSnapshot) error {
	var docs []inverted.Document
	for _, seg := range snapshot.Segments() {
		for doc := range seg.Segment().Count() {
			if deleted(seg, uint32(doc)) {
				continue
			}
			d, err := h.stored(seg, doc)
			if err != nil {
				return &damageError{fmt.Errorf("document %d %q: %w", doc, d.ID, err)}
			}
			if docs = append(docs, d); len(docs) == loadBatch {
				h.memory.Apply(docs, nil)
				docs = docs[:0]
			}
		}
	}
	h.memory.Apply(docs, nil)
	return nil
}

// errIncomplete is what is wrong with a document that lacks a stored field.
var errIncomplete = errors.New("a stored field is missing")

// stored returns what a document keeps.
func (h *half) stored(seg *scorch.SegmentSnapshot, doc uint64) (d inverted.Document, err error) {
	var features bool
	var bad error
	err = seg.Segment().VisitStoredFields(doc, func(name string, _ byte, value []byte, _ []uint64) bool {
		switch name {
		case fieldID:
			d.ID = string(value)
		case fieldMeta:
			d.Meta = append(d.Meta, value...)
			_, _, err := parseMeta(value)
			bad = errors.Join(bad, err)
		case fieldFeatures:
			var err error
			features = true
			d.Features, err = parseFeatures(value)
			bad = errors.Join(bad, err)
		}
		// Never false: zapx would then put the same buffer into its pool twice,
		// and two readers would share it.
		return true
	})
	switch {
	case err != nil:
		return d, err
	case bad != nil:
		return d, bad
	case d.ID == "" || d.Meta == nil || !features:
		return d, errIncomplete
	}
	return d, checkFeatures(d.Features, h.side)
}
