package eval

import (
	"context"

	"kobling/internal/analysis"
	epochs "kobling/internal/epoch"
	"kobling/internal/profile"
	"kobling/internal/score"
)

// Epoch returns an epoch whose background are documents, as an installation that
// holds them would have it.
func Epoch(a *analysis.Analyzer, docs []Document) (*score.Epoch, error) {
	b, err := epochs.Background(context.Background(), a, func(yield func([]profile.Text, error) bool) {
		for i := range docs {
			if !yield(docs[i].profile(profile.Supply, i).Texts, nil) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	weighed, err := a.With(analysis.WithBackground(b))
	if err != nil {
		return nil, err
	}
	return score.NewEpoch(1, weighed, score.DefaultThresholds()), nil
}
