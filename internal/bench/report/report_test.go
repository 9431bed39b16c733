package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTheContractIsKept: programs read these names; others may be added.
func TestTheContractIsKept(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(Report{Growth: []Growth{{}}})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for path, names := range map[string][]string{
		"":                     {"ratios", "latency_ms", "memory_mb", "events_per_s", "growth", "machine"},
		"ratios":               {"whole_way_vs_postgres", "whole_way_vs_bleve_search", "query_vs_bleve_search", "query_vs_memory"},
		"latency_ms":           {"idle", "half_load"},
		"latency_ms idle":      {"p50", "p99"},
		"latency_ms half_load": {"p50", "p99"},
		"growth 0":             {"profiles", "cpu_us_per_event"},
	} {
		at := any(got)
		for name := range strings.FieldsSeq(path) {
			switch v := at.(type) {
			case map[string]any:
				at = v[name]
			case []any:
				at = v[0]
			}
		}
		object, _ := at.(map[string]any)
		for _, name := range names {
			if _, ok := object[name]; !ok {
				t.Errorf("%q has no %q: %v", path, name, slices.Sorted(maps.Keys(object)))
			}
		}
	}
}

func TestAboveOneMeansFaster(t *testing.T) {
	t.Parallel()
	r := Report{
		WholeWay: []WholeWay{{Engine: Kobling, EventsPerS: 400}, {Engine: InMemory, EventsPerS: 800}, {Engine: Bleve, EventsPerS: 100}, {Engine: Postgres, EventsPerS: 3}},
		Queries:  []Query{{Engine: Kobling, CPU: 250}, {Engine: InMemory, CPU: 50}, {Engine: Bleve, CPU: 1000}},
	}
	r.Compare()
	want := Ratios{WholeWayVsPostgres: 133.3, WholeWayVsBleveSearch: 4, WholeWayVsMemory: .5, QueryVsBleveSearch: 4, QueryVsMemory: .2}
	if diff := cmp.Diff(want, r.Ratios); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	r = Report{WholeWay: []WholeWay{{Engine: Kobling, EventsPerS: 400}}}
	if r.Compare(); r.Ratios != (Ratios{}) {
		t.Errorf("ratios to nothing: %+v", r.Ratios)
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i)*time.Millisecond)
	}
	got := NewPercentiles(hundred, 12.34)
	if want := (Percentiles{P50: 50, P99: 99, Events: 100, PerSecond: 12.3}); got != want {
		t.Errorf("of 1 to 100 ms: %+v, want %+v", got, want)
	}
	if one := NewPercentiles(hundred[:1], 0); one.P50 != 100 || one.P99 != 100 {
		t.Errorf("of one: %+v", one)
	}
	if none := NewPercentiles(nil, 0); none != (Percentiles{}) {
		t.Errorf("of none: %+v", none)
	}
	s := NewStage("s", "things", hundred, 5050)
	if s.PerSecond != 1000 || s.P50 != 50_000 || s.Calls != 100 {
		t.Errorf("stage: %+v", s)
	}
}

func TestRatiosHaveFourDigits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ a, b, want float64 }{
		{1, 3, .3333}, {1, 300, .003333}, {12345, 1, 12345}, {2, 1.5, 1.333}, {1, 0, 0}, {0, 1, 0},
	} {
		if got := ratio(tt.a, tt.b); got != tt.want {
			t.Errorf("%v/%v = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestTheDrawingShowsRatiosAndGrowth(t *testing.T) {
	t.Parallel()
	r := Report{
		Profiles: 100_000, EventsPerS: 812, Machine: Machine{CPU: "A & B <fast>", Cores: 2},
		Ratios: Ratios{WholeWayVsPostgres: 41.5, WholeWayVsBleveSearch: 3.2, WholeWayVsMemory: .4, QueryVsBleveSearch: 5.1, QueryVsMemory: .0123},
		Growth: []Growth{{Profiles: 10_000, CPU: 1500, MatcherCPU: 1000, DatabaseCPU: 500}, {Profiles: 100_000, CPU: 2500, MatcherCPU: 1900, DatabaseCPU: 600}},
	}
	for name, r := range map[string]Report{"full": r, "one size": {Ratios: r.Ratios, Growth: r.Growth[:1]}, "empty": {}} {
		var b bytes.Buffer
		if err := r.WriteSVG(&b); err != nil {
			t.Fatal(err)
		}
		drawing := b.String()
		for d := xml.NewDecoder(&b); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v in %s", name, err, drawing)
			}
		}
		if strings.Contains(drawing, "NaN") || strings.Contains(drawing, "Inf") {
			t.Errorf("%s: a place is no number: %s", name, drawing)
		}
		if name != "full" {
			continue
		}
		for _, want := range []string{"41.5×", "0.0123×", "100,000", "A &amp; B &lt;fast&gt;", "2 cores", "<polyline"} {
			if !strings.Contains(drawing, want) {
				t.Errorf("%q is not drawn", want)
			}
		}
	}
}
