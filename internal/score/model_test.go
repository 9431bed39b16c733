package score_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/analysis"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/translate"
)

// plain is the epoch of the program alone.
var plain = sync.OnceValues(func() (*score.Epoch, error) { return score.DefaultEpoch(1) })

func plainEpoch(tb testing.TB) *score.Epoch {
	tb.Helper()
	e, err := plain()
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// someModel is a model with something in each of its parts.
func someModel(tb testing.TB) score.Model {
	tb.Helper()
	a := plainEpoch(tb).Analyzer()
	entry := translate.Entry{Terms: []translate.Term{{Lang: "fi", Text: "kveltokka"}, {Lang: "en", Text: "thrumbler"}}}
	tables, err := translate.Learn(context.Background(), slices.Values([]translate.Entry{entry}), a.Keys, nil)
	if err != nil {
		tb.Fatal(err)
	}
	b := analysis.NewBackground()
	for range 3 {
		b.Add(a.Features([]profile.Text{{Lang: "en", Title: "Fall sensor at home"}}))
	}
	b.Prune()
	th := score.DefaultThresholds()
	th.Possible += 500
	return score.Model{
		Tables: tables, Background: b, Thresholds: th,
		About: score.About{
			Program: "v1", Made: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), Tables: tables.Version(),
			Packs: []score.Pack{{Name: "mine", SHA256: "00ff", Licence: "CC0"}}, Profiles: b.ByLanguage(), Total: 3, Terms: b.Terms(),
		},
	}
}

func fileOf(tb testing.TB, m score.Model) []byte {
	tb.Helper()
	var file bytes.Buffer
	if err := m.Write(&file); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

func fingerprint(tb testing.TB, m score.Model) string {
	tb.Helper()
	e, err := m.Epoch(1)
	if err != nil {
		tb.Fatal(err)
	}
	return e.Fingerprint()
}

// All replicas read the model that one of them wrote: they must come to the same
// epoch.
func TestAModelThatIsReadMakesTheSameEpoch(t *testing.T) {
	t.Parallel()
	whole := someModel(t)
	seen := map[string]string{}
	for name, m := range map[string]score.Model{
		"the program alone": {},
		"tables":            {Tables: whole.Tables},
		"background":        {Background: whole.Background},
		"thresholds":        {Thresholds: whole.Thresholds},
		"everything":        whole,
	} {
		file := fileOf(t, m)
		back, err := score.ReadModel(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(file, fileOf(t, back)) {
			t.Errorf("%s: the same model gives another file", name)
		}
		if d := cmp.Diff(m.About, back.About); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		made := fingerprint(t, m)
		if got := fingerprint(t, back); got != made {
			t.Errorf("%s: %s came back as %s", name, made, got)
		}
		if other, ok := seen[made]; ok {
			t.Errorf("%s and %s make one epoch", name, other)
		}
		seen[made] = name
	}
	if seen[plainEpoch(t).Fingerprint()] != "the program alone" {
		t.Errorf("the default epoch %s is not that of the empty model", plainEpoch(t).Fingerprint())
	}
}

func TestDamagedModelsAreRefused(t *testing.T) {
	t.Parallel()
	m := someModel(t)
	file := fileOf(t, m)
	part := func(parts ...string) []byte {
		b := []byte("kobling model 1\n")
		for _, p := range parts {
			b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
		}
		return b
	}
	for name, damaged := range map[string][]byte{
		"empty":       nil,
		"foreign":     []byte("something else altogether"),
		"later":       slices.Concat([]byte("kobling model 2\n"), file[16:]),
		"cut":         file[:len(file)-1],
		"longer":      append(slices.Clone(file), 0),
		"no note":     part("{", "", ""),
		"thresholds":  part(`{"thresholds": {"floor": 0, "possible": 1, "strong": 2}}`, "", ""),
		"upside down": part(`{"thresholds": {"floor": 9, "possible": 7000, "strong": 6000}}`, "", ""),
		"tables":      part("{}", "tables", ""),
		"background":  part("{}", "", "background"),
		"huge part":   append(part("{}"), binary.AppendUvarint(nil, 1<<60)...),
	} {
		if _, err := score.ReadModel(bytes.NewReader(damaged)); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: %v, want it invalid", name, err)
		}
	}
	if _, err := score.ReadModel(bytes.NewReader(part("{}", "", ""))); err != nil {
		t.Errorf("the least model there is: %v", err)
	}
}

func TestTheMakerIsTheProgramAndNotTheModel(t *testing.T) {
	t.Parallel()
	maker := plainEpoch(t).Maker()
	e, err := someModel(t).Epoch(4)
	if err != nil {
		t.Fatal(err)
	}
	if e.Maker() != maker || strings.Contains(maker, "tables") {
		t.Errorf("one program is %s and %s", maker, e.Maker())
	}
	if other := score.NewEpoch(1, plainEpoch(t).Analyzer(), score.Thresholds{Floor: 1, Possible: 2, Strong: 3}).Maker(); other != maker {
		t.Errorf("with other thresholds in its model the program is %s, not %s", other, maker)
	}
}

// What was before is remembered, so that it does not come back by itself.
func TestMakersOfEarlierEpochsAreRemembered(t *testing.T) {
	t.Parallel()
	e := plainEpoch(t)
	for name, c := range map[string]struct {
		maker        string
		before, want []string
	}{
		"the first":      {},
		"the same again": {maker: e.Maker(), before: []string{"old"}, want: []string{"old"}},
		"an upgrade":     {maker: "b", before: []string{"a"}, want: []string{"a", "b"}},
		"a way back":     {maker: "b", before: []string{"a", e.Maker()}, want: []string{"a", "b"}},
		"to and fro":     {maker: "b", before: []string{"b", "a"}, want: []string{"a", "b"}},
	} {
		got := score.About{Maker: c.maker, Before: c.before}.By("v2", e)
		if !slices.Equal(got.Before, c.want) || got.Maker != e.Maker() || got.Program != "v2" || got.Thresholds != e.Thresholds() {
			t.Errorf("%s: %+v, want before %v", name, got, c.want)
		}
	}
	long := score.About{Maker: "new", Before: make([]string, 300)}.By("", e)
	if n := len(long.Before); n > 100 || long.Before[n-1] != "new" {
		t.Errorf("%d makers are remembered, the last is %q", n, long.Before[n-1])
	}
}

// FuzzReadModel reads what may stand in the database.
func FuzzReadModel(f *testing.F) {
	m := someModel(f)
	f.Add(fileOf(f, m))
	f.Add(fileOf(f, score.Model{Thresholds: m.Thresholds, About: m.About}))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := score.ReadModel(bytes.NewReader(file))
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("ReadModel = %v, want it invalid", err)
			}
			return
		}
		if _, err := score.ReadModel(bytes.NewReader(fileOf(t, m))); err != nil {
			t.Errorf("what was read cannot be read again: %v", err)
		}
	})
}
