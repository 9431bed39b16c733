package main

import (
	"github.com/jedib0t/go-pretty/v6/table"

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
