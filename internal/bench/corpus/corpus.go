// Package corpus invents profiles for measurements: the nth profile of a seed is
// always the same, whoever asks and in which order.
//
// # What is alike
//
// Every profile belongs to a niche, which is a handful of words within one of 400
// topics. A new profile joins one of the niches there are, all equally likely, and
// every 20th profile begins a new one. So the corpus can grow for ever, and however
// large it is, a profile has on average as many counterparts that fit; the older
// niches have more, as in life. Organisations grow in the same way.
//
// # Words
//
// [New] draws 189 words for a profile: from a vocabulary of 150,000 by Zipf's law
// (exponent 1.05), from the 800 words of the topic, and from those of the niche. They
// are invented, spelled with syllables, and no lexicon knows them, but for the phrases
// that it is given, labels of concepts: some of the words of each topic are of them.
// [Read] takes sentences of real texts instead.
package corpus

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"kobling/internal/profile"
)

// The parameters of the invented texts. The shares were chosen for about ten
// suggestions of a profile under the thresholds that the program ships with.
const (
	vocabulary = 150_000
	exponent   = 1.05
	topics     = 400
	topicWords = 800
	nicheWords = 24
	words      = 189 // of a profile

	fromNiche = 26 // of a hundred words
	fromTopic = 34 // likewise; the others come from the whole vocabulary

	phraseEvery = 12 // every so many words of a topic are a phrase, if there are any

	newEvery = 20  // every so many profiles begin a niche and an organisation
	common   = 200 // the commonest words of the vocabulary are of no topic
)

// lengths are the words of each field; together they are words.
var lengths = [...]int{title: 9, summary: 24, description: 100, requirements: 40, partnerRole: 16}

// The fields of a text.
const (
	title = iota
	summary
	description
	requirements
	partnerRole
)

// Corpus is an endless sequence of profiles. It is safe for concurrent use.
type Corpus struct {
	seed      uint64
	phrases   []string
	sentences [][]string // of real texts; nil: words are invented
	detect    func(string) string
}

// New returns the corpus of invented words and these English phrases, which may be
// none.
func New(seed uint64, phrases ...string) *Corpus { return &Corpus{seed: seed, phrases: phrases} }

// Kind says where the texts come from: "synthetic" or "text".
func (c *Corpus) Kind() string {
	if c.sentences != nil {
		return "text"
	}
	return "synthetic"
}

// draw returns a source of random numbers that is this purpose's alone.
func (c *Corpus) draw(purpose, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(c.seed<<8|purpose, n)) //nolint:gosec // measurements are to be repeatable
}

// The purposes for which random numbers are drawn.
const (
	ofProfile uint64 = iota
	ofNiche
	ofTopic
)

// Profile returns the nth profile from 0, as it stands in PROFILES. Demands and
// supplies take turns.
func (c *Corpus) Profile(n int) *profile.Profile {
	r := c.draw(ofProfile, uint64(n)) //nolint:gosec // not negative
	niche, org := member(r, n), member(r, n)
	p := &profile.Profile{
		Revision: 1, Status: profile.Published, Cluster: "default", Visibility: profile.VisibleCluster,
		Cooperation: []profile.Cooperation{cooperations[r.IntN(len(cooperations))]},
	}
	o := &p.Organisation
	o.Country = countries[r.IntN(len(countries))]
	if n%2 == 0 {
		o.Type, o.Name = profile.SME, fmt.Sprintf("Company %d", org)
		p.ID = profile.ID(fmt.Sprintf("need.sme%d.n%d", org, n))
	} else {
		o.Type, o.Name = profile.University, fmt.Sprintf("University %d", org)
		p.ID = profile.ID(fmt.Sprintf("offer.uni%d.n%d", org, n))
	}
	if r.IntN(2) == 0 {
		low := 1 + r.IntN(6)
		p.TRL = &profile.TRL{Min: low, Max: low + 3}
	}
	p.Texts = []profile.Text{c.text(r, niche)}
	return p
}

// Number returns which profile of a corpus has this id; -1 if it is of none.
func Number(id profile.ID) int {
	digits, found := strings.CutPrefix(id.Local(), "n")
	n, err := strconv.Atoi(digits)
	if !found || err != nil {
		return -1
	}
	return n
}

var (
	cooperations = []profile.Cooperation{
		profile.ResearchCooperation, profile.TestWithEndUsers, profile.ClinicalStudy, profile.DataAccess, profile.TestingService,
	}
	countries = []string{"DK", "NO", "SE", "FI", "NL"}
)

// member returns the group that profile n joins, from 0: it begins a new one, or
// is drawn into one of those there are.
func member(r *rand.Rand, n int) int {
	groups := n/newEvery + 1
	joins := r.IntN(groups) // always drawn: what comes after must not depend on it
	if n%newEvery == 0 {
		return groups - 1
	}
	return joins
}

// text writes the text of a profile.
func (c *Corpus) text(r *rand.Rand, niche int) profile.Text {
	var list []string
	lang := "en"
	if c.sentences != nil {
		list = c.quote(r, niche)
		lang = c.detect(strings.Join(list, " "))
	} else {
		list = c.invent(r, niche)
	}
	var parts [len(lengths)]string
	for i, n := range lengths {
		n = min(n, len(list))
		parts[i], list = strings.Join(list[:n], " "), list[n:]
	}
	return profile.Text{
		Lang: lang, Title: parts[title], Summary: parts[summary], Description: parts[description],
		Requirements: parts[requirements], PartnerRole: parts[partnerRole],
	}
}

// invent draws the words of a profile.
func (c *Corpus) invent(r *rand.Rand, niche int) []string {
	of := c.draw(ofNiche, uint64(niche)) //nolint:gosec // not negative
	topic := of.Uint64N(topics)
	var special [nicheWords]uint64
	for i := range special {
		special[i] = of.Uint64N(topicWords)
	}
	language, subject := rand.NewZipf(r, exponent, 1, vocabulary-1), rand.NewZipf(r, exponent, 60, topicWords-1)
	list := make([]string, words)
	for i := range list {
		switch share := r.IntN(100); {
		case share < fromNiche:
			list[i] = c.topicWord(topic, special[r.IntN(nicheWords)])
		case share < fromNiche+fromTopic:
			list[i] = c.topicWord(topic, subject.Uint64())
		default:
			list[i] = spell(language.Uint64())
		}
	}
	return list
}

// topicWord returns the nth word of a topic.
func (c *Corpus) topicWord(topic, n uint64) string {
	r := c.draw(ofTopic, topic*topicWords+n)
	if len(c.phrases) > 0 && n%phraseEvery == 0 {
		return c.phrases[r.IntN(len(c.phrases))]
	}
	return spell(common + r.Uint64N(vocabulary-common))
}

// Syllables of which words are spelled: three of them make 343,000 words, whose
// first five letters are often those of another word too.
const (
	consonants = "bdfghjklmnprst"
	vowels     = "aeiou"
	syllables  = uint64(len(consonants) * len(vowels))
	spellings  = syllables * syllables * syllables
)

// spell returns the nth word. Neighbours in rank look nothing like each other.
func spell(n uint64) string {
	n = n * 100_003 % spellings // 100,003 and 70 have no divisor in common, so no two words are the same
	word := make([]byte, 0, 6)
	for range 3 {
		s := n % syllables
		word = append(word, consonants[s/uint64(len(vowels))], vowels[s%uint64(len(vowels))])
		n /= syllables
	}
	return string(word)
}
