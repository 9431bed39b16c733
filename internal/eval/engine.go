package eval

import (
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

// depth is how many documents are looked at for each query.
const depth = 100

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
			e.close()
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
				id := profile.ID("offer.eval." + strconv.Itoa(n))
				seq := uint64(n) + 1 //nolint:gosec // a count
				changes[i] = index.Change{ID: id, Seq: seq, Alive: true, Side: epoch.Side(d.profile(id))}
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

func (e *engine) close() {
	if e.index != nil {
		_ = e.index.Close() // it is thrown away
	}
	_ = os.RemoveAll(e.dir)
}

// profile is a document as a profile of the service.
func (d Document) profile(id profile.ID) *profile.Profile {
	return &profile.Profile{ID: id, Texts: []profile.Text{{Lang: d.Lang, Title: d.Title, Description: d.Text}}}
}

// answer is what was found for a query.
type answer struct {
	ids   []string // best first, at most depth
	found []score.Candidate
}

// ask finds the documents for each query, all processors at work.
func (e *engine) ask(ctx context.Context, queries []Document, done func()) ([]answer, error) {
	answers := make([]answer, len(queries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, q := range queries {
		g.Go(func() error {
			side := e.epoch.Side(q.profile("need.eval.query"))
			found, err := e.index.Top(ctx, score.Query{In: profile.Supply, Features: side.Features}, depth)
			if err != nil {
				return fmt.Errorf("query %s: %w", q.ID, err)
			}
			a := answer{found: found}
			for _, c := range found {
				n, err := strconv.Atoi(c.ID.Local())
				if err != nil {
					return err
				}
				a.ids = append(a.ids, e.ids[n])
			}
			answers[i] = a
			done()
			return nil
		})
	}
	return answers, g.Wait()
}
