package main

import (
	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/eval"
)

type evalExpertiseCmd struct {
	output
	evalEngine

	Profiles string `required:"" type:"path" help:"What the experts wrote: JSON Lines with expert, _id, title and text; also .gz."`
	Papers   string `required:"" type:"path" help:"What they rated: JSON Lines with _id, title and text; also .gz."`
	Ratings  string `required:"" type:"path" help:"Three columns with a header: expert, paper, rating; the higher the more she knows."`
	Lang     string `help:"Language of what states none: da nb nn sv fi nl en de fr."`
}

// Help is shown under --help.
func (*evalExpertiseCmd) Help() string {
	return `Example: kobling eval expertise --profiles e.gz --papers p.gz --ratings r.tsv

Each paper is matched as a need and what the experts wrote as offers; an expert's three best offers
speak for her. Of each two papers that she rates differently, does the higher rated get the higher score?`
}

// Run measures.
func (c *evalExpertiseCmd) Run(p *process) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := checkLang(c.Lang); err != nil {
		return err
	}
	profiles, err := eval.ReadGrouped(c.Profiles, c.Lang, "expert")
	if err != nil {
		return err
	}
	papers, err := eval.ReadDocuments(c.Papers, c.Lang)
	if err != nil {
		return err
	}
	ratings, err := eval.ReadRatings(c.Ratings)
	if err != nil {
		return err
	}
	engine, err := c.open(p, profiles)
	if err != nil {
		return err
	}
	b := newBar(p, "Asking", int64(len(papers)))
	o, err := eval.Expertise(p, engine, profiles, papers, ratings, b.add)
	b.stop()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(o)
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Experts", "Pairs", "Right", "Weighted loss"})
	t.AppendRow(table.Row{o.Experts, o.Pairs, digits(o.Right), digits(o.WeightedLoss)})
	t.Render()
	return nil
}
