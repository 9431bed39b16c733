package eval

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kobling/internal/index"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// engine is an index of documents.
type engine struct {
	epoch *score.Epoch
	index *index.Index
	dir   string
	ids   []string // by number
}

// batch is how many documents go into the index at once.
const batch = 1000

// open puts documents into a new index. Close it.
func open(ctx context.Context, epoch *score.Epoch, docs []Document) (_ *engine, err error) {
	dir, err := os.MkdirTemp("", "kobling-eval-*")
	if err != nil {
		return nil, err
	}
	e := &engine{epoch: epoch, dir: dir}
	defer func() {
		if err != nil {
			_ = e.Close()
		}
	}()
	if e.index, err = index.Open(dir, index.Options{Epoch: "eval", Log: zap.NewNop()}); err != nil {
		return nil, err
	}
	for from := 0; from < len(docs); from += batch {
		part := docs[from:min(len(docs), from+batch)]
		changes := make([]index.Change, len(part))
		var g errgroup.Group
		g.SetLimit(runtime.GOMAXPROCS(0))
		for i, d := range part {
			n := from + i
			e.ids = append(e.ids, d.ID)
			g.Go(func() error {
				p := d.profile(profile.Supply, n)
				seq := uint64(n) + 1 //nolint:gosec // a count
				changes[i] = index.Change{ID: p.ID, Seq: seq, Alive: true, Side: epoch.Side(p)}
				return nil
			})
		}
		_ = g.Wait() // nothing fails
		mark := index.Mark{Created: time.Unix(0, 0), Seq: uint64(len(e.ids))}
		if err := e.index.Apply(ctx, changes, mark); err != nil {
			return nil, fmt.Errorf("index documents: %w", err)
		}
	}
	return e, nil
}

// Close throws the index away.
func (e *engine) Close() error {
	if e.index != nil {
		_ = e.index.Close() // it is thrown away
	}
	return os.RemoveAll(e.dir)
}

// Kobling is the product: its analysis, index and predicate.
func Kobling(epoch *score.Epoch) Engine {
	return func(ctx context.Context, docs []Document) (Index, error) {
		e, err := open(ctx, epoch, docs)
		if err != nil {
			return nil, err
		}
		return e, nil
	}
}

// Rank ranks by what the text part of the predicate counts.
func (e *engine) Rank(ctx context.Context, q Document, n int) ([]Hit, error) {
	side := e.epoch.Side(q.profile(profile.Demand, 0))
	// The index knows the order by the text part. What it leaves out counts no more
	// than the last that it finds.
	for ask := 2 * n; ; ask *= 4 {
		found, err := e.index.Top(ctx, score.Query{In: profile.Supply, Features: side.Features}, ask)
		if err != nil {
			return nil, err
		}
		hits := make([]Hit, len(found))
		for i, c := range found {
			id, err := e.id(c.ID)
			if err != nil {
				return nil, err
			}
			hits[i] = Hit{ID: id, Score: float64(score.Counts(side.Facts, c.Facts, c.Text)) / score.TextMax, Why: c.Top}
		}
		SortHits(hits)
		if len(found) < ask || hits[n-1].Score >= float64(found[ask-1].Text)/score.TextMax {
			return hits[:min(n, len(hits))], nil
		}
	}
}

// id is the document that is in the index as id.
func (e *engine) id(id profile.ID) (string, error) {
	n, err := strconv.Atoi(id.Local())
	if err != nil {
		return "", err
	}
	return e.ids[n], nil
}

// profile is a document as a profile of the service, the nth of its side. What
// kind the collection calls it counts only if it is one of that side.
func (d Document) profile(side profile.Side, n int) *profile.Profile {
	kind := d.Kind
	if kind.Side() != side || !kind.Valid() {
		kind = profile.Need
		if side == profile.Supply {
			kind = profile.Offer
		}
	}
	return &profile.Profile{
		ID:           profile.ID(string(kind) + ".eval." + strconv.Itoa(n)),
		Organisation: profile.Organisation{Type: d.OrgType, Country: d.Country},
		Texts:        []profile.Text{{Lang: d.Lang, Title: d.Title, Description: d.Text}},
	}
}

// answer is what a query is answered with when d is found: the document, or the
// group that it belongs to.
func (d Document) answer() string { return cmp.Or(d.Group, d.ID) }
