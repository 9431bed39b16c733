package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/app"
	"kobling/internal/config"
	"kobling/internal/epoch"
	"kobling/internal/score"
)

// epochCmd looks after the epochs by which profiles are matched.
type epochCmd struct {
	Show epochShowCmd `cmd:"" help:"Say by what the profiles are matched now."`
	Make epochMakeCmd `cmd:"" help:"Begin a new epoch with the packs and the profiles of now."`
}

// installation is how a command finds the database of a service, and its packs.
type installation struct {
	common `group:"connection"`

	DataDir     string        `name:"data-dir" group:"connection" placeholder:"DIR" help:"Data directory of the running service, with the packs (KOBLING_DATA_DIR)."`
	DatabaseURL config.Secret `name:"database-url" group:"connection" placeholder:"URL" help:"PostgreSQL of a service that does not run its own (KOBLING_DATABASE_URL)."`
}

// epochs connects to the epochs of the installation.
func (p *process) epochs() (*app.Epochs, error) {
	cfg, _, err := p.config()
	if err != nil {
		return nil, err
	}
	return app.OpenEpochs(p, cfg, version)
}

type epochShowCmd struct {
	installation
	output
}

// Help is shown under --help.
func (*epochShowCmd) Help() string {
	return `Example: kobling epoch show --json

An epoch is one way of judging pairs: this program, the packs, what is common among the profiles, and
the scores at which suggestions begin. All processes of an installation judge by the same one.`
}

// Run prints the active epoch.
func (c *epochShowCmd) Run(p *process) error {
	epochs, err := p.epochs()
	if err != nil {
		return err
	}
	defer epochs.Close()
	active, err := epochs.Active(p)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(active)
	}
	if active.Number == 0 {
		say(p.out, "There is no epoch yet: start kobling serve.")
		return nil
	}
	say(p.out, "Epoch %d, since %s", active.Number, active.Since.Format("2006-01-02 15:04 MST"))
	say(p.out, "  %-12s %s", "Fingerprint", active.Fingerprint)
	if active.About.Maker == "" {
		say(p.out, "  It was made by a version of kobling that kept nothing else of it.")
		return nil
	}
	say(p.out, "  %-12s kobling %s", "Made by", active.About.Program)
	printAbout(p.out, active.About)
	return nil
}

// printAbout writes what a model is made of.
func printAbout(w io.Writer, a score.About) {
	packs := "none"
	if a.Tables != "" {
		packs = "of the built-in concepts only"
	}
	for i, s := range a.Packs {
		if i == 0 {
			packs = ""
		}
		packs += fmt.Sprintf("%s%s (%s; sha256 %.12s)", strings.Repeat(", ", min(i, 1)), s.Name, s.Licence, s.SHA256)
	}
	say(w, "  %-12s %s", "Packs", packs)
	if a.Total > 0 {
		say(w, "  %-12s %d of %s: %s; %d terms", "Profiles", a.Total, a.Made.Format(time.DateOnly), byLanguage(a.Profiles), a.Terms)
	} else {
		say(w, "  %-12s none counted yet", "Profiles")
	}
	t := a.Thresholds
	say(w, "  %-12s text part %.4f, possible from %.4f, strong from %.4f, near-duplicates from %.4f", "Thresholds",
		float64(t.Floor)/score.TextMax, float64(t.Possible)/10000, float64(t.Strong)/10000, float64(t.Twin)/10000)
	if a.Pairs > 0 {
		say(w, "  %-12s %.1f of a profile on average, when it was made", "Suggestions", a.Pairs)
	}
}

type epochMakeCmd struct {
	installation
	output

	DryRun       bool `help:"Measure and print only."`
	WithoutPacks bool `help:"Leave the packs of the data directory out."`
	TakeOver     bool `help:"Do so although another version of kobling made the active epoch; processes of that version stop."`
}

// Help is shown under --help.
func (*epochMakeCmd) Help() string {
	return `Example: kobling epoch make --dry-run

Reads all published profiles, counts how common each word is among them, takes the packs that are
compiled in the data directory, and makes of both the next epoch. Before it begins, the suggestions
that there will be are counted: if a profile has more than 20 on average, "possible" begins at a
higher score; if it still has more than 50, nothing is made and the exit code is 1.

  kobling lexicon import dictionary.tsv --name mine --licence CC0 --source us
  kobling epoch make

The running processes take the new epoch up by themselves and match everything again. What only a new
epoch brings is alerted in digests, not one by one. Run it after packs have changed, and when the
number of profiles has doubled.`
}

// Run makes the epoch and says what comes of it.
func (c *epochMakeCmd) Run(p *process) error {
	epochs, err := p.epochs()
	if err != nil {
		return err
	}
	defer epochs.Close()
	show := p.stages()
	made, err := epochs.Make(p, app.MakeEpoch{
		WithoutPacks: c.WithoutPacks, DryRun: c.DryRun, TakeOver: c.TakeOver,
		Progress: show.set,
	})
	show.stop()
	if err != nil && !errors.Is(err, epoch.ErrTooMany) {
		return err
	}
	if c.JSON {
		return errors.Join(p.printJSON(made), err)
	}
	printVolume(p.out, made)
	if err != nil {
		return fmt.Errorf("no epoch was made: %w", err)
	}
	switch {
	case made.Same:
		say(p.out, "Nothing differs from epoch %d, which is active: none was made.", made.Number)
	case !made.Made:
		say(p.out, "This would be epoch %d; nothing was changed.", made.Number)
	default:
		say(p.out, "Epoch %d is active. The running processes take it up by themselves and match everything again;", made.Number)
		say(p.out, "what that brings is alerted in digests only. How far it is: kobling rematch --watch")
	}
	return nil
}

// printVolume writes of what an epoch is and how many suggestions it gives.
func printVolume(w io.Writer, made app.NewEpoch) {
	printAbout(w, made.About)
	v := made.Volume
	if v.Sample == 0 {
		return
	}
	say(w, "Suggestions of %d demands, out of %d, among %d supplies:", v.Sample, v.Demands, v.Supplies)
	t := newTable(w)
	t.AppendHeader(table.Row{"Suggestions", "Demands", ""})
	for _, b := range made.Histogram {
		name := fmt.Sprintf("%d to %d", b.Least, b.Most)
		switch {
		case b.Least == b.Most:
			name = strconv.Itoa(b.Least)
		case b.Most == 0:
			name = fmt.Sprintf("%d and more", b.Least)
		}
		t.AppendRow(table.Row{name, b.Demands, strings.Repeat("▆", (40*b.Demands+v.Sample-1)/v.Sample)})
	}
	t.Render()
	if t := made.About.Thresholds; t.Possible > score.DefaultThresholds().Possible {
		say(w, "So that there are not more, \"possible\" begins at %.4f instead of %.4f.", float64(t.Possible)/10000, float64(score.DefaultThresholds().Possible)/10000)
	}
}
