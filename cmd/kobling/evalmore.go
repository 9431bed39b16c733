package main

import (
	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/eval"
	"kobling/internal/eval/suite"
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
	engine, err := c.open(profiles)
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

type evalSuiteCmd struct {
	output
	evalEngine

	Data string   `required:"" type:"existingdir" placeholder:"DIR" help:"The folder of collections: domain, ir-health, xling, expertise."`
	Only []string `placeholder:"NAME" help:"Measure these collections only."`
}

// Help is shown under --help.
func (*evalSuiteCmd) Help() string {
	return `Example: kobling eval suite --data . --only domain,scifact

Prints what every collection measures beside what it must and what it should. A collection whose
files are not there says so.`
}

// Run measures.
func (c *evalSuiteCmd) Run(p *process) error {
	figures, err := suite.Suite{
		Dir: c.Data, Engine: c.open, Only: c.Only,
		Progress: func(name string) { say(p.err, "Measuring %s …", name) },
	}.Run(p)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(figures)
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Collection", "Metric", "Queries", "Figure", "Must", "Aim", "Seconds"})
	for _, f := range figures {
		if f.Missing != "" {
			t.AppendRow(table.Row{f.Collection, f.Metric, "", "not there: " + f.Missing})
			continue
		}
		t.AppendRow(table.Row{f.Collection, f.Metric, f.Queries, digits(f.Value), goal(f.Must), goal(f.Aim), int(f.Seconds + .5)})
	}
	t.Render()
	return nil
}

// goal is a figure to reach, if one was set.
func goal(v float64) string {
	if v == 0 {
		return ""
	}
	return digits(v)
}
