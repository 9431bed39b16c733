package epoch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/analysis"
	"kobling/internal/epoch"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/testkit"
)

// list is an index by looking at everything.
type list struct {
	mu   sync.Mutex
	docs []epoch.Document
	adds []int
	fail error

	blind bool // finds nothing
}

func (x *list) Add(_ context.Context, docs []epoch.Document) error {
	x.docs, x.adds = append(x.docs, docs...), append(x.adds, len(docs))
	return x.fail
}

func (x *list) Find(_ context.Context, q score.Query) ([]score.Candidate, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found []score.Candidate
	if x.blind {
		return nil, nil
	}
	for _, d := range x.docs {
		if text, top := score.Text(q.Features, d.Side.Features); text >= q.Floor {
			found = append(found, score.Candidate{ID: d.ID, Text: text, Facts: d.Side.Facts, Top: top})
		}
	}
	return found, nil
}

// one is a profile that says words.
func one(id profile.ID, words string) *profile.Profile {
	return &profile.Profile{ID: id, Status: profile.Published, Texts: []profile.Text{{Lang: "en", Title: words, Description: words}}}
}

// many are n profiles that say the same.
func many(kind string, n int, words string) []*profile.Profile {
	all := make([]*profile.Profile, n)
	for i := range all {
		all[i] = one(profile.ID(fmt.Sprintf("%s.org.n%d", kind, i)), words)
	}
	return all
}

const fallSensors = "Fall sensors for elderly people who live at home with dementia, tested with home care nurses in a living lab"

// corpus is what an installation with these profiles holds.
func corpus(profiles ...*profile.Profile) epoch.Corpus {
	return epoch.Corpus{Profiles: values(profiles), Total: len(profiles), Index: &list{}}
}

func values(profiles []*profile.Profile) iter.Seq2[*profile.Profile, error] {
	return func(yield func(*profile.Profile, error) bool) {
		for _, p := range profiles {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// The epoch that was measured is the one that replicas make of the model.
func TestTheModelMakesTheEpochThatWasMeasured(t *testing.T) {
	t.Parallel()
	c := corpus(slices.Concat(many("need", 3, fallSensors), many("offer", 4, fallSensors), many("test_place", 1, "Protein crystallography"))...)
	stages := map[string]int{}
	c.Progress = func(stage string, done, total int) {
		if done > total {
			t.Errorf("%s: %d of %d", stage, done, total)
		}
		stages[stage] = max(stages[stage], done)
	}
	m, e, v, err := epoch.Make(t.Context(), score.Model{}, c)
	if err != nil {
		t.Fatal(err)
	}
	made, err := m.Epoch(1)
	if err != nil || made.Fingerprint() != e.Fingerprint() {
		t.Errorf("the model makes %s, %v, want %s", made.Fingerprint(), err, e.Fingerprint())
	}
	if m.Thresholds != (score.Thresholds{}) {
		t.Errorf("thresholds %+v are kept although the program's own do", m.Thresholds)
	}
	if v.Demands != 3 || v.Supplies != 5 || v.Sample != 3 || v.PerProfile() != 3 {
		t.Errorf("volume %+v, %v of a profile; want 12 pairs of 8 profiles, each counted on both sides", v, v.PerProfile())
	}
	want := []epoch.Bar{{0, 0, 0}, {1, 2, 0}, {3, 5, 3}, {6, 10, 0}, {11, 20, 0}, {21, 50, 0}, {51, 100, 0}, {101, 500, 0}, {501, 0, 0}}
	if d := cmp.Diff(want, v.Histogram()); d != "" {
		t.Error(d)
	}
	if m.About.Total != 8 || m.About.Profiles["en"] != 8 || m.About.Terms == 0 || m.About.Pairs != 3 {
		t.Errorf("about it: %+v", m.About)
	}
	if d := cmp.Diff(map[string]int{"Counting words": 8, "Indexing": 8, "Counting suggestions": 3}, stages); d != "" {
		t.Error(d)
	}
}

// What comes first and what at the same time must not matter.
func TestTheSameProfilesMakeTheSameEpoch(t *testing.T) {
	t.Parallel()
	profiles := slices.Concat(many("need", 2100, "Radar"), many("offer", 1100, fallSensors))
	blind := func() *list { return &list{blind: true} } // to compare all would take long
	first := corpus(profiles...)
	first.Index = blind()
	m, e, v, err := epoch.Make(t.Context(), score.Model{}, first)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(profiles)
	second := corpus(profiles...)
	second.Index = blind()
	m2, e2, v2, err := epoch.Make(t.Context(), score.Model{}, second)
	if err != nil || e.Fingerprint() != e2.Fingerprint() || v.Sample != v2.Sample || m.About.Terms != m2.About.Terms {
		t.Errorf("in reverse order %s of %d demands, %v; want %s of %d", e2.Fingerprint(), v2.Sample, err, e.Fingerprint(), v.Sample)
	}
	if v.Sample != 2000 || v.Demands != 2100 {
		t.Errorf("a sample of %d out of %d demands", v.Sample, v.Demands)
	}
	if x, ok := first.Index.(*list); !ok || !slices.Equal(x.adds, []int{500, 500, 100}) {
		t.Errorf("supplies came in batches of %v", x.adds)
	}
}

// fixed finds for every demand as many supplies as it is long, with these text
// parts, whatever they say.
type fixed []uint32

func (fixed) Add(context.Context, []epoch.Document) error { return nil }

func (x fixed) Find(context.Context, score.Query) ([]score.Candidate, error) {
	var found []score.Candidate
	for _, text := range x {
		found = append(found, score.Candidate{ID: "offer.a.b", Text: text, Facts: score.Facts{Kind: profile.Offer}})
	}
	return found, nil
}

func TestThePossibleBeginsHigherWhenThereIsTooMuchOfIt(t *testing.T) {
	t.Parallel()
	own := score.DefaultThresholds()
	weak, strong := uint32(score.TextMax/10), uint32(score.TextMax)
	for name, c := range map[string]struct {
		found fixed
		want  float64
		raise bool
	}{
		"few":              {slices.Repeat(fixed{weak}, 20), 20, false},
		"many weak":        {append(slices.Repeat(fixed{weak}, 21), strong), 1, true},
		"many strong":      {slices.Repeat(fixed{strong}, 30), 30, true},
		"many, few strong": {append(slices.Repeat(fixed{weak}, 400), strong, strong), 2, true},
	} {
		profiles := corpus(slices.Concat(many("need", 3, "Radar"), many("offer", 3, "Radar"))...)
		profiles.Index = c.found
		m, e, v, err := epoch.Make(t.Context(), score.Model{}, profiles)
		if err != nil || v.PerProfile() != c.want || m.About.Pairs != c.want {
			t.Errorf("%s: %v of a profile, %v, want %v", name, v.PerProfile(), err, c.want)
		}
		if (v.Thresholds.Possible > own.Possible) != c.raise || v.Thresholds.Possible > own.Strong || v.Thresholds.Strong != own.Strong || v.Thresholds.Floor != own.Floor {
			t.Errorf("%s: thresholds %+v, raised %t", name, v.Thresholds, c.raise)
		}
		if e.Thresholds() != v.Thresholds || c.raise != (m.Thresholds == v.Thresholds) {
			t.Errorf("%s: the model has %+v, the epoch %+v, measured were %+v", name, m.Thresholds, e.Thresholds(), v.Thresholds)
		}
	}
}

func TestNoEpochIsMadeThatNobodyCanRead(t *testing.T) {
	t.Parallel()
	var profiles []*profile.Profile
	for topic, words := range []string{ // what all say would be worth nothing
		fallSensors,
		"Antibodies against malaria parasites, purified from mice and characterised by mass spectrometry and crystallography",
		"Exoskeletons that help warehouse workers lift heavy boxes, designed with physiotherapists and measured in a gait laboratory",
		"Speech recognition that transcribes consultations in Swedish hospitals and writes discharge letters for doctors to sign",
	} {
		for i := range 60 {
			profiles = append(profiles, one(profile.ID(fmt.Sprintf("need.org.t%d-%d", topic, i)), words), one(profile.ID(fmt.Sprintf("offer.org.t%d-%d", topic, i)), words))
		}
	}
	_, _, v, err := epoch.Make(t.Context(), score.Model{}, corpus(profiles...))
	if !errors.Is(err, epoch.ErrTooMany) || !strings.Contains(err.Error(), "60 of a profile on average") {
		t.Errorf("60 strong suggestions of each: %v", err)
	}
	if v.PerProfile() != 60 || v.Thresholds.Possible != v.Thresholds.Strong {
		t.Errorf("measured were %v with %+v", v.PerProfile(), v.Thresholds)
	}
}

// Facts forbid pairs here as they do when they are stored.
func TestForbiddenPairsAreNotCounted(t *testing.T) {
	t.Parallel()
	profiles := slices.Concat(many("need", 2, fallSensors), many("offer", 2, fallSensors))
	profiles[0].SeeksOrganisations = []profile.OrganisationType{profile.SME}
	for _, p := range profiles[2:] {
		p.Organisation.Type = profile.University
	}
	_, _, v, err := epoch.Make(t.Context(), score.Model{}, corpus(profiles...))
	if err != nil || v.PerProfile() != 1 || v.Histogram()[0].Demands != 1 {
		t.Errorf("%v of a profile, %v, %v; want the two pairs of one need only", v.PerProfile(), v.Histogram(), err)
	}
}

func TestAnEmptyInstallationHasAnEpochToo(t *testing.T) {
	t.Parallel()
	m, e, v, err := epoch.Make(t.Context(), score.Model{}, corpus())
	plain, perr := score.DefaultEpoch(1)
	if err != nil || perr != nil || m.Background != nil || e.Fingerprint() != plain.Fingerprint() || v.PerProfile() != 0 {
		t.Errorf("%+v, %v, %v, %v", m, v.PerProfile(), err, perr)
	}
}

func TestWhatCannotBeReadIsTold(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	broken := corpus()
	broken.Profiles = func(yield func(*profile.Profile, error) bool) {
		_ = yield(one("need.a.b", "Radar"), nil) && yield(nil, down)
	}
	full := corpus(many("offer", 3, fallSensors)...)
	full.Index = &list{fail: down}
	for name, c := range map[string]epoch.Corpus{"profiles": broken, "index": full} {
		if _, _, _, err := epoch.Make(t.Context(), score.Model{}, c); !errors.Is(err, down) {
			t.Errorf("%s: %v, want %v", name, err, down)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(down)
	if _, _, _, err := epoch.Make(ctx, score.Model{}, corpus(many("offer", 3, fallSensors)...)); !errors.Is(err, down) && !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestTheBackgroundIsPruned(t *testing.T) {
	t.Parallel()
	a := testkit.Analyzer(t, "[a]\nen: fallradar\n")
	b, err := epoch.Background(t.Context(), a, func(yield func([]profile.Text, error) bool) {
		_ = yield([]profile.Text{{Lang: "en", Title: "zorgbreed"}}, nil) && yield([]profile.Text{{Lang: "en", Title: "zorgbreed quindleaf"}}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	whole := analysis.NewBackground()
	for range 2 {
		whole.Add(a.Features([]profile.Text{{Lang: "en", Title: "zorgbreed"}}))
	}
	if b.Profiles() != 2 || b.Terms() != whole.Terms() {
		t.Errorf("%d profiles, %d terms, want %d", b.Profiles(), b.Terms(), whole.Terms())
	}
}
