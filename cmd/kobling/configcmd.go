package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/config"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say whether the settings are sound."`
	Show  configShowCmd  `cmd:"" help:"Show every setting, its value and where it comes from."`
	Init  configInitCmd  `cmd:"" help:"Write a configuration file with every setting at its default."`
}

type configCheckCmd struct{ common }

// Help is shown under --help.
func (*configCheckCmd) Help() string { return "Example: kobling config check --config kobling.yaml" }

// Run loads the settings; the error names all that is wrong.
func (c *configCheckCmd) Run(p *process) error {
	if _, _, err := p.config(); err != nil {
		return err
	}
	say(p.out, "The configuration is sound.")
	return nil
}

type configShowCmd struct {
	common
	output
}

// Help is shown under --help.
func (*configShowCmd) Help() string {
	return `Example: kobling config show --config kobling.yaml

A setting comes from a flag, else from the environment, else from the file, else it is the default.
Secrets are hidden.`
}

// Run prints every setting.
func (c *configShowCmd) Run(p *process) error {
	cfg, origin, err := p.config()
	if err != nil {
		return err
	}
	type row struct {
		Name  string `json:"name"`
		Value string `json:"value"`
		From  string `json:"from"`
		Env   string `json:"env"`
	}
	var rows []row
	for _, s := range config.Settings() {
		rows = append(rows, row{s.Name, cfg.Text(s), origin[s.Name], s.Env})
	}
	if c.JSON {
		return p.printJSON(rows)
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Setting", "Value", "From", "Environment"})
	for _, r := range rows {
		t.AppendRow(table.Row{r.Name, r.Value, r.From, r.Env})
	}
	t.Render()
	for _, cl := range cfg.Clusters {
		say(p.out, "cluster %s: %s", cl.ID, cl.Name)
	}
	for _, n := range cfg.Networks {
		say(p.out, "network %s: %s %v", n.ID, n.Name, n.Clusters)
	}
	return nil
}

type configInitCmd struct {
	File string `arg:"" default:"kobling.yaml" help:"File to write; - for standard output."`
}

// Help is shown under --help.
func (*configInitCmd) Help() string {
	return `Example: kobling config init /etc/kobling.yaml

A file that is there already is left alone.`
}

// Run writes the template; an existing file is left alone.
func (c *configInitCmd) Run(p *process) error {
	if c.File == "-" {
		_, err := fmt.Fprint(p.out, config.Template())
		return err
	}
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already; it was left as it is", c.File)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(config.Template())
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	say(p.out, "Wrote %s. Check it with: kobling config check --config %s", c.File, c.File)
	return nil
}
