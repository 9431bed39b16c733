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
}

type evalRetrievalCmd struct {
	output

	Corpus  string `required:"" type:"path" help:"Documents: JSON Lines with _id, title, text and perhaps lang, or two columns in .tsv; also .gz."`
	Queries string `required:"" type:"path" help:"Queries, in the same form."`
	Qrels   string `required:"" type:"path" help:"Judgments: three columns with a header, query, document, grade."`
	Lang    string `help:"Language of what states none: da nb nn sv fi nl en de fr."`
	Worst   int    `help:"Show so many of the worst queries, with what came first instead and why."`
}

// Help is shown under --help.
func (*evalRetrievalCmd) Help() string {
	return `Example: kobling eval retrieval --corpus d.tsv --queries q.tsv --qrels r.tsv

Each query is matched as a need and each document as an offer, by the text part of the predicate.`
}

// Run measures.
func (c *evalRetrievalCmd) Run(p *process) error {
	if err := checkLang(c.Lang); err != nil {
		return err
	}
	docs, err := eval.ReadDocuments(c.Corpus, c.Lang)
	if err != nil {
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
	epoch, err := score.DefaultEpoch(1)
	if err != nil {
		return err
	}
	b := newBar(p, "Asking", int64(len(queries)))
	m, worst, err := eval.Retrieval(p, epoch, docs, queries, qrels, c.Worst, b.add)
	b.stop()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(struct {
			eval.Metrics

			Worst []eval.Worst `json:"worst,omitempty"`
		}{m, worst})
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Queries", "nDCG@10", "hit@1", "hit@5", "recall@10", "recall@100", "MRR@10"})
	t.AppendRow(table.Row{m.Queries, digits(m.NDCG10), digits(m.Hit1), digits(m.Hit5), digits(m.Recall10), digits(m.Recall100), digits(m.MRR10)})
	t.Render()
	for _, w := range worst {
		say(p.out, "%s: relevant at %d; first came %s, sharing %s", w.Query, w.Relevant, w.First, terms(w.Why))
	}
	return nil
}

type evalParallelCmd struct {
	output

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
	docs := make(map[string][]eval.Document, len(c.Docs))
	queries := 0
	for lang, file := range c.Docs {
		if err := checkLang(lang); err != nil {
			return err
		}
		var err error
		if docs[lang], err = eval.ReadDocuments(file, lang); err != nil {
			return err
		}
		queries += len(docs[lang])
	}
	if len(docs) < 2 {
		return fmt.Errorf("give --docs of two languages at least (%w)", errUsage)
	}
	epoch, err := score.DefaultEpoch(1)
	if err != nil {
		return err
	}
	measure := eval.Parallel
	if c.Mixed {
		measure = eval.Mixed
	} else {
		queries *= len(docs) - 1
	}
	b := newBar(p, "Asking", int64(queries))
	r, err := measure(p, epoch, docs, b.add)
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
