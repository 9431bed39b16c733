// Package report is what "kobling bench" says: its figures with their names in JSON,
// the ratios, and the drawing.
package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// The engines, as the report names them.
const (
	Kobling  = "kobling"
	InMemory = "memory"
	Bleve    = "bleve"
	Postgres = "postgres"
)

// Report is what was measured. The fields that the contract of "kobling bench --json"
// names come first; others may be added.
type Report struct {
	Ratios     Ratios   `json:"ratios"`
	Latency    Latency  `json:"latency_ms"`
	MemoryMB   float64  `json:"memory_mb"`    // anonymous, at its highest, of the matcher; 10^6 bytes
	EventsPerS float64  `json:"events_per_s"` // of the whole way
	Growth     []Growth `json:"growth"`
	Machine    Machine  `json:"machine"`

	Profiles     int              `json:"profiles"`
	Corpus       string           `json:"corpus"` // synthetic, or text
	Seed         uint64           `json:"seed"`
	RowsPerEvent float64          `json:"rows_per_event"` // suggestions stored, of kobling and of each peer
	Memory       Memory           `json:"memory"`
	WholeWay     []WholeWay       `json:"whole_way"`
	Queries      []Query          `json:"queries"`
	Stages       []Stage          `json:"stages"`
	DiskBytes    map[string]int64 `json:"disk_bytes"` // by who keeps them
	Exact        Exact            `json:"exact"`
	Notes        []string         `json:"notes,omitempty"` // what limits the figures
	Phases       []Phase          `json:"phases"`          // what the time went to
	Seconds      float64          `json:"seconds"`         // that the measurement took
}

// Phase is a part of the measurement.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Ratios compare kobling with the peers; above 1 it is faster.
type Ratios struct {
	WholeWayVsPostgres    float64 `json:"whole_way_vs_postgres"`     // events per second
	WholeWayVsBleveSearch float64 `json:"whole_way_vs_bleve_search"` // likewise
	WholeWayVsMemory      float64 `json:"whole_way_vs_memory"`       // likewise
	QueryVsBleveSearch    float64 `json:"query_vs_bleve_search"`     // CPU time
	QueryVsMemory         float64 `json:"query_vs_memory"`           // likewise
}

// Latency is from publishing to commit, in milliseconds.
type Latency struct {
	Idle     Percentiles `json:"idle"`
	HalfLoad Percentiles `json:"half_load"`
}

// Percentiles are of a sample, in milliseconds.
type Percentiles struct {
	P50       float64 `json:"p50"`
	P99       float64 `json:"p99"`
	Events    int     `json:"events"`
	PerSecond float64 `json:"per_second,omitempty"` // at which rate they were published
	CPU       float64 `json:"cpu_us_per_event"`     // of the matcher and the database
}

// Growth is what an event costs when so many profiles are there.
type Growth struct {
	Profiles     int     `json:"profiles"`
	CPU          float64 `json:"cpu_us_per_event"` // of the matcher and the database
	MatcherCPU   float64 `json:"matcher_cpu_us_per_event"`
	DatabaseCPU  float64 `json:"database_cpu_us_per_event"`
	EventsPerS   float64 `json:"events_per_s"`
	RowsPerEvent float64 `json:"rows_per_event"`
}

// Memory is the matcher's, in 10^6 bytes.
type Memory struct {
	AnonymousMB float64 `json:"anonymous_mb"` // at its highest
	MappedMB    float64 `json:"mapped_mb"`    // pages of files, at their highest: the index, and the program
	PeakMB      float64 `json:"peak_mb"`      // both together, at their highest
}

// WholeWay is how fast an engine went the whole way.
type WholeWay struct {
	Engine       string  `json:"engine"`
	EventsPerS   float64 `json:"events_per_s"`
	CPU          float64 `json:"cpu_us_per_event"` // with the database's; a peer's with the stream's, too
	Events       int     `json:"events"`
	RowsPerEvent float64 `json:"rows_per_event"`
}

// Query is what a query costs an engine.
type Query struct {
	Engine   string  `json:"engine"`
	CPU      float64 `json:"cpu_us"`
	P50      float64 `json:"p50_us"` // of the time that it takes
	P99      float64 `json:"p99_us"`
	Queries  int     `json:"queries"`
	Segments int     `json:"segments,omitempty"`
}

// Stage is a part of the way alone, by one goroutine.
type Stage struct {
	Name      string  `json:"name"`
	Of        string  `json:"of"` // what is counted: profiles, queries, pairs, …
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_us"` // of one call
	P99       float64 `json:"p99_us"`
	Calls     int     `json:"calls"`
}

// Exact is the comparison with brute force over all profiles.
type Exact struct {
	Queries int `json:"queries"`
	Pairs   int `json:"pairs"`   // that brute force finds
	Missing int `json:"missing"` // of them, not found
	Extra   int `json:"extra"`   // found, but no pairs
	Differ  int `json:"differ"`  // found with another score
}

// Machine is what it was measured on.
type Machine struct {
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	MemoryMB int64  `json:"memory_mb"`
	Kernel   string `json:"kernel"`
	Go       string `json:"go"`
	Postgres string `json:"postgres"`
	Bleve    string `json:"bleve"`
	NATS     string `json:"nats"`
	Kobling  string `json:"kobling"`
}

// percentile returns the share p (0 to 1) of sorted: the least value that so many
// are not above. It is 0 of nothing.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	at := int(math.Ceil(p*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

// Micros is d in microseconds, to two digits behind the point.
func Micros(d time.Duration) float64 { return Round(float64(d)/float64(time.Microsecond), 2) }

func millis(d time.Duration) float64 { return Round(float64(d)/float64(time.Millisecond), 3) }

// Round rounds v to so many digits behind the point.
func Round(v float64, digits int) float64 {
	unit := math.Pow10(digits)
	return math.Round(v*unit) / unit
}

// ratio is a/b to four significant digits; 0 if there is nothing to compare.
func ratio(a, b float64) float64 {
	if a <= 0 || b <= 0 {
		return 0
	}
	r := a / b
	return Round(r, max(3-int(math.Floor(math.Log10(r))), 0))
}

// NewStage sums up the durations of calls that handled so many items together.
func NewStage(name, of string, calls []time.Duration, items int) Stage {
	sorted := slices.SortedFunc(slices.Values(calls), cmp.Compare[time.Duration])
	var total time.Duration
	for _, d := range calls {
		total += d
	}
	s := Stage{Name: name, Of: of, Calls: len(calls), P50: Micros(percentile(sorted, .5)), P99: Micros(percentile(sorted, .99))}
	if total > 0 {
		s.PerSecond = Round(float64(items)/total.Seconds(), 1)
	}
	return s
}

// NewPercentiles sums up delays of events that were published at a rate; 0: at none.
func NewPercentiles(delays []time.Duration, perSecond float64) Percentiles {
	sorted := slices.SortedFunc(slices.Values(delays), cmp.Compare[time.Duration])
	return Percentiles{
		P50: millis(percentile(sorted, .5)), P99: millis(percentile(sorted, .99)),
		Events: len(delays), PerSecond: Round(perSecond, 1),
	}
}

// NewQuery sums up the calls of an engine that used so much CPU time together.
func NewQuery(engine string, calls []time.Duration, cpu time.Duration, segments int) Query {
	q := Query{Engine: engine, Queries: len(calls), Segments: segments}
	if len(calls) == 0 {
		return q
	}
	sorted := slices.SortedFunc(slices.Values(calls), cmp.Compare[time.Duration])
	q.CPU = Micros(cpu / time.Duration(len(calls)))
	q.P50, q.P99 = Micros(percentile(sorted, .5)), Micros(percentile(sorted, .99))
	return q
}

// Note adds what limits the figures.
func (r *Report) Note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// engine returns the entry of an engine among those that went the whole way.
func (r *Report) engine(name string) WholeWay {
	for _, w := range r.WholeWay {
		if w.Engine == name {
			return w
		}
	}
	return WholeWay{}
}

// query returns the entry of an engine among those that were asked.
func (r *Report) query(name string) Query {
	for _, q := range r.Queries {
		if q.Engine == name {
			return q
		}
	}
	return Query{}
}

// Compare fills in the ratios.
func (r *Report) Compare() {
	own := r.engine(Kobling).EventsPerS
	r.Ratios = Ratios{
		WholeWayVsPostgres:    ratio(own, r.engine(Postgres).EventsPerS),
		WholeWayVsBleveSearch: ratio(own, r.engine(Bleve).EventsPerS),
		WholeWayVsMemory:      ratio(own, r.engine(InMemory).EventsPerS),
		QueryVsBleveSearch:    ratio(r.query(Bleve).CPU, r.query(Kobling).CPU),
		QueryVsMemory:         ratio(r.query(InMemory).CPU, r.query(Kobling).CPU),
	}
}
