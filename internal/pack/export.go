package pack

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"

	"kobling/internal/lexicon"
)

// typeText is the type of a row that is a whole text. Only [Exporter] writes it;
// it keeps parallel texts apart from labels when they are read back.
const typeText = "text"

// Exporter writes entries as a file of format concepts that [Read] reads back.
type Exporter struct {
	w   *bufio.Writer
	err error
}

// NewExporter begins a file with notes, such as who may use it how, as comments
// before the header.
func NewExporter(w io.Writer, notes ...string) *Exporter {
	x := &Exporter{w: bufio.NewWriter(w)}
	for _, n := range notes {
		x.put("# ", clean(n), "\n")
	}
	x.put("concept_id\tlang\ttype\tlabel\n")
	return x
}

// Write writes an entry under an id of its own. The first label of each language
// is the preferred one.
func (x *Exporter) Write(id string, e Entry) error {
	for i, t := range e.Terms {
		kind := "pref"
		for _, before := range e.Terms[:i] {
			if before.Lang == t.Lang {
				kind = "alt"
				break
			}
		}
		if e.Parallel {
			kind = typeText
		}
		x.put(id, "\t", t.Lang, "\t", kind, "\t", t.Text, "\n")
	}
	return x.err
}

// Close writes what is left. It does not close the writer below.
func (x *Exporter) Close() error {
	if x.err == nil {
		x.err = x.w.Flush()
	}
	return x.err
}

func (x *Exporter) put(parts ...string) {
	for _, p := range parts {
		if x.err == nil {
			_, x.err = x.w.WriteString(p)
		}
	}
}

// ExportLexicon writes the concepts of lex, each under kobling:<its id>.
func (x *Exporter) ExportLexicon(lex *lexicon.Lexicon) error {
	for id, e := range LexiconEntries(lex) {
		if err := x.Write("kobling:"+id, e); err != nil {
			return err
		}
	}
	return nil
}

// LexiconEntries returns the concepts of lex as entries, by id.
func LexiconEntries(lex *lexicon.Lexicon) iter.Seq2[string, Entry] {
	return func(yield func(string, Entry) bool) {
		for _, c := range lex.Concepts {
			var e Entry
			for _, lang := range lexicon.Languages {
				for _, l := range c.Labels[lang] {
					e.Terms = append(e.Terms, Term{Lang: lang, Text: l.Text})
				}
			}
			if !yield(c.ID, e) {
				return
			}
		}
	}
}

// Export writes the entries of the packs called names to x, each under
// <name>:<number>; those of all packs if none is named.
func (s *Store) Export(x *Exporter, names ...string) error {
	packs, err := s.List(names...)
	if err != nil {
		return err
	}
	for _, p := range packs {
		entries, failed := s.Entries(p.Name)
		n := 0
		for e := range entries {
			n++
			if err := x.Write(fmt.Sprintf("%s:%d", p.Name, n), e); err != nil {
				return err
			}
		}
		if err := failed(); err != nil {
			return err
		}
	}
	return nil
}

// Note says in one line what a pack is and who may use it how.
func (p Pack) Note() string {
	return strings.Join([]string{"pack " + p.Name, "source " + p.Source, "licence " + p.Licence, "imported " + p.Date.Format("2006-01-02"), "sha256 " + p.SHA256}, "; ")
}
