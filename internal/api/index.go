package api

import (
	"context"

	"kobling/internal/audit"
	"kobling/internal/profile"
)

// IndexQuery asks what the index of the process that answers holds: as digests, or
// one part of it.
type IndexQuery struct {
	// Bucket is one of audit.Buckets parts, by profile; nil: the digests of all.
	Bucket *int `json:"bucket,omitempty"`
}

// IndexContents is what an index holds; see package audit.
type IndexContents struct {
	Applied   uint64      `json:"applied"`           // sequence of PROFILES up to which all is searchable
	Documents int         `json:"documents"`         // of both sides
	Digests   []byte      `json:"digests,omitempty"` // eight bytes for each bucket
	Damage    string      `json:"damage,omitempty"`  // which file does not match its checksum
	Items     []IndexItem `json:"items,omitempty"`   // of the bucket asked for
}

// IndexItem is a profile that an index holds.
type IndexItem struct {
	ID  profile.ID `json:"id"`
	Seq uint64     `json:"seq"`
}

func (s *Service) index(ctx context.Context, q IndexQuery) (IndexContents, error) {
	if q.Bucket != nil && (*q.Bucket < 0 || *q.Bucket >= audit.Buckets) {
		return IndexContents{}, invalid("bucket: %d is not from 0 to %d", *q.Bucket, audit.Buckets-1)
	}
	return s.Index(ctx, q)
}
