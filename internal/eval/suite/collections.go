package suite

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"kobling/internal/eval"
)

// The languages of the translated news: those of the North Sea and the Baltic,
// and those of the six in which the product speaks to its users.
var (
	sevenLangs = []string{"da", "nb", "nn", "sv", "fi", "nl", "en"}
	sixLangs   = []string{"da", "nb", "sv", "fi", "nl", "en"}
)

// collections are the developers' collections, in the order of the table.
var collections = []collection{
	{
		"domain",
		[]target{{"hit@1", .50, .85}, {"hit@5", .75, .97}},
		retrieval("domain/offers.jsonl", "domain/needs.jsonl", "domain/qrels.tsv", "",
			func(m eval.Metrics) []float64 { return []float64{m.Hit1, m.Hit5} }),
	},
	health("scifact", .69, .72), health("medquad", .67, .71), health("liveqa-med", .76, .80), health("medline", 0, 0),
	{
		"ntrex",
		[]target{{"recall@1", .82, .90}, {"recall@10", .94, .98}},
		parallel("xling/ntrex/segments.LANG.tsv", sevenLangs, eval.Parallel, asItIs,
			func(p eval.Pair) []float64 { return []float64{p.Recall1, p.Recall10} }),
	},
	{
		"ntrex-bare",
		[]target{{"recall@1", .66, .80}},
		parallel("xling/ntrex/segments.LANG.tsv", sevenLangs, eval.Parallel, func(d *eval.Document) { d.Text = bare(d.Text, d.Lang) }, recall1),
	},
	{
		"ntrex-mixed",
		[]target{{"recall@10", .64, .80}},
		parallel("xling/ntrex/segments.LANG.tsv", sixLangs, eval.Mixed, asItIs, recall10),
	},
	{
		"swecris",
		[]target{{"recall@1", .90, .96}},
		parallel("xling/swecris/LANG.jsonl.gz", []string{"sv", "en"}, eval.Parallel, asItIs, recall1),
	},
	{"swecris-titles", []target{{"recall@10", .80, .88}}, titles("xling/swecris/LANG.jsonl.gz", "sv", "en")},
	{"debian-titles", []target{{"recall@10", .74, .85}}, titles("xling/debian-science/LANG.jsonl.gz", "da", "en")},
	{
		"h2020-topics",
		[]target{{"nDCG@10", .50, .58}},
		retrieval("expertise/h2020-topics/offers.jsonl.gz", "expertise/h2020-topics/needs.jsonl", "expertise/h2020-topics/qrels.tsv", "", ndcg),
	},
	{
		"erc-organisations",
		[]target{{"recall@10", .40, .46}, {metric: "hit@1"}},
		retrieval("expertise/erc-organisations/projects.jsonl.gz", "expertise/erc-organisations/queries.jsonl", "expertise/erc-organisations/qrels.tsv", "org",
			func(m eval.Metrics) []float64 { return []float64{m.Recall10, m.Hit1} }),
	},
	{"reviewers", []target{{"pairs in order", .65, .70}}, reviewers},
}

func health(name string, must, aim float64) collection {
	dir := "ir-health/" + name + "/"
	return collection{name, []target{{"nDCG@10", must, aim}}, retrieval(dir+"corpus.jsonl.gz", dir+"queries.jsonl", dir+"qrels.tsv", "", ndcg)}
}

func ndcg(m eval.Metrics) []float64  { return []float64{m.NDCG10} }
func recall1(p eval.Pair) []float64  { return []float64{p.Recall1} }
func recall10(p eval.Pair) []float64 { return []float64{p.Recall10} }
func asItIs(*eval.Document)          {}
func digitsIn(word string) bool      { return strings.ContainsFunc(word, unicode.IsDigit) }

// bare takes names and numbers out of a text: words with a digit, with a capital
// inside, and those but the first that start with a capital. In German every noun
// does, so there it takes out numbers only.
func bare(text, lang string) string {
	var kept []string
	for i, word := range strings.Fields(text) {
		letters := strings.TrimLeftFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		capital := strings.IndexFunc(letters, unicode.IsUpper)
		_, first := utf8.DecodeRuneInString(letters)
		inside := strings.ContainsFunc(letters[first:], unicode.IsUpper)
		switch {
		case digitsIn(word):
		case lang != "de" && (inside || capital == 0 && i > 0):
		default:
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}
