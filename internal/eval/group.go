package eval

import (
	"context"
	"strings"
)

// Votes is how many documents vote for their groups where nobody says.
const Votes = 50

// GroupBy returns an engine that answers with groups and not with documents: each
// of the votes best documents gives the square of its score to its group, so that
// a broad group does not win by many weak documents. From projects to ERC hosts, 50
// votes, squares came to recall@10 .380 and hit@1 .113 on average over the four
// engines; plain sums to .375 and .100, the best document alone to .322 and .104.
func GroupBy(engine Engine, votes int) Engine {
	return func(ctx context.Context, docs []Document) (Index, error) {
		x, err := engine(ctx, docs)
		if err != nil {
			return nil, err
		}
		g := &grouped{Index: x, votes: votes, group: make(map[string]string, len(docs))}
		for _, d := range docs {
			g.group[d.ID] = d.answer()
		}
		return g, nil
	}
}

type grouped struct {
	Index

	votes int
	group map[string]string // by document
}

// Rank ranks groups.
func (g *grouped) Rank(ctx context.Context, q Document, n int) ([]Hit, error) {
	found, err := g.Index.Rank(ctx, q, g.votes)
	if err != nil {
		return nil, err
	}
	var hits []Hit
	place := make(map[string]int, len(found))
	for _, h := range found {
		id := g.group[h.ID]
		at, ok := place[id]
		if !ok {
			at = len(hits)
			place[id] = at
			hits = append(hits, Hit{ID: id, Why: h.Why}) // of its best document
		}
		hits[at].Score += h.Score * h.Score
	}
	SortHits(hits)
	return hits[:min(n, len(hits))], nil
}

// Join makes one long document of each group's documents, in the order of their
// first ones. Its language is that of the first.
func Join(docs []Document) []Document {
	var joined []Document
	var texts [][]string
	place := map[string]int{}
	for _, d := range docs {
		id := d.answer()
		at, ok := place[id]
		if !ok {
			at = len(joined)
			place[id] = at
			joined = append(joined, Document{ID: id, Group: d.Group, Lang: d.Lang, Kind: d.Kind, Country: d.Country, OrgType: d.OrgType})
			texts = append(texts, nil)
		}
		for _, part := range []string{d.Title, d.Text} {
			if part != "" {
				texts[at] = append(texts[at], part)
			}
		}
	}
	for i := range joined {
		joined[i].Text = strings.Join(texts[i], "\n")
	}
	return joined
}
