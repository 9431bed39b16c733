package main

import (
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/api"
	"kobling/internal/config"
	"kobling/internal/profile"
	"kobling/internal/rebuild"
	"kobling/internal/suggestion"
)

// rebuildCmd makes anew what was lost.
type rebuildCmd struct {
	Index  rebuildIndexCmd  `cmd:"" help:"Have every process begin its index anew."`
	Heads  rebuildHeadsCmd  `cmd:"" help:"Have all profiles matched again, for a database that lost something."`
	Stream rebuildStreamCmd `cmd:"" help:"Make streams anew that lost something, from what is left and the database."`
}

type rebuildIndexCmd struct {
	servers
	output
}

// Help is shown under --help.
func (*rebuildIndexCmd) Help() string {
	return `Example: kobling rebuild index

Processes that run begin at once, others when they start; the old index is removed. Nothing is lost:
matching waits until the index has come far enough, which kobling status shows as index_applied.
Damage that a start finds by itself needs no command.`
}

// Run asks for it.
func (c *rebuildIndexCmd) Run(p *process) (err error) {
	i, err := p.either()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	generation, err := i.RebuildIndex(p)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(map[string]int{"generation": generation})
	}
	say(p.out, "Index %d is asked for. Running processes begin it at once, others when they start.", generation)
	return nil
}

type rebuildHeadsCmd struct {
	servers
	output
}

// Help is shown under --help.
func (*rebuildHeadsCmd) Help() string {
	return `Example: kobling rebuild heads

For a database that was restored from an older dump or lost rows, and for suggestions or alerts that
kobling audit misses. Every profile on the stream is handled once more. What the database still has
is told as ever. What it learns anew of profiles that had been matched before is told to nobody,
because nobody knows who was told already: kobling withheld list shows it, and kobling withheld
release has it told.

It may run while the service does; a stopped one goes on when it starts.`
}

// Run begins it.
func (c *rebuildHeadsCmd) Run(p *process) (err error) {
	i, err := p.either()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	r, err := i.RebuildHeads(p)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(r)
	}
	say(p.out, "%d profiles are matched again while the service runs; how far it is: kobling status", r.Profiles)
	say(p.out, "Then see what was told to nobody: kobling withheld list")
	return nil
}

type rebuildStreamCmd struct {
	common
	output
	config.Config `embed:"" group:"settings"`

	DryRun bool `help:"Say what is lost, and change nothing."`
	Force  bool `help:"Also when nothing is known to be lost."`
}

// Help is shown under --help.
func (*rebuildStreamCmd) Help() string {
	return `Example: kobling rebuild stream --dry-run

For a start that says that a stream lost data. The service must be stopped; give the settings that
serve is given. PROFILES is made anew of what is left of it and of the database, whichever has the
later revision. Submissions that were accepted and of which neither has anything are made again, if
INTAKE still has them. A profile that ended at a revision that is lost is paused, never published.
All profiles are matched again afterwards; nobody is told of what the database knew before.

If it is cut off, run it again.`
}

// Run plans, and does it.
func (c *rebuildStreamCmd) Run(p *process) (err error) {
	i, err := p.alone()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	show := p.stages()
	defer show.stop()
	r, err := i.Rebuilder(p, show.set)
	if err != nil {
		return err
	}
	plan, err := r.Plan(p)
	if err != nil {
		return err
	}
	done := !c.DryRun && (plan.Lost || c.Force)
	if done {
		if err := r.Run(p, plan, c.Force); err != nil {
			return err
		}
		if err := i.MigrateStreams(p); err != nil {
			return err
		}
	}
	show.stop()
	if c.JSON {
		return p.printJSON(struct {
			*rebuild.Plan

			Done bool `json:"done"`
		}{plan, done})
	}
	if !plan.Lost {
		say(p.out, "Nothing is known to be lost.")
		if !done {
			return nil
		}
	}
	say(p.out, "%d profiles: %d as the stream has them, %d as the database has them.", plan.Profiles, plan.FromStream, plan.FromDatabase)
	say(p.out, "%d submissions of which nothing is left are made again.", plan.Resubmitted)
	for _, id := range plan.Paused {
		say(p.out, "  %s ended at a revision that is lost: it is paused.", id)
	}
	for _, id := range plan.Unknown {
		say(p.out, "  of %s nothing is left.", id)
	}
	if !done {
		say(p.out, "Nothing was changed.")
		return nil
	}
	say(p.out, "Done. Start the service: everything is matched again.")
	return nil
}

// withheldCmd shows and releases what a recovery brought.
type withheldCmd struct {
	List    withheldListCmd    `cmd:"" help:"List the suggestions of which nobody was told."`
	Release withheldReleaseCmd `cmd:"" help:"Have those told to whom it concerns."`
}

type withheldListCmd struct {
	servers
	output
}

// Help is shown under --help.
func (*withheldListCmd) Help() string {
	return `Example: kobling withheld list

After kobling rebuild or restore: suggestions that became live by it. Perhaps they had been told of
before what was lost. They are shown like all others; only alerts are held back.`
}

// withheldPage is how many are read at a time.
const withheldPage = 500

// Run lists them.
func (c *withheldListCmd) Run(p *process) (err error) {
	i, err := p.installation()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	all := []suggestion.Suggestion{}
	for {
		page, err := i.Withheld(p, withheldPage, len(all))
		if err != nil {
			return err
		}
		for _, r := range page {
			all = append(all, suggestion.Suggestion{
				DemandID: r.Demand, SupplyID: r.Supply, Score: r.Score, Band: r.Band, FirstLiveAt: r.FirstLiveAt.UTC(),
				DemandTitle: r.DemandProfile.Title(""), SupplyTitle: r.SupplyProfile.Title(""),
			})
		}
		if len(page) < withheldPage {
			break
		}
	}
	if c.JSON {
		return p.printJSON(api.Suggestions{Items: all})
	}
	if len(all) == 0 {
		say(p.out, "Nothing is withheld.")
		return nil
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Score", "Demand", "Supply", "Live since"})
	for _, s := range all {
		t.AppendRow(table.Row{fmt.Sprintf("%.2f", s.Score), s.DemandID, s.SupplyID, s.FirstLiveAt.Format("2006-01-02 15:04")})
	}
	t.Render()
	say(p.out, "To have them told: kobling withheld release --all, or name a profile")
	return nil
}

type withheldReleaseCmd struct {
	servers
	output

	Profile string `arg:"" optional:"" help:"Of this profile."`
	All     bool   `help:"Of all profiles."`
}

// Help is shown under --help.
func (*withheldReleaseCmd) Help() string {
	return `Example: kobling withheld release offer.dtu.fald

Whoever subscribes to it and was not told yet, as far as the database knows, is told.`
}

// Run releases.
func (c *withheldReleaseCmd) Run(p *process) (err error) {
	if c.All == (c.Profile != "") {
		return fmt.Errorf("name one profile, or give --all (%w)", errUsage)
	}
	var id profile.ID
	if c.Profile != "" {
		if id, err = parseID(c.Profile); err != nil {
			return err
		}
	}
	i, err := p.installation()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	n, err := i.Release(p, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(map[string]int{"released": n})
	}
	say(p.out, "Released what %d profiles are part of.", n)
	return nil
}
