package epoch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"kobling/internal/profile"
	"kobling/internal/score"
)

// sampleSize is of how many demands the suggestions are counted.
const sampleSize = 2000

// batchSize is how many supplies the index is given at a time.
const batchSize = 500

// Document is a profile as an index takes it.
type Document struct {
	ID   profile.ID
	Side score.Side
}

// Index finds supplies for demands. internal/app makes one of internal/index.
type Index interface {
	// Add adds profiles that are not there yet; they are found when it returns.
	Add(ctx context.Context, docs []Document) error
	// Find returns every profile that answers q.
	Find(ctx context.Context, q score.Query) ([]score.Candidate, error)
}

// Volume is how many suggestions profiles have, counted for a sample of the
// demands: always the same one of the same profiles.
type Volume struct {
	Demands    int              `json:"demands"`
	Supplies   int              `json:"supplies"`
	Sample     int              `json:"sample"` // of the demands
	Thresholds score.Thresholds `json:"thresholds"`

	points [][]uint16 // by demand of the sample, the ten-thousandths of its pairs
}

// Bar says how many demands of the sample have a number of suggestions from Least
// to Most; Most is 0 if there is no upper bound.
type Bar struct {
	Least   int `json:"least"`
	Most    int `json:"most,omitempty"`
	Demands int `json:"demands"`
}

// bounds are the upper bounds of the bars.
var bounds = []int{0, 2, 5, 10, 20, 50, 100, 500}

// Histogram sorts the demands of the sample by their suggestions.
func (v *Volume) Histogram() []Bar {
	var bars []Bar
	least := 0
	for _, b := range bounds {
		bars = append(bars, Bar{Least: least, Most: b})
		least = b + 1
	}
	bars = append(bars, Bar{Least: least})
	for _, pairs := range v.points {
		n := v.above(pairs)
		i, _ := slices.BinarySearch(bounds, n)
		bars[i].Demands++
	}
	return bars
}

// PerProfile is how many suggestions a profile has on average over both sides:
// each pair is one of its demand and one of its supply.
func (v *Volume) PerProfile() float64 {
	if v.Sample == 0 {
		return 0
	}
	total := 0
	for _, pairs := range v.points {
		total += v.above(pairs)
	}
	pairs := float64(total) * float64(v.Demands) / float64(v.Sample)
	return math.Round(200*pairs/float64(v.Demands+v.Supplies)) / 100
}

// above counts the pairs that reach the band possible.
func (v *Volume) above(pairs []uint16) int {
	i, _ := slices.BinarySearchFunc(pairs, v.Thresholds.Possible, func(p uint16, least int) int { return cmp.Compare(int(p), least) })
	return len(pairs) - i
}

// raise raises the bound of the band possible until there are few enough
// suggestions, at most to where the band strong begins.
func (v *Volume) raise() {
	for v.PerProfile() > aim && v.Thresholds.Possible < v.Thresholds.Strong {
		v.Thresholds.Possible = min(v.Thresholds.Possible+step, v.Thresholds.Strong)
	}
}

// measure counts the suggestions of c under e.
func measure(ctx context.Context, e *score.Epoch, c *Corpus) (Volume, error) {
	v := Volume{Thresholds: e.Thresholds()}
	sample, err := v.fill(ctx, e, c)
	if err != nil {
		return v, err
	}
	v.Sample = len(sample)
	var mu sync.Mutex
	err = each(ctx, values(sample), func(d chosen) error {
		pairs, err := pairsOf(ctx, e, c.Index, d.Side)
		mu.Lock()
		defer mu.Unlock()
		v.points = append(v.points, pairs)
		c.progress("Counting suggestions", len(v.points), len(sample))
		return err
	})
	return v, err
}

// values yields what a list holds, without errors.
func values[T any](list []T) func(func(T, error) bool) {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// pairsOf returns the ten-thousandths of a demand's suggestions, in order.
func pairsOf(ctx context.Context, e *score.Epoch, x Index, demand score.Side) ([]uint16, error) {
	if len(demand.Features) == 0 {
		return nil, nil
	}
	found, err := x.Find(ctx, score.Query{In: profile.Supply, Features: demand.Features, Floor: e.Floor()})
	if err != nil {
		return nil, err
	}
	var pairs []uint16
	for _, s := range found {
		if r := e.Pair(demand.Facts, s.Facts, s.Text, s.Top); r.Band != "" {
			pairs = append(pairs, uint16(math.Round(r.Score*10000)))
		}
	}
	slices.Sort(pairs)
	return pairs, nil
}

// chosen is a demand that may be in the sample: those of the least hashes are.
type chosen struct {
	Document

	hash uint64
}

// fill puts all supplies into the index and returns a sample of the demands.
func (v *Volume) fill(ctx context.Context, e *score.Epoch, c *Corpus) ([]chosen, error) {
	var mu sync.Mutex
	var batch []Document
	var sample []chosen
	n := 0
	add := func() error {
		docs := batch
		batch = nil
		return c.Index.Add(ctx, docs)
	}
	err := each(ctx, c.Profiles, func(p *profile.Profile) error {
		d := Document{p.ID, e.Side(p)}
		mu.Lock()
		defer mu.Unlock()
		n++
		c.progress("Indexing", n, c.Total)
		if p.ID.Side() == profile.Demand {
			v.Demands++
			sum := sha256.Sum256([]byte(p.ID))
			sample = append(sample, chosen{d, binary.BigEndian.Uint64(sum[:])})
			if len(sample) == 2*sampleSize {
				sample = least(sample)
			}
			return nil
		}
		v.Supplies++
		if batch = append(batch, d); len(batch) == batchSize {
			return add()
		}
		return nil
	})
	if err == nil && len(batch) > 0 {
		err = add()
	}
	return least(sample), err
}

// least keeps the demands of the least hashes.
func least(sample []chosen) []chosen {
	slices.SortFunc(sample, func(a, b chosen) int { return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.ID, b.ID)) })
	return sample[:min(len(sample), sampleSize)]
}
