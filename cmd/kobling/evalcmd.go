package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/eval"
	"kobling/internal/score"
)

// evalCmd measures quality on collections with ground truth.
type evalCmd struct {
	Retrieval evalRetrievalCmd `cmd:"" help:"Queries, documents and judgments of one collection."`
	Parallel  evalParallelCmd  `cmd:"" help:"The same documents in several languages."`
	Expertise evalExpertiseCmd `cmd:"" help:"Experts who have rated how much they know about papers."`
	Suite     evalSuiteCmd     `cmd:"" help:"All collections of a folder, as one table."`
}

type evalRetrievalCmd struct {
	output
	evalEngine

	Corpus  string `required:"" type:"path" help:"Documents: JSON Lines with _id, title, text and perhaps lang, or two columns in .tsv; also .gz."`
	Queries string `required:"" type:"path" help:"Queries, in the same form."`
	Qrels   string `required:"" type:"path" help:"Judgments: three columns with a header, query, document, grade."`
	Lang    string `help:"Language of what states none: da nb nn sv fi nl en de fr."`
	Worst   int    `help:"Show so many of the worst queries, with what came first instead and why."`

	GroupBy        string `placeholder:"FIELD" help:"The answers are not documents but whose they are: the organisation, say, that this field of a document names."`
	Votes          int    `default:"50" help:"With --group-by: how many of the best documents vote for their groups."`
	GroupDocuments bool   `help:"With --group-by: join the documents of a group into one long document instead."`
	Bands          bool   `help:"Score all pairs by the whole predicate, facts and all (kind, country and org_type of a document), and say how many of each band are right."`
}

// Help is shown under --help.
func (*evalRetrievalCmd) Help() string {
	return `Example: kobling eval retrieval --corpus d.tsv --queries q.tsv --qrels r.tsv

Each query is matched as a need and each document as an offer, by the text part of the predicate.
A group's score is the sum of the squared scores of its documents among the best.`
}

func (c *evalRetrievalCmd) check() error {
	if err := c.evalEngine.check(); err != nil {
		return err
	}
	switch {
	case c.Bands && (c.Engine != kobling || c.GroupBy != ""):
		return fmt.Errorf("--bands are those of kobling's own pairs, without --engine and --group-by (%w)", errUsage)
	case c.GroupDocuments && c.GroupBy == "":
		return fmt.Errorf("--group-documents needs --group-by (%w)", errUsage)
	case c.Votes < 1:
		return fmt.Errorf("--votes must be 1 at least (%w)", errUsage)
	}
	return checkLang(c.Lang)
}

// engine returns the engine and the documents for it.
func (c *evalRetrievalCmd) engine(p *process) (eval.Engine, []eval.Document, error) {
	docs, err := eval.ReadGrouped(c.Corpus, c.Lang, c.GroupBy)
	if err != nil {
		return nil, nil, err
	}
	if c.GroupDocuments {
		docs = eval.Join(docs)
	}
	engine, err := c.open(p, docs)
	if c.GroupBy != "" && !c.GroupDocuments {
		engine = eval.GroupBy(engine, c.Votes)
	}
	return engine, docs, err
}

// Run measures.
func (c *evalRetrievalCmd) Run(p *process) error {
	if err := c.check(); err != nil {
		return err
	}
	queries, err := eval.ReadDocuments(c.Queries, c.Lang)
	if err != nil {
		return err
	}
	qrels, err := eval.ReadQrels(c.Qrels)
	if err != nil {
		return err
	}
	engine, docs, err := c.engine(p)
	if err != nil {
		return err
	}
	b := newBar(p, "Asking", int64(len(queries)))
	m, worst, err := eval.Retrieval(p, engine, docs, queries, qrels, c.Worst, b.add)
	b.stop()
	if err != nil {
		return err
	}
	var bands *eval.Bands
	if c.Bands {
		if bands, err = c.measureBands(p, docs, queries, qrels); err != nil {
			return err
		}
	}
	if c.JSON {
		return p.printJSON(struct {
			eval.Metrics

			Worst []eval.Worst `json:"worst,omitempty"`
			Bands *eval.Bands  `json:"bands,omitempty"`
		}{m, worst, bands})
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Queries", "nDCG@10", "hit@1", "hit@5", "recall@10", "recall@100", "MRR@10"})
	t.AppendRow(table.Row{m.Queries, digits(m.NDCG10), digits(m.Hit1), digits(m.Hit5), digits(m.Recall10), digits(m.Recall100), digits(m.MRR10)})
	t.Render()
	for _, w := range worst {
		say(p.out, "%s: relevant at %d; first came %s, sharing %s", w.Query, w.Relevant, w.First, terms(w.Why))
	}
	if bands != nil {
		printBands(p, bands)
	}
	return nil
}

func (c *evalRetrievalCmd) measureBands(p *process, docs, queries []eval.Document, qrels eval.Qrels) (*eval.Bands, error) {
	epoch, err := c.epoch(p, docs)
	if err != nil {
		return nil, err
	}
	b := newBar(p, "Scoring", int64(len(queries)))
	bands, err := eval.MeasureBands(p, epoch, docs, queries, qrels, b.add)
	b.stop()
	return &bands, err
}

func printBands(p *process, b *eval.Bands) {
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Band", "Pairs", "Right", "Precision"})
	for _, band := range b.Bands {
		t.AppendRow(table.Row{band.Band, band.Pairs, band.Right, digits(band.Precision)})
	}
	t.Render()
	say(p.out, "%.1f pairs a query; %d right pairs in all", b.PairsPerQuery, b.Right)
}

type evalParallelCmd struct {
	output
	evalEngine

	Docs  map[string]string `required:"" placeholder:"LANG=FILE" help:"Documents of a language: JSON Lines with _id and text, or two columns in .tsv; also .gz."`
	Mixed bool              `help:"Put all languages into one index and ask for the translations."`
}

// Help is shown under --help.
func (*evalParallelCmd) Help() string {
	return `Example: kobling eval parallel --docs da=da.tsv --docs fi=fi.tsv

Each document is matched as a need with the documents of every other language; the one with the same id
is right.`
}

// Run measures.
func (c *evalParallelCmd) Run(p *process) error {
	if err := c.check(); err != nil {
		return err
	}
	docs := make(map[string][]eval.Document, len(c.Docs))
	var all []eval.Document
	for lang, file := range c.Docs {
		if err := checkLang(lang); err != nil {
			return err
		}
		var err error
		if docs[lang], err = eval.ReadDocuments(file, lang); err != nil {
			return err
		}
		all = append(all, docs[lang]...)
	}
	if len(docs) < 2 {
		return fmt.Errorf("give --docs of two languages at least (%w)", errUsage)
	}
	engine, err := c.open(p, all)
	if err != nil {
		return err
	}
	measure, queries := eval.Parallel, len(all)
	if c.Mixed {
		measure = eval.Mixed
	} else {
		queries *= len(docs) - 1
	}
	b := newBar(p, "Asking", int64(queries))
	r, err := measure(p, engine, docs, b.add)
	b.stop()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(r)
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"From", "To", "Queries", "recall@1", "recall@10", "MRR@10"})
	for _, x := range append(r.Pairs, r.Mean) {
		t.AppendRow(table.Row{x.From, x.To, x.N, digits(x.Recall1), digits(x.Recall10), digits(x.MRR10)})
	}
	t.Render()
	return nil
}

func digits(v float64) string { return fmt.Sprintf("%.3f", v) }

func terms(shared []score.Contribution) string {
	all := make([]string, len(shared))
	for i, c := range shared {
		all[i] = c.Term
	}
	return strings.Join(all, " ")
}
