package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"kobling/internal/eval"
	"kobling/internal/eval/suite"
)

type evalSuiteCmd struct {
	output
	evalEngine

	Data string   `required:"" type:"existingdir" placeholder:"DIR" help:"The folder of collections: domain, ir-health, xling, expertise."`
	Only []string `placeholder:"NAME" help:"Measure these collections only."`
}

// Help is shown under --help.
func (*evalSuiteCmd) Help() string {
	return `Example: kobling eval suite --data . --only domain,scifact

Prints what every collection measures beside what it must and what it should reach, which of the two it
does reach, and how long it took. A collection whose files are not there says so.`
}

// Run measures.
func (c *evalSuiteCmd) Run(p *process) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := suite.Known(c.Only); err != nil {
		return fmt.Errorf("--only: %w (%w)", err, errUsage)
	}
	if err := c.prepare(p); err != nil { // now, so that no collection is said to take as long
		return err
	}
	figures, err := suite.Suite{
		Dir: c.Data, Only: c.Only,
		Engine:   func(docs []eval.Document) (eval.Engine, error) { return c.open(p, docs) },
		Progress: func(name string) { say(p.err, "Measuring %s …", name) },
	}.Run(p)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(figures)
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Collection", "Metric", "Queries", "Figure", "Must", "Aim", "Reached", "Seconds"})
	t.SetColumnConfigs([]table.ColumnConfig{{Name: "Queries", Align: text.AlignRight}, {Name: "Seconds", Align: text.AlignRight}})
	of := ""
	var gone []string
	for _, f := range figures {
		seconds := ""
		if f.Collection != of { // once a collection, so that the column adds up
			seconds = strconv.Itoa(int(f.Seconds + .5))
		}
		of = f.Collection
		if f.Missing != "" {
			t.AppendRow(table.Row{f.Collection, f.Metric, "", "", goal(f.Must), goal(f.Aim)})
			gone = append(gone, f.Missing)
			continue
		}
		t.AppendRow(table.Row{f.Collection, f.Metric, f.Queries, digits(f.Value), goal(f.Must), goal(f.Aim), reached(f), seconds})
	}
	t.Render()
	for _, file := range slices.Compact(gone) {
		say(p.out, "not there: %s", file)
	}
	return nil
}

// reached says which of its goals a figure reaches, if it has any.
func reached(f suite.Figure) string {
	switch {
	case f.Must == 0:
		return ""
	case f.Value >= f.Aim:
		return "aim"
	case f.Value >= f.Must:
		return "must"
	}
	return "no"
}

// goal is a figure to reach, if one was set.
func goal(v float64) string {
	if v == 0 {
		return ""
	}
	return digits(v)
}
