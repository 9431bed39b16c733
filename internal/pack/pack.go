// Package pack reads and keeps packs: lists of what things are called in several
// languages, made by others, from which the product learns to translate words.
// Each pack keeps its source, licence, date and checksum beside it.
//
// A file is one of five formats (see [Formats]), all of them UTF-8 and perhaps
// gzipped. What is wrong with a line is counted and that line passed over; a file
// of which more than half is wrong is refused as a whole.
package pack

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"kobling/internal/fault"
	"kobling/internal/lexicon"
	"kobling/internal/translate"
)

// Term is what something is called in one language: one of lexicon.Languages,
// with "no" read as nb. Its text is NFC, without line breaks and tabs, spaces
// collapsed.
type Term = translate.Term

// Entry says that its terms mean the same: a concept's labels, a dictionary's
// word and translation, or two texts that translate each other. It has two terms
// or more, and none twice.
type Entry = translate.Entry

// Info says what a pack is and where it comes from.
type Info struct {
	Name    string         `json:"name"`
	Format  string         `json:"format"`
	Source  string         `json:"source"`
	Licence string         `json:"licence"`
	Date    time.Time      `json:"date"`   // of the import
	SHA256  string         `json:"sha256"` // of the file as given; of the .dict or .dict.dz for dictd
	Entries int            `json:"entries"`
	Terms   map[string]int `json:"terms"` // by language
}

// The formats.
const (
	Concepts   = "concepts"   // concept_id lang type label
	Dictionary = "dictionary" // src_lang src tgt_lang tgt pos
	Parallel   = "parallel"   // id lang text; or a column for each language
	Comparable = "comparable" // concept_id lang label titles; the titles are not read
	Dictd      = "dictd"      // NAME.index with NAME.dict or NAME.dict.dz
)

// Formats lists the formats.
var Formats = []string{Concepts, Dictionary, Parallel, Comparable, Dictd}

// Limits of what is read.
const (
	maxBytes   = 1 << 30 // of a file, unpacked
	maxLine    = 4 << 20 // bytes; longer lines are passed over
	maxLabel   = 1000    // characters of a label
	maxText    = 100_000 // characters of a parallel text
	maxTerms   = 1000    // of an entry
	maxShown   = 10      // faults that are described, not only counted
	maxForeign = 50      // languages that are not ours and are told apart
)

// Options say how to read a file, as far as it does not say so itself.
type Options struct {
	Format string // one of Formats; "" guesses by name and content
	// Langs are the two languages of a dictd dictionary, or those of the columns of
	// a parallel file, with "-" for a column to pass over.
	Langs []string
	// Progress, if it is set, is told how many bytes of the file have been read.
	Progress func(done, total int64)
}

// Report is what there is to say of a file besides its entries.
type Report struct {
	Lines     int            `json:"lines"`             // that hold data; articles of a dictd dictionary
	Bad       int            `json:"bad"`               // lines passed over because something is wrong with them
	Faults    []Fault        `json:"faults,omitempty"`  // the first of them
	Foreign   map[string]int `json:"foreign,omitempty"` // terms passed over, by language that is not ours
	Alone     int            `json:"alone"`             // concepts and articles that name nothing in two terms
	Norwegian int            `json:"norwegian"`         // terms said to be "no", read as nb
}

// Fault is what is wrong with a line.
type Fault struct {
	Line int    `json:"line"` // from 1
	Text string `json:"text"`
}

// Read calls f for each entry of the file at path, until f returns an error.
// Format "" guesses by content and name. An error about the content wraps
// fault.ErrInvalid and may come after entries were handed out.
func Read(path, format string, f func(Entry) error) (Info, error) {
	info, _, err := Scan(context.Background(), path, Options{Format: format}, f)
	return info, err
}

// Scan is [Read] with options, and reports what was passed over. The report is
// also valid with an error.
func Scan(ctx context.Context, path string, o Options, f func(Entry) error) (Info, Report, error) {
	s := &scan{
		ctx: ctx, options: o, emit: f,
		info:   Info{Name: baseName(path), Format: o.Format, Terms: make(map[string]int)},
		report: Report{Foreign: make(map[string]int)},
	}
	err := s.file(path)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return s.info, s.report, err
}

// scan is one reading of a file.
type scan struct {
	ctx     context.Context // of the call
	options Options
	emit    func(Entry) error
	info    Info
	report  Report
}

func (s *scan) file(path string) error {
	if o := s.options.Format; o != "" && !slices.Contains(Formats, o) {
		return fmt.Errorf("format %q is not one of %s: %w", o, strings.Join(Formats, ", "), fault.ErrInvalid)
	}
	var err error
	if s.options.Format == Dictd || s.options.Format == "" && isDictd(path) {
		s.info.Format = Dictd
		err = s.dictd(path)
	} else {
		err = s.table(path)
	}
	if err != nil {
		return err
	}
	return s.verdict()
}

// verdict judges the file as a whole.
func (s *scan) verdict() error {
	r := &s.report
	switch {
	case r.Bad*2 > r.Lines:
		return fmt.Errorf("%d of %d lines are not as the format %s has them%s; expected %s: %w",
			r.Bad, r.Lines, s.info.Format, r.firstFault(), expected[s.info.Format], fault.ErrInvalid)
	case s.info.Entries == 0 && len(r.Foreign) > 0:
		return fmt.Errorf("no two terms in languages of this product (%s): %w", strings.Join(lexicon.Languages, " "), fault.ErrInvalid)
	case s.info.Entries == 0:
		return fmt.Errorf("nothing in it names one thing in two terms; expected %s: %w", expected[s.info.Format], fault.ErrInvalid)
	}
	return nil
}

// expected says what a file of each format looks like.
var expected = map[string]string{
	Concepts:   "tab-separated columns under the header concept_id, lang, type, label",
	Dictionary: "tab-separated columns under the header src_lang, src, tgt_lang, tgt, pos",
	Parallel:   "tab-separated columns under the header id, lang, text, or a column for each language, named in the header or by --langs",
	Comparable: "tab-separated columns under the header concept_id, lang, label, titles",
	Dictd:      "NAME.index with headword, offset and size, beside NAME.dict or NAME.dict.dz",
}

// bad counts a line that is passed over, and describes the first few.
func (s *scan) bad(line int, format string, args ...any) {
	if s.report.Bad++; len(s.report.Faults) < maxShown {
		s.report.Faults = append(s.report.Faults, Fault{Line: line, Text: fmt.Sprintf(format, args...)})
	}
}

func (r *Report) firstFault() string {
	if len(r.Faults) == 0 {
		return ""
	}
	return fmt.Sprintf(", for example line %d: %s", r.Faults[0].Line, r.Faults[0].Text)
}

// pass hands out an entry, unless it says nothing.
func (s *scan) pass(e Entry) error {
	if len(e.Terms) < 2 {
		s.report.Alone++
		return nil
	}
	s.info.Entries++
	for _, t := range e.Terms {
		s.info.Terms[t.Lang]++
	}
	return s.emit(e)
}

// add appends a term to e. It returns what is wrong with it, "" if nothing is; a
// term of a foreign language and one that is there already are left out.
func (s *scan) add(e *Entry, lang, text string, limit int) string {
	text = clean(text)
	code := language(lang)
	switch {
	case code == "":
		return fmt.Sprintf("%.20q is no language", lang)
	case text == "":
		return "an empty cell"
	case len(text) > limit && tooLong(text, limit):
		return fmt.Sprintf("a cell of more than %d characters", limit)
	case len(e.Terms) == maxTerms:
		return fmt.Sprintf("more than %d terms for one thing", maxTerms)
	case code == "no":
		s.report.Norwegian++
		code = "nb"
	case !slices.Contains(lexicon.Languages, code):
		if _, known := s.report.Foreign[code]; known || len(s.report.Foreign) < maxForeign {
			s.report.Foreign[code]++
		} else {
			s.report.Foreign["other"]++
		}
		return ""
	}
	if t := (Term{Lang: code, Text: text}); !slices.Contains(e.Terms, t) {
		e.Terms = append(e.Terms, t)
	}
	return ""
}

// three are the codes of three letters that dictionaries are named with.
var three = map[string]string{
	"dan": "da", "nob": "nb", "nno": "nn", "nor": "no", "swe": "sv", "fin": "fi", "nld": "nl", "dut": "nl",
	"eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr",
}

// ours reports whether code is of a language that the product reads.
func ours(code string) bool { return code == "no" || slices.Contains(lexicon.Languages, code) }

var languageCode = regexp.MustCompile(`^[a-z]{2,3}$`)

// language returns the code of a language without its region, in two letters if
// it is one of ours; "" if code is no language code.
func language(code string) string {
	code = strings.ToLower(strings.TrimSpace(code))
	if i := strings.IndexAny(code, "-_"); i > 0 {
		code = code[:i]
	}
	if two, ok := three[code]; ok {
		return two
	}
	if !languageCode.MatchString(code) {
		return ""
	}
	return code
}

// baseName returns the name of a file without its folder and endings.
func baseName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return name
}
