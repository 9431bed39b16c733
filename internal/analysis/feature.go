package analysis

import "strings"

// Feature is one weighted term of a profile. Its namespace says what it is:
//
//	c:<concept id>        a concept of the lexicon
//	s:<folded stem>       a word's stem, folded so that da nb nn sv cognates meet
//	                      (in other languages too); of a translated word, its translation's stem in English
//	g:<letters>           the first letters of a word, folded: cognates, names, other forms
//	u:                    the share of a demand that says too little to be matched; no supply has it
type Feature struct {
	Term string
	// Weight is the integer impact. A supply's weights are 1 to 255; a demand's
	// are 1 to 65536 and add up to 65536 (see score.DemandTotal).
	Weight uint32
}

// The namespaces.
const (
	conceptPrefix = "c:"
	stemPrefix    = "s:"
	startPrefix   = "g:"
	unknownTerm   = "u:"
)

// IsConcept reports whether term is a concept of the lexicon.
func IsConcept(term string) bool { return strings.HasPrefix(term, conceptPrefix) }

// CrossesLanguages reports whether term does not depend on the language that the
// texts are written in, so that a translation has it too.
func CrossesLanguages(term string) bool { return IsConcept(term) }
