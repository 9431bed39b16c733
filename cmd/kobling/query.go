package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

type suggestionsCmd struct {
	connection
	output

	ID      string `arg:"" optional:"" help:"Only those of this profile: <kind>.<organisation>.<name>."`
	Cluster string `placeholder:"ID" help:"Only with a profile of this cluster."`
	Band    string `enum:"possible,strong" default:"possible" help:"At least this band: possible or strong."`
	Lang    string `default:"en" help:"Language of the reasons: da nb nn sv fi nl en de fr."`
	Limit   int    `default:"50" help:"How many, strongest first; 0 for all."`
}

// Help is shown under --help.
func (*suggestionsCmd) Help() string {
	return `Example: kobling suggestions need.vaktsom.fall-sensor --lang fi

Each suggestion is a demand and a supply that may fit, with a score from 0 to 1, a band (possible or
strong) and the reasons: what both texts say, quoted from each. "Also posted as" marks what an organisation
posted twice, as a translation for instance: the other one's suggestion came first.`
}

// Run prints the suggestions.
func (c *suggestionsCmd) Run(p *process) error {
	if err := checkLang(c.Lang); err != nil {
		return err
	}
	q := api.SuggestionsQuery{Lang: c.Lang, Filter: suggestion.Filter{Cluster: c.Cluster, MinBand: suggestion.Band(c.Band), Limit: c.Limit}}
	if c.ID != "" {
		id, err := parseID(c.ID)
		if err != nil {
			return err
		}
		q.Profile = id
	}
	return p.ask(func(ctx context.Context, client *app.Client) error {
		items, err := client.Suggestions(ctx, q)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(items)
		}
		if len(items) == 0 {
			say(p.out, "No suggestions. What has not been matched yet shows in: kobling status")
			return nil
		}
		printSuggestions(p.out, items)
		return nil
	})
}

// printSuggestions writes a table of pairs with their reasons.
func printSuggestions(w io.Writer, items []suggestion.Suggestion) {
	t := newTable(w)
	t.AppendHeader(table.Row{"Demand", "Supply", "Score", "Band", "Reasons"})
	wrapped := func(column, width int) table.ColumnConfig {
		return table.ColumnConfig{Number: column, WidthMax: width, WidthMaxEnforcer: wrapLines}
	}
	t.SetColumnConfigs([]table.ColumnConfig{wrapped(1, 38), wrapped(2, 38), {Number: 3, Align: text.AlignRight}, wrapped(5, 60)})
	for _, s := range items {
		demand, supply := s.DemandTitle+"\n"+string(s.DemandID), s.SupplyTitle+"\n"+string(s.SupplyID)
		if x := s.AlsoPostedAs; x != nil {
			also := "\nalso posted as " + string(x.ID)
			if x.ID.Side() == profile.Demand {
				demand += also
			} else {
				supply += also
			}
		}
		t.AppendRow(table.Row{demand, supply, fmt.Sprintf("%.2f", s.Score), s.Band, reasonLines(s.Reasons, 4)})
		t.AppendSeparator()
	}
	t.Render()
}

// wrapLines breaks each line between words; text.WrapSoft joins lines.
func wrapLines(s string, width int) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(text.WrapSoft(lines[i], width), " ")
	}
	return strings.Join(lines, "\n")
}

func newTable(w io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	return t
}

// reasonLines writes the first n reasons that a person can use, one a line.
func reasonLines(reasons []suggestion.Explained, n int) string {
	var lines []string
	for _, r := range reasons {
		if r.Kind == "ngram" {
			continue // a likeness of letters says nothing to a reader
		}
		line := r.Label
		if d, s := quote(r.Demand), quote(r.Supply); d != "" && s != "" {
			line += ": " + d + " ↔ " + s
		}
		if lines = append(lines, line); len(lines) == n {
			break
		}
	}
	return strings.Join(lines, "\n")
}

func quote(spans []suggestion.Span) string {
	if len(spans) == 0 {
		return ""
	}
	return spans[0].Text
}

type searchCmd struct {
	connection
	output

	Text  []string `arg:"" help:"Words, in any language."`
	Side  string   `enum:"demand,supply,both" default:"both" help:"demand (needs), supply (offers, test places) or both."`
	From  string   `name:"from" placeholder:"LANG" help:"Language of the words, when it cannot be told from them."`
	Lang  string   `default:"en" help:"Language of titles and reasons: da nb nn sv fi nl en de fr."`
	Limit int      `default:"10" help:"How many, best first."`
}

// Help is shown under --help.
func (*searchCmd) Help() string {
	return `Example: kobling search "dementia at home" --side supply

The words are compared with all published profiles, also with those written in other languages.`
}

// Run prints the profiles found.
func (c *searchCmd) Run(p *process) error {
	if err := errors.Join(checkLang(c.From), checkLang(c.Lang)); err != nil {
		return err
	}
	q := api.SearchQuery{Text: strings.Join(c.Text, " "), Lang: c.From, Reader: c.Lang, Limit: c.Limit}
	if c.Side != "both" {
		q.Side = profile.Side(c.Side)
	}
	return p.ask(func(ctx context.Context, client *app.Client) error {
		hits, err := client.Search(ctx, q)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(hits.Items)
		}
		if len(hits.Items) == 0 {
			say(p.out, "Nothing found.")
			return nil
		}
		t := newTable(p.out)
		t.AppendHeader(table.Row{"Profile", "Organisation", "Score", "Why"})
		t.SetColumnConfigs([]table.ColumnConfig{{Number: 1, WidthMax: 60}, {Number: 2, WidthMax: 30}, {Number: 4, WidthMax: 50}})
		for _, h := range hits.Items {
			t.AppendRow(table.Row{h.Title + "\n" + string(h.ID), strings.TrimPrefix(h.Organisation+", "+h.Country, ", "), fmt.Sprintf("%.2f", h.Score), reasonLines(h.Reasons, 3)})
			t.AppendSeparator()
		}
		t.Render()
		return nil
	})
}

type explainCmd struct {
	connection
	output

	Demand string `arg:"" help:"The need or public need: <kind>.<organisation>.<name>."`
	Supply string `arg:"" help:"The offer or test place: <kind>.<organisation>.<name>."`
	Lang   string `default:"en" help:"Language of the reasons: da nb nn sv fi nl en de fr."`
}

// Help is shown under --help.
func (*explainCmd) Help() string {
	return `Example: kobling explain need.vaktsom.fall-sensor test_place.oulu.home

All that makes up the score is listed, and what keeps the two apart, if anything does. The two need not
be suggested to each other.`
}

// Run prints every part of the score, the reasons and what keeps the pair back.
func (c *explainCmd) Run(p *process) error {
	if err := checkLang(c.Lang); err != nil {
		return err
	}
	demand, err := parseID(c.Demand)
	if err != nil {
		return err
	}
	supply, err := parseID(c.Supply)
	if err != nil {
		return err
	}
	return p.ask(func(ctx context.Context, client *app.Client) error {
		e, err := client.Explain(ctx, api.ExplainQuery{DemandID: demand, SupplyID: supply, Lang: c.Lang})
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(e)
		}
		printExplanation(p.out, e)
		return nil
	})
}

func printExplanation(w io.Writer, e api.Explanation) {
	say(w, "%s\n  %s\n%s\n  %s\n", e.DemandTitle, e.DemandID, e.SupplyTitle, e.SupplyID)
	band := string(e.Band)
	if band == "" {
		band = "no suggestion"
	}
	say(w, "Score %.4f, %s (text part %.4f, at least %.4f is needed; epoch %d)", e.Score, band, e.Text, e.Floor, e.Epoch)
	for _, part := range e.Parts {
		say(w, "  %-14s %+.4f", part.Name, part.Points)
	}
	for _, b := range e.Blockers {
		say(w, "  blocked by %s", b)
	}
	switch {
	case e.Live:
		say(w, "The suggestion is shown.")
	case len(e.Gate) > 0:
		say(w, "The suggestion is not shown: %s.", strings.Join(e.Gate, "; "))
	}
	if len(e.Reasons) == 0 {
		say(w, "The two have nothing in common that the system knows of.")
		return
	}
	t := newTable(w)
	t.AppendHeader(table.Row{"Reason", "In the demand", "In the supply", "Share"})
	for _, r := range e.Reasons {
		t.AppendRow(table.Row{r.Label, spanWords(r.Demand), spanWords(r.Supply), fmt.Sprintf("%.3f", r.Points)})
	}
	t.Render()
}

func spanWords(spans []suggestion.Span) string {
	var words []string
	for _, s := range spans[:min(len(spans), 3)] {
		words = append(words, s.Text)
	}
	return strings.Join(words, ", ")
}

type statusCmd struct {
	connection
	output
}

// Help is shown under --help.
func (*statusCmd) Help() string {
	return `Example: kobling status --json

A suggestion appears once nothing is waiting to be taken in or matched.`
}

// Run prints how far the work has come.
func (c *statusCmd) Run(p *process) error {
	return p.ask(func(ctx context.Context, client *app.Client) error {
		s, err := client.Status(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(s)
		}
		say(p.out, "%d profiles, %d suggestions, %d refused submissions, %d dead letters (epoch %d, version %s)",
			s.Profiles, s.Suggestions, s.Rejections, s.DeadLetters, s.Epoch, s.Version)
		if s.Waiting.Idle() {
			say(p.out, "Nothing is waiting.")
		} else {
			say(p.out, "Waiting: %d to take in, %d to match, %d to tell, %d events to publish", s.Waiting.Intake, s.Waiting.Match, s.Waiting.Notify, s.Waiting.Events)
		}
		if r := s.Rematch; r != nil {
			say(p.out, "Matching again in epoch %d: %d of %d profiles; follow it with: kobling rematch --watch", r.Epoch, r.Done, r.Total)
		}
		for name, state := range s.Checks {
			if state != "ok" {
				say(p.out, "Not ready: %s: %s", name, state)
			}
		}
		return nil
	})
}

type subscribeCmd struct {
	connection
	output

	Cluster string `arg:"" help:"The cluster whose suggestions are told; \"default\" is always there."`
	Address string `arg:"" help:"E-mail address, or https://… for a webhook."`
	Name    string `placeholder:"NAME" help:"Name of the reader, for the greeting."`
	Lang    string `default:"en" help:"Language of the reasons: da nb nn sv fi nl en de fr. Letters in de and fr are English around them."`
	Band    string `enum:"possible,strong" default:"possible" help:"At least this band: possible or strong."`
}

// Help is shown under --help.
func (*subscribeCmd) Help() string {
	return `Example: kobling subscribe default aino@example.org --lang fi

Only suggestions that appear from now on are told. A webhook's signing secret is printed this once.`
}

// Run makes the subscription.
func (c *subscribeCmd) Run(p *process) error {
	if err := checkLang(c.Lang); err != nil {
		return err
	}
	s := alert.Subscription{Cluster: c.Cluster, Address: c.Address, Name: c.Name, Language: c.Lang, MinBand: suggestion.Band(c.Band), Channel: alert.Email}
	if strings.Contains(c.Address, "://") {
		s.Channel = alert.Webhook
	}
	return p.ask(func(ctx context.Context, client *app.Client) error {
		made, err := client.Subscribe(ctx, s)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(made)
		}
		say(p.out, "Subscription %s: %s of cluster %s by %s", made.ID, made.Address, made.Cluster, made.Channel)
		if made.Secret != "" {
			say(p.out, "Signing secret, shown this once: %s", made.Secret)
		}
		return nil
	})
}

type subscriptionsCmd struct {
	connection
	output
}

// Help is shown under --help.
func (*subscriptionsCmd) Help() string { return "Example: kobling subscriptions --json" }

// Run lists the subscriptions.
func (c *subscriptionsCmd) Run(p *process) error {
	return p.ask(func(ctx context.Context, client *app.Client) error {
		all, err := client.Subscriptions(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(all.Items)
		}
		t := newTable(p.out)
		t.AppendHeader(table.Row{"Id", "Cluster", "Address", "Language", "From band", "Active"})
		for _, s := range all.Items {
			t.AppendRow(table.Row{s.ID, s.Cluster, s.Address, s.Language, s.MinBand, s.Active})
		}
		t.Render()
		return nil
	})
}

type unsubscribeCmd struct {
	connection

	ID string `arg:"" help:"The subscription's id."`
}

// Help is shown under --help.
func (*unsubscribeCmd) Help() string {
	return `Example: kobling unsubscribe 01a20da4-9f72-7c75-8cb4-881a59bf57de

The ids are listed by: kobling subscriptions`
}

// Run ends the subscription.
func (c *unsubscribeCmd) Run(p *process) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no subscription's id; list them with: kobling subscriptions (%w)", c.ID, errUsage)
	}
	return p.ask(func(ctx context.Context, client *app.Client) error {
		if err := client.Unsubscribe(ctx, id); err != nil {
			return err
		}
		say(p.out, "Subscription %s has ended.", id)
		return nil
	})
}
