package pack

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"kobling/internal/fault"
)

// headers are the columns by which a table is known, in the order they have when
// it has no header. The first format whose columns are all there is the one.
var headers = []struct {
	format    string
	columns   []string
	necessary int // so many of columns
}{
	{Comparable, []string{"concept_id", "lang", "label", "titles"}, 4},
	{Concepts, []string{"concept_id", "lang", "label", "type"}, 3},
	{Dictionary, []string{"src_lang", "src", "tgt_lang", "tgt", "pos"}, 4},
	{Parallel, []string{"id", "lang", "text"}, 3},
}

// plainOrder is the order of columns in a file without a header.
var plainOrder = map[string]string{
	Concepts: "concept_id lang type label", Comparable: "concept_id lang label titles",
	Dictionary: "src_lang src tgt_lang tgt pos", Parallel: "id lang text",
}

// layout says where a table's columns are.
type layout struct {
	format string
	at     map[string]int // place of a column by name
	langs  map[int]string // language by column, of a table with a column for each
	least  int            // columns that a line must have
	most   int            // columns that it may have
}

// cell returns the cell of the column called name; "" if there is none.
func (l layout) cell(cells []string, name string) string {
	if i, ok := l.at[name]; ok && i < len(cells) {
		return cells[i]
	}
	return ""
}

// table reads a file of tab-separated lines.
func (s *scan) table(path string) error {
	src, err := s.openSource(path)
	if err != nil {
		return err
	}
	err = s.rows(&lines{r: src.Reader})
	s.info.SHA256, err = src.close(err)
	return err
}

// rows reads the header and what is below it.
func (s *scan) rows(in *lines) error {
	first, err := firstLine(in)
	if err != nil {
		return err
	}
	l, headed, err := s.layout(first)
	if err != nil {
		return err
	}
	s.info.Format = l.format
	t := &table{scan: s, layout: l, places: make(map[string]int)}
	if !headed {
		if err := t.line(in.n, first); err != nil {
			return err
		}
	}
	for {
		text, long, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			return t.finish()
		case err != nil:
			return err
		case long:
			s.report.Lines++
			s.bad(in.n, "a line of more than %d bytes", maxLine)
		case strings.TrimSpace(text) == "":
		default:
			if err := t.line(in.n, text); err != nil {
				return err
			}
		}
	}
}

// firstLine returns the first line that is neither empty nor one of the comments
// before the header.
func firstLine(in *lines) (string, error) {
	for {
		text, long, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			return "", fmt.Errorf("the file is empty: %w", fault.ErrInvalid)
		case err != nil:
			return "", err
		case long:
			return "", fmt.Errorf("the first line has more than %d bytes, so this is no table of text: %w", maxLine, fault.ErrInvalid)
		case strings.TrimSpace(text) != "" && !strings.HasPrefix(text, "#"):
			return text, nil
		}
	}
}

// layout understands the first line, which may be a header.
func (s *scan) layout(first string) (l layout, headed bool, err error) {
	cells := strings.Split(first, "\t")
	names := make(map[string]int, len(cells))
	for i, c := range cells {
		c = strings.ToLower(strings.TrimSpace(c))
		if _, twice := names[c]; !twice {
			names[c] = i
		}
	}
	want := s.options.Format
	if len(s.options.Langs) > 0 {
		if want != "" && want != Parallel {
			return l, false, fmt.Errorf("--langs names the columns of a parallel file, this is read as %s: %w", want, fault.ErrInvalid)
		}
		l = columns(s.options.Langs)
		if len(l.langs) < 2 {
			return l, false, fmt.Errorf("--langs must name two columns at least, and - for one to pass over, got %s: %w", strings.Join(s.options.Langs, ","), fault.ErrInvalid)
		}
		return l, l.names(cells), nil
	}
	for _, h := range headers {
		l, ok := named(h.format, h.columns, h.necessary, names, len(cells))
		if ok && (want == "" || want == h.format || want == Concepts && h.format == Comparable) {
			return l, true, nil
		}
	}
	if l := columns(cells); (want == "" || want == Parallel) && len(l.langs) > 1 {
		return l, true, nil
	}
	if want == "" {
		return l, false, fmt.Errorf("the first line, %.80q, is the header of no format known here; give --format, or see kobling lexicon import --help: %w", first, fault.ErrInvalid)
	}
	order := strings.Fields(plainOrder[want])
	l = layout{format: want, at: make(map[string]int), least: len(order), most: len(order)}
	if want == Dictionary {
		l.least-- // the part of speech may be left out
	}
	for i, name := range order {
		l.at[name] = i
	}
	return l, false, nil
}

// named returns the layout of a table with a header of columns.
func named(format string, columns []string, necessary int, names map[string]int, width int) (layout, bool) {
	l := layout{format: format, at: make(map[string]int), most: width}
	for i, name := range columns {
		at, ok := names[name]
		if !ok && i < necessary {
			return l, false
		}
		if ok {
			l.at[name] = at
		}
		if i < necessary {
			l.least = max(l.least, at+1)
		}
	}
	return l, true
}

// columns returns the layout of a parallel table whose columns are called names:
// those called by a language are read.
func columns(names []string) layout {
	l := layout{format: Parallel, langs: make(map[int]string), most: len(names)}
	for i, name := range names {
		// A column called id or en: only names of our own languages are taken for one.
		if code := language(name); ours(code) {
			l.langs[i] = code
			l.least = i + 1
		}
	}
	return l
}

// names reports whether cells are the header of the columns of l.
func (l layout) names(cells []string) bool {
	for i, lang := range l.langs {
		if i >= len(cells) || language(cells[i]) != lang {
			return false
		}
	}
	return true
}

// table gathers the entries of a table. Those of concepts may be spread over the
// file, so they are handed out at its end.
type table struct {
	*scan
	layout

	entries []Entry
	places  map[string]int // place in entries by id
}

// line reads one line of data.
func (t *table) line(n int, text string) error {
	t.report.Lines++
	if !utf8.ValidString(text) {
		t.bad(n, "not UTF-8")
		return nil
	}
	cells := strings.Split(text, "\t")
	for len(cells) > t.most && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1] // tabs that a spreadsheet left
	}
	if len(cells) < t.least || len(cells) > t.most {
		t.bad(n, "%d columns, want %d", len(cells), max(t.least, min(len(cells), t.most)))
		return nil
	}
	switch {
	case t.langs != nil:
		return t.across(n, cells)
	case t.format == Dictionary:
		return t.pair(n, cells)
	}
	t.label(n, cells)
	return nil
}

// across reads a line with a text in each of several columns.
func (t *table) across(n int, cells []string) error {
	e := Entry{Parallel: true}
	for i, c := range cells {
		lang, ok := t.langs[i]
		if !ok {
			continue
		}
		if what := t.add(&e, lang, c, maxText); what != "" {
			t.bad(n, "%s", what)
			return nil
		}
	}
	return t.pass(e)
}

// pair reads a line of a dictionary.
func (t *table) pair(n int, cells []string) error {
	var e Entry
	what := t.add(&e, t.cell(cells, "src_lang"), t.cell(cells, "src"), maxLabel)
	if what == "" {
		what = t.add(&e, t.cell(cells, "tgt_lang"), t.cell(cells, "tgt"), maxLabel)
	}
	if what != "" {
		t.bad(n, "%s", what)
		return nil
	}
	return t.pass(e)
}

// label reads a line of a table in which several lines, joined by an id, make an
// entry.
func (t *table) label(n int, cells []string) {
	id := strings.TrimSpace(cmp.Or(t.cell(cells, "concept_id"), t.cell(cells, "id")))
	if id == "" {
		t.bad(n, "no id")
		return
	}
	kind := strings.ToLower(strings.TrimSpace(t.cell(cells, "type")))
	if !slices.Contains([]string{"", "pref", "alt", "hidden", typeText}, kind) {
		t.bad(n, "type %.20q is not one of pref, alt, hidden, %s", kind, typeText)
		return
	}
	limit, whole := maxLabel, t.format == Parallel || kind == typeText
	if whole {
		limit = maxText
	}
	text := t.cell(cells, "label")
	if t.format == Parallel {
		text = t.cell(cells, "text")
	}
	at, ok := t.places[id]
	if !ok {
		at = len(t.entries)
		t.places[id] = at
		t.entries = append(t.entries, Entry{Parallel: whole})
	}
	if e := &t.entries[at]; e.Parallel != whole {
		t.bad(n, "%s is both a label and a whole text", id)
	} else if what := t.add(e, t.cell(cells, "lang"), text, limit); what != "" {
		t.bad(n, "%s", what)
	}
}

// finish hands out what was gathered, unless too much was wrong.
func (t *table) finish() error {
	if t.report.Bad*2 > t.report.Lines {
		return nil // the verdict says why
	}
	for _, e := range t.entries {
		if err := t.pass(e); err != nil {
			return err
		}
	}
	return nil
}
