package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// The drawing, in pixels.
const (
	chartWidth  = 760
	chartHeight = 620
	plotLeft    = 210
	plotRight   = chartWidth - 90
	barsTop     = 80
	barStep     = 34
	linesTop    = 320
	linesBottom = 540
)

// WriteSVG draws the ratios as bars, on a logarithmic scale with 1 marked, and what an
// event costs over the size of the corpus as a line.
func (r *Report) WriteSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" fill="#222">`+"\n",
		chartWidth, chartHeight, chartWidth, chartHeight)
	fmt.Fprintf(&b, `<title>kobling bench, %d profiles</title>`+"\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", r.Profiles)
	text(&b, 20, 32, "start", 18, fmt.Sprintf("kobling bench: %s profiles, %.0f events/s, %.1f suggestions an event", thousands(r.Profiles), r.EventsPerS, r.RowsPerEvent))
	text(&b, 20, 54, "start", 12, fmt.Sprintf("%s, %d cores; PostgreSQL %s, bleve %s", r.Machine.CPU, r.Machine.Cores, r.Machine.Postgres, r.Machine.Bleve))
	r.drawRatios(&b)
	r.drawGrowth(&b)
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// drawRatios draws a bar for each ratio, from 1 to it.
func (r *Report) drawRatios(b *strings.Builder) {
	bars := []struct {
		name  string
		value float64
	}{
		{"whole way vs PostgreSQL", r.Ratios.WholeWayVsPostgres},
		{"whole way vs bleve Search", r.Ratios.WholeWayVsBleveSearch},
		{"whole way vs memory", r.Ratios.WholeWayVsMemory},
		{"query vs bleve Search", r.Ratios.QueryVsBleveSearch},
		{"query vs memory", r.Ratios.QueryVsMemory},
	}
	low, high := -1.0, 1.0 // powers of ten
	for _, bar := range bars {
		if bar.value > 0 {
			low, high = min(low, math.Floor(math.Log10(bar.value))), max(high, math.Ceil(math.Log10(bar.value)))
		}
	}
	x := func(v float64) float64 { return plotLeft + (math.Log10(v)-low)/(high-low)*(plotRight-plotLeft) }
	bottom := barsTop + float64(barStep*len(bars))
	for p := low; p <= high; p++ {
		v := math.Pow(10, p)
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x(v), barsTop, x(v), bottom, map[bool]string{true: "#222", false: "#ddd"}[p == 0])
		text(b, x(v), bottom+18, "middle", 12, fmt.Sprintf("%g×", v))
	}
	for i, bar := range bars {
		y := barsTop + float64(barStep*i)
		text(b, plotLeft-10, y+21, "end", 13, bar.name)
		if bar.value <= 0 {
			continue
		}
		from, to := min(x(1), x(bar.value)), max(x(1), x(bar.value))
		colour := "#2a7f62"
		if bar.value < 1 {
			colour = "#b3592d"
		}
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="20" fill="%s"/>`+"\n", from, y+7, to-from, colour)
		text(b, to+6, y+21, "start", 13, fmt.Sprintf("%.3g×", bar.value))
	}
}

// drawGrowth draws CPU time for an event over profiles; the scale of sizes is
// logarithmic.
func (r *Report) drawGrowth(b *strings.Builder) {
	text(b, 20, linesTop-24, "start", 15, "CPU time for an event, µs, by profiles in the corpus")
	if len(r.Growth) == 0 {
		return
	}
	first, last, top := r.Growth[0].Profiles, r.Growth[len(r.Growth)-1].Profiles, 0.0
	for _, g := range r.Growth {
		top = max(top, g.CPU)
	}
	unit := math.Pow(10, math.Floor(math.Log10(max(top, 1))))
	top = math.Ceil(top/unit) * unit
	x := func(n int) float64 {
		if first == last {
			return (plotLeft + plotRight) / 2
		}
		return plotLeft + math.Log(float64(n)/float64(first))/math.Log(float64(last)/float64(first))*(plotRight-plotLeft)
	}
	y := func(v float64) float64 { return linesBottom - v/top*(linesBottom-linesTop) }
	for i := range 5 {
		v := top * float64(i) / 4
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>`+"\n", plotLeft, y(v), plotRight, y(v))
		text(b, plotLeft-10, y(v)+4, "end", 12, fmt.Sprintf("%.0f", v))
	}
	for _, line := range []struct {
		name, colour string
		of           func(Growth) float64
	}{
		{"all", "#222", func(g Growth) float64 { return g.CPU }},
		{"matcher", "#2a7f62", func(g Growth) float64 { return g.MatcherCPU }},
		{"database", "#2d62b3", func(g Growth) float64 { return g.DatabaseCPU }},
	} {
		var points []string
		for _, g := range r.Growth {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(g.Profiles), y(line.of(g))))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", x(g.Profiles), y(line.of(g)), line.colour)
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), line.colour)
		end := r.Growth[len(r.Growth)-1]
		text(b, x(end.Profiles)+8, y(line.of(end))+4, "start", 12, line.name)
	}
	for _, g := range r.Growth {
		text(b, x(g.Profiles), linesBottom+20, "middle", 12, thousands(g.Profiles))
	}
}

// text writes a line of text at a place.
func text(b *strings.Builder, x, y float64, anchor string, size int, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d">`, x, y, anchor, size)
	_ = xml.EscapeText(b, []byte(s)) // a Builder takes everything
	b.WriteString("</text>\n")
}

// thousands writes n with a comma between every three digits.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
