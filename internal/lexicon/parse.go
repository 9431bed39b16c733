package lexicon

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kobling/internal/fault"
)

// MaxLabel is the longest label, in characters.
const MaxLabel = 80

// maxLine is the longest line of a file, in bytes.
const maxLine = 1 << 20

//go:embed data/*.txt
var embedded embed.FS

// Default returns the lexicon that ships with the product.
func Default() (*Lexicon, error) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

// header is the first line of a block: [id], [id < broader], each perhaps
// followed by a weight.
var header = regexp.MustCompile(`^\[([a-z0-9-]+)(?: < ([a-z0-9-]+))?\](?: ([a-z]+))?$`)

// Parse reads every *.txt file at the top of each pack and joins them. A later
// pack may add labels to a concept of an earlier one, and change nothing else of
// it; within a pack a concept is defined once. The format is one block for each concept:
//
//	# a comment
//	[fall-detection < safety-alarm] common
//	da: falddetektion; faldsensor
//	en: fall detection; ~faller
//
// The weight is optional (see [Weight]); ~ marks a shared label. The error names
// every fault with its file and line, and wraps [fault.ErrInvalid].
func Parse(packs ...fs.FS) (*Lexicon, error) {
	p := parser{at: make(map[string]position)}
	for n, pack := range packs {
		files, err := fs.Glob(pack, "*.txt") // sorted by name
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			f, err := pack.Open(name)
			if err != nil {
				return nil, fmt.Errorf("read lexicon: %w", err)
			}
			err = p.file(n, name, f)
			if err = errors.Join(err, f.Close()); err != nil {
				return nil, fmt.Errorf("read lexicon %s: %w", name, err)
			}
		}
	}
	p.checkBroader()
	p.checkShared()
	if len(p.errs) > 0 {
		return nil, fmt.Errorf("lexicon: %w:\n%w", fault.ErrInvalid, errors.Join(p.errs...))
	}
	l := &Lexicon{Concepts: p.concepts}
	l.seal()
	return l, nil
}

// position is where a concept was defined.
type position struct {
	index int // in parser.concepts
	pack  int
	where place
}

// place is a line of a file.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// labelLine is where the labels of a concept in a language stand, from one on.
type labelLine struct {
	concept int
	lang    string
	from    int
	where   place
}

// parser gathers concepts and faults over all files.
type parser struct {
	concepts []Concept
	at       map[string]position // by concept ID
	lines    []labelLine
	errs     []error
}

func (p *parser) fail(where place, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%v: "+format, append([]any{where}, args...)...))
}

// file reads one file of a pack. The error is about reading; faults in the
// content are gathered in p.errs.
func (p *parser) file(pack int, name string, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	current := -1 // index of the open block; -1 outside, -2 in a refused one
	n := 1
	for ; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		where := place{name, n}
		switch {
		case !utf8.ValidString(line):
			p.fail(where, "not UTF-8")
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			current = p.header(pack, strings.TrimSuffix(path.Base(name), ".txt"), where, line)
		case current == -1:
			p.fail(where, "a label before the first [concept]")
		case current >= 0:
			p.labels(current, where, line)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		p.fail(place{name, n}, "a line of more than %d bytes; what follows was not read", maxLine)
		return nil
	}
	return lines.Err()
}

// header opens a block and returns the index of its concept, or -2.
func (p *parser) header(pack int, group string, where place, line string) int {
	m := header.FindStringSubmatch(line)
	if m == nil {
		p.fail(where, "want [id], [id < broader] or [id] weight, got %q", line)
		return -2
	}
	weight := Specific
	if m[3] != "" {
		w := slices.Index(weights[:], m[3])
		if w < 0 {
			p.fail(where, "weight %q is not one of %s", m[3], strings.Join(weights[:], ", "))
			return -2
		}
		weight = Weight(w)
	}
	if old, ok := p.at[m[1]]; ok {
		if old.pack == pack {
			p.fail(where, "concept %q is already defined at %s", m[1], old.where)
			return -2
		}
		if c := p.concepts[old.index]; m[2] != "" && m[2] != c.Broader || m[3] != "" && weight != c.Weight {
			p.fail(where, "concept %q is %q at %s; a later pack only adds labels", m[1], c.header(), old.where)
		}
		return old.index
	}
	p.at[m[1]] = position{index: len(p.concepts), pack: pack, where: where}
	p.concepts = append(p.concepts, Concept{
		ID: m[1], Broader: m[2], Group: group, Weight: weight, Labels: make(map[string][]Label),
	})
	return len(p.concepts) - 1
}

// labels reads one "lang: label; label" line into a concept.
func (p *parser) labels(concept int, where place, line string) {
	c := &p.concepts[concept]
	lang, list, ok := strings.Cut(line, ":")
	if !ok || !slices.Contains(Languages, lang) {
		p.fail(where, "want a line like \"da: label; label\" in one of %s", strings.Join(Languages, " "))
		return
	}
	known := c.Labels[lang]
	p.lines = append(p.lines, labelLine{concept, lang, len(known), where})
	for text := range strings.SplitSeq(norm.NFC.String(list), ";") { // first: the Greek ; becomes the plain one
		text, shared := strings.CutPrefix(strings.TrimSpace(text), "~")
		text = strings.Join(strings.Fields(text), " ")
		switch {
		case text == "":
			p.fail(where, "empty label")
		case utf8.RuneCountInString(text) > MaxLabel:
			p.fail(where, "label %q is longer than %d characters", text, MaxLabel)
		case slices.ContainsFunc(known, func(l Label) bool { return strings.EqualFold(l.Text, text) }):
			p.fail(where, "label %q stands twice", text)
		default:
			known = append(known, Label{Text: text, Shared: shared})
		}
	}
	if len(known) > 0 {
		c.Labels[lang] = known
	}
}

// labelled returns where the nth label of a concept in a language stands.
func (p *parser) labelled(concept int, lang string, n int) place {
	var where place
	for _, l := range p.lines {
		if l.concept == concept && l.lang == lang && l.from <= n {
			where = l.where
		}
	}
	return where
}

// checkBroader refuses broader concepts that do not exist or go in a circle.
func (p *parser) checkBroader() {
	for _, c := range p.concepts {
		where := p.at[c.ID].where
		up := c.Broader
		for steps := 0; up != ""; steps++ {
			at, ok := p.at[up]
			if !ok {
				if up == c.Broader {
					p.fail(where, "broader concept %q is not defined", up)
				}
				break
			}
			if up == c.ID {
				p.fail(where, "concept %q is broader than itself", c.ID)
				break
			}
			if steps > len(p.concepts) { // it leads into a circle; those in it are named
				break
			}
			up = p.concepts[at.index].Broader
		}
	}
}

// checkShared refuses a label of two concepts in one language unless each of
// them is marked as shared.
func (p *parser) checkShared() {
	type claim struct {
		id     string
		shared bool
	}
	for _, lang := range Languages {
		claims := make(map[string]claim, 2*len(p.concepts))
		for i, c := range p.concepts {
			for n, label := range c.Labels[lang] {
				key := strings.ToLower(label.Text)
				if old, ok := claims[key]; ok && (!old.shared || !label.Shared) {
					p.fail(p.labelled(i, lang, n), "%s label %q also means %q; mark both with ~ if that is right", lang, label.Text, old.id)
				}
				claims[key] = claim{c.ID, label.Shared}
			}
		}
	}
}
