// Package lexicon knows the concepts of the field in every language of the
// product: what people call fall detection in Danish, Finnish or Dutch. Texts in
// different languages meet in its concepts. It is read from plain text files
// that are reviewed like code; the embedded default is in data.
package lexicon

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"
)

// Languages are the languages in which a label may stand. The first six are the
// ones in which every concept of the default lexicon has a label.
var Languages = []string{"da", "nb", "sv", "fi", "nl", "en", "de", "fr", "nn"}

// Required is how many of [Languages], from the first, each concept of the
// default lexicon has labels in.
const Required = 6

// Weight says how much a shared concept tells about a pair.
type Weight int

// The weights.
const (
	// Specific concepts are what a need or an offer is about: fall detection.
	Specific Weight = iota
	// Common concepts stand in many texts that have little else in common:
	// hospital, sensor, older people.
	Common
	// Formal concepts say how people work together, not on what: prototype.
	Formal
	// Empty concepts are known so that they weigh nothing: "we are looking for a
	// partner". They also lend their words to the splitting of compounds.
	Empty
)

// weights names the weights as files write them.
var weights = [...]string{Specific: "specific", Common: "common", Formal: "formal", Empty: "empty"}

// String returns the name that files use.
func (w Weight) String() string { return weights[w] }

// Label is what a concept is called in one language.
type Label struct {
	Text string
	// Shared marks a word that means other concepts too, on purpose. All labels
	// that are alike must be marked.
	Shared bool
}

// Concept is one thing that the field talks about.
type Concept struct {
	ID      string // lower-case letters, digits and hyphens
	Broader string // the ID of the next wider concept; "" if there is none
	Group   string // the file that defines it, without its ending: a sector or "methods", …
	Weight  Weight
	Labels  map[string][]Label // by language; the first is the preferred one
}

// Lexicon is a checked set of concepts. It is read-only after [Parse].
type Lexicon struct {
	Concepts []Concept // in order of ID

	index   map[string]int
	version string
}

// Concept returns the concept called id.
func (l *Lexicon) Concept(id string) (Concept, bool) {
	i, ok := l.index[id]
	if !ok {
		return Concept{}, false
	}
	return l.Concepts[i], true
}

// Label returns the preferred label of a concept in lang, or in the language
// nearest to it, or in English; "" if there is no such concept.
func (l *Lexicon) Label(concept, lang string) string {
	c, ok := l.Concept(concept)
	if !ok {
		return ""
	}
	for _, try := range append([]string{lang}, Neighbours(lang)...) {
		if labels := c.Labels[try]; len(labels) > 0 {
			return labels[0].Text
		}
	}
	for _, try := range Languages {
		if labels := c.Labels[try]; len(labels) > 0 {
			return labels[0].Text
		}
	}
	return concept
}

// Neighbours returns the languages whose words are understood in a text of
// lang, nearest first and English last.
func Neighbours(lang string) []string {
	switch lang {
	case "da":
		return []string{"nb", "en"}
	case "nb":
		return []string{"da", "en"}
	case "nn":
		return []string{"nb", "da", "en"}
	case "en":
		return nil
	}
	return []string{"en"}
}

// Version names the content: it changes with every concept and label, and with
// nothing else.
func (l *Lexicon) Version() string { return l.version }

// seal sorts the concepts and derives the index and the version.
func (l *Lexicon) seal() {
	slices.SortFunc(l.Concepts, func(a, b Concept) int { return strings.Compare(a.ID, b.ID) })
	l.index = make(map[string]int, len(l.Concepts))
	for i, c := range l.Concepts {
		l.index[c.ID] = i
	}
	sum := sha256.New()
	_, _ = l.WriteTo(sum) // a hash takes everything
	l.version = hex.EncodeToString(sum.Sum(nil)[:6])
}

// WriteTo writes the lexicon as one file that [Parse] reads back. Groups are
// written as comments.
func (l *Lexicon) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for _, c := range l.Concepts {
		n, err := io.WriteString(w, c.format())
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// header returns the line that opens the block of c.
func (c Concept) header() string {
	line := "[" + c.ID
	if c.Broader != "" {
		line += " < " + c.Broader
	}
	line += "]"
	if c.Weight != Specific {
		line += " " + c.Weight.String()
	}
	return line
}

// format returns the block that defines c.
func (c Concept) format() string {
	var b strings.Builder
	b.WriteString(c.header() + "\n")
	for _, lang := range Languages {
		for i, label := range c.Labels[lang] {
			sep := "; "
			if i == 0 {
				sep = lang + ": "
			}
			b.WriteString(sep)
			if label.Shared {
				b.WriteString("~")
			}
			b.WriteString(label.Text)
		}
		if len(c.Labels[lang]) > 0 {
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
	return b.String()
}
