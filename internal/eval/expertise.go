package eval

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"kobling/internal/fault"
)

// Rating is how much an expert says to know about a paper.
type Rating struct {
	Expert, Paper string
	Value         float64
}

// ReadRatings reads three columns with a header line: expert, paper, rating.
func ReadRatings(name string) ([]Rating, error) {
	var ratings []Rating
	err := readColumns(name, "expert, paper and rating", func(f []string) error {
		value, err := strconv.ParseFloat(f[2], 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("rating %q is no number: %w", f[2], fault.ErrInvalid)
		}
		ratings = append(ratings, Rating{f[0], f[1], value})
		return nil
	})
	return ratings, err
}

// PairOrder is how well papers are put in the order of their ratings. Pairs are
// two papers that one expert rates differently.
type PairOrder struct {
	Experts int `json:"experts"`
	Pairs   int `json:"pairs"`
	// Right is the share of pairs whose better rated paper has the higher score; a
	// tie is half right.
	Right float64 `json:"right"`
	// WeightedLoss is what the rating differences of wrong pairs are of those of
	// all.
	WeightedLoss float64 `json:"weighted_loss"`
}

// best is how many of an expert's papers speak for her. Of the papers that experts
// rated, the three best put .668 of the pairs right, on average over the four
// engines; the best alone .656, all of them or the five best .665, one long profile
// of all .664. The differences are small, but three also cost the least.
const best = 3

// Expertise takes each rated paper as a need and each expert's own papers, whose
// group she is, as offers; her score is the sum of her [best] best papers. done is
// called once a paper.
func Expertise(ctx context.Context, engine Engine, profiles, papers []Document, ratings []Rating, done func()) (PairOrder, error) {
	own := slices.Clone(profiles)
	for i := range own {
		own[i].ID = strconv.Itoa(i) // two experts may have written one paper
	}
	x, err := engine(ctx, own)
	if err != nil {
		return PairOrder{}, err
	}
	defer func() { _ = x.Close() }() // it is thrown away
	rated := make(map[string]bool, len(ratings))
	for _, r := range ratings {
		rated[r.Paper] = true
	}
	papers = slices.DeleteFunc(slices.Clone(papers), func(d Document) bool { return !rated[d.ID] })
	answers, err := ask(ctx, x, papers, len(own), done)
	if err != nil {
		return PairOrder{}, err
	}
	scores := make(map[string]map[string]float64, len(papers)) // by paper and expert
	for i, p := range papers {
		sum, count := map[string]float64{}, map[string]int{}
		for _, h := range answers[i] {
			n, err := strconv.Atoi(h.ID)
			if err != nil {
				return PairOrder{}, err
			}
			expert := own[n].answer()
			if count[expert]++; count[expert] <= best {
				sum[expert] += h.Score
			}
		}
		scores[p.ID] = sum
	}
	return order(ratings, scores)
}

// order compares the scores of papers, by paper and expert, with the ratings. A
// paper that is not there counts for nothing.
func order(ratings []Rating, scores map[string]map[string]float64) (PairOrder, error) {
	byExpert := map[string][]Rating{}
	for _, r := range ratings {
		if scores[r.Paper] != nil {
			byExpert[r.Expert] = append(byExpert[r.Expert], r)
		}
	}
	var o PairOrder
	var right, lost, total float64
	for _, expert := range slices.Sorted(maps.Keys(byExpert)) { // sums of floats depend on the order
		list := byExpert[expert]
		o.Experts++
		for i, x := range list {
			for _, y := range list[:i] {
				if x.Value == y.Value {
					continue
				}
				o.Pairs++
				difference := math.Abs(x.Value - y.Value)
				total += difference
				switch cmp.Compare(x.Value, y.Value) * cmp.Compare(scores[x.Paper][expert], scores[y.Paper][expert]) {
				case 1:
					right++
				case 0:
					right += .5
					lost += difference / 2
				default:
					lost += difference
				}
			}
		}
	}
	if o.Pairs == 0 {
		return o, fmt.Errorf("no expert rates two papers differently: %w", fault.ErrInvalid)
	}
	o.Right, o.WeightedLoss = right/float64(o.Pairs), lost/total
	return o, nil
}
