package app

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"kobling/internal/api"
	"kobling/internal/audit"
	"kobling/internal/fault"
	"kobling/internal/index"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/store"
	"kobling/internal/stream"
)

// Audit compares what the installation keeps, and recomputes all suggestions if
// oracle is set; see package audit. It fails if another version of kobling made
// the active epoch, for it would then judge otherwise.
func (i *Installation) Audit(ctx context.Context, oracle bool, progress func(stage string, done, total int)) (audit.Report, error) {
	active, err := readEpoch(ctx, i.store, i.dataDir)
	switch {
	case err != nil:
		return audit.Report{}, err
	case active.number == 0:
		return audit.Report{}, fmt.Errorf("there is no epoch yet: start \"kobling serve\" first: %w", fault.ErrUnavailable)
	case !active.same():
		return audit.Report{}, fmt.Errorf("epoch %d was made by kobling %s, and this program judges otherwise: audit with that version: %w",
			active.number, active.model.About.Program, fault.ErrConflict)
	}
	a := &audit.Auditor{Log: auditLog{i.conn}, Ledger: auditLedger{i.store}, Epoch: active.made, Digest: store.ContentDigest, Progress: progress}
	running, err := i.answers(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	if running {
		a.Index = auditIndex{i.client()}
	}
	return a.Run(ctx, oracle)
}

// auditLog is the streams as an auditor reads them.
type auditLog struct{ *stream.Conn }

func (l auditLog) Extent(ctx context.Context, name string) (audit.Extent, error) {
	e, err := l.Conn.Extent(ctx, name)
	return audit.Extent{LastSeq: e.LastSeq, Messages: e.Messages, Settled: e.Settled}, err
}

// auditLedger is the database as an auditor reads it.
type auditLedger struct{ *store.Store }

func (l auditLedger) View(ctx context.Context, f func(audit.View) error) error {
	return l.Store.View(ctx, func(v *store.View) error { return f(auditView{v}) })
}

type auditView struct{ *store.View }

func (v auditView) Heads(ctx context.Context, f func(audit.Head) error) error {
	return v.View.Heads(ctx, func(h store.StoredHead) error { return f(audit.Head(h)) })
}

func (v auditView) Anomalies(ctx context.Context) ([]audit.Anomaly, error) {
	found, err := v.View.Anomalies(ctx)
	all := make([]audit.Anomaly, len(found))
	for i, a := range found {
		all[i] = audit.Anomaly(a)
	}
	return all, err
}

// auditIndex is the index of whichever process answers.
type auditIndex struct{ client *Client }

func (x auditIndex) Contents(ctx context.Context) (audit.Contents, error) {
	got, err := ask[api.IndexContents](ctx, x.client, api.OpIndex, api.IndexQuery{})
	if err != nil {
		return audit.Contents{}, err
	}
	c := audit.Contents{Applied: got.Applied, Documents: got.Documents, Damage: got.Damage}
	for b := got.Digests; len(b) >= 8; b = b[8:] {
		c.Digests = append(c.Digests, binary.BigEndian.Uint64(b))
	}
	return c, nil
}

func (x auditIndex) Bucket(ctx context.Context, n int) ([]audit.Entry, error) {
	got, err := ask[api.IndexContents](ctx, x.client, api.OpIndex, api.IndexQuery{Bucket: &n})
	if err != nil {
		return nil, err
	}
	entries := make([]audit.Entry, len(got.Items))
	for i, it := range got.Items {
		entries[i] = audit.Entry{ID: it.ID, Seq: it.Seq}
	}
	return entries, nil
}

// indexContents answers [api.OpIndex] of an index.
func indexContents(ctx context.Context, x *index.Index, q api.IndexQuery) (api.IndexContents, error) {
	if x == nil {
		return api.IndexContents{}, fmt.Errorf("this process keeps no index: %w", fault.ErrUnavailable)
	}
	out := api.IndexContents{Applied: x.Applied()}
	c := audit.NewContents()
	err := x.Each(ctx, func(id profile.ID, seq uint64, facts score.Facts) {
		c.Add(id, seq, facts)
		if q.Bucket != nil && *q.Bucket == audit.BucketOf(id) {
			out.Items = append(out.Items, api.IndexItem{ID: id, Seq: seq})
		}
	})
	if err != nil {
		return api.IndexContents{}, err
	}
	out.Documents = c.Documents
	if q.Bucket != nil {
		return out, nil
	}
	for _, d := range c.Digests {
		out.Digests = binary.BigEndian.AppendUint64(out.Digests, d)
	}
	if damage := x.Verify(ctx); damage != nil {
		if errors.Is(damage, context.DeadlineExceeded) || errors.Is(damage, context.Canceled) {
			return api.IndexContents{}, fmt.Errorf("read the index: %w: %w", fault.ErrUnavailable, damage)
		}
		out.Damage = damage.Error()
	}
	return out, nil
}
