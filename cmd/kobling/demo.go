package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/config"
	"kobling/internal/demo"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

type demoCmd struct {
	common
	output
	config.Config `embed:"" group:"settings"`

	Once bool   `help:"Stop when everything is matched and told, instead of staying until Ctrl-C."`
	Lang string `default:"en" help:"Language of the reasons in the table: da nb nn sv fi nl en de fr."`
}

// Help is shown under --help.
func (*demoCmd) Help() string {
	return `Example: kobling demo --lang fi

Publishes some 60 invented needs and offers of six clusters in eight languages, matches them, writes
the advisors' mails into the data directory, and stays up so that you can try the other commands
with --data-dir. A second start finds everything as it was.`
}

// demoTimeout bounds publishing and matching the demonstration.
const demoTimeout = 5 * time.Minute

// Run shows the whole way on this machine.
func (c *demoCmd) Run(p *process) (err error) {
	if err := checkLang(c.Lang); err != nil {
		return err
	}
	data, err := demo.Load()
	if err != nil {
		return err
	}
	cfg, origin, err := p.config()
	if err != nil {
		return err
	}
	demoSettings(&cfg, origin, data)
	a, err := p.start(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()

	ctx, stop := context.WithCancel(p)
	running := make(chan error, 1)
	go func() { running <- a.Run(ctx) }()
	showing := make(chan error, 1)
	go func() { showing <- c.show(ctx, p, a, cfg, data) }()
	select {
	case err = <-showing:
		if err == nil && !c.Once {
			select {
			case <-p.Done():
			case err = <-running:
				running <- nil
			}
		}
		stop()
		return errors.Join(err, <-running)
	case err = <-running: // it could not stay up, or Ctrl-C
		stop()
		shown := <-showing
		if err == nil && p.Err() == nil {
			err = shown
		}
		return err
	}
}

// demoSettings gives the demonstration its own directory, free ports and a quiet
// log, unless the user said otherwise, and its tenants.
func demoSettings(cfg *config.Config, origin config.Origin, data *demo.Data) {
	if origin["data-dir"] == "default" {
		cfg.DataDir = filepath.Join(cfg.DataDir, "demo")
	}
	if origin["nats-listen"] == "default" {
		cfg.NATSListen = "127.0.0.1:0"
	}
	if origin["http-listen"] == "default" {
		cfg.HTTPListen = "127.0.0.1:0"
	}
	if origin["log-level"] == "default" {
		cfg.LogLevel = "error"
	}
	for _, cl := range data.Clusters {
		cfg.Clusters = append(cfg.Clusters, config.Cluster{ID: cl.ID, Name: cl.Name})
	}
	for _, n := range data.Networks {
		cfg.Networks = append(cfg.Networks, config.Network{ID: n.ID, Name: n.Name, Clusters: n.Clusters})
	}
}

// show publishes, waits, and prints what came of it.
func (c *demoCmd) show(ctx context.Context, p *process, a *app.App, cfg config.Config, data *demo.Data) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	client := a.Client()
	if err := awaitAPI(ctx, client); err != nil {
		return err
	}
	for _, s := range data.Subscriptions {
		if _, err := client.Subscribe(ctx, s); err != nil {
			return fmt.Errorf("subscribe %s: %w", s.Address, err)
		}
	}
	if err := publishDemo(ctx, p, client, data.Profiles); err != nil {
		return err
	}
	items, err := client.Suggestions(ctx, api.SuggestionsQuery{Lang: c.Lang, Filter: suggestion.Filter{}})
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(items)
	}
	printSuggestions(p.out, items)
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	say(p.out, "%d suggestions among %d profiles of %d clusters.", len(items), status.Profiles, len(data.Clusters))
	if status.MailDir != "" {
		mails, err := filepath.Glob(filepath.Join(status.MailDir, "*.eml"))
		if err != nil {
			return err
		}
		say(p.out, "The advisors' mails, %d of them, lie in %s\n", len(mails), status.MailDir)
		if err := showExample(ctx, p.out, client, data, items, status.MailDir); err != nil {
			return err
		}
	}
	if c.Once {
		return nil
	}
	info := a.Info()
	say(p.out, "Everything stays up until Ctrl-C. NATS %s, health %s/readyz, metrics %s/metrics", info.NATSURL, info.HTTP, info.HTTP)
	say(p.out, "Try in another terminal:")
	say(p.out, "  kobling explain --data-dir %s %s %s --lang nb", cfg.DataDir, items[0].DemandID, items[0].SupplyID)
	say(p.out, "  kobling search --data-dir %s \"dementia at home\"", cfg.DataDir)
	return nil
}

// awaitAPI waits until the service answers.
func awaitAPI(ctx context.Context, client *app.Client) error {
	for {
		_, err := client.Status(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// publishDemo publishes the profiles that are not there yet. What a process that
// was killed had published is taken in first, so nothing is revised by a restart.
func publishDemo(ctx context.Context, p *process, client *app.Client, profiles []profile.Profile) error {
	if err := client.AwaitIdle(ctx, func(api.Status) {}); err != nil {
		return err
	}
	b := newBar(p, "Publishing", int64(len(profiles)))
	defer b.stop()
	for i := range profiles {
		id := profiles[i].ID
		known, err := client.Receipt(ctx, id, 0)
		if err != nil {
			return err
		}
		if known.State == api.Waits { // nothing is known of it
			body, err := json.Marshal(profiles[i])
			if err != nil {
				return err
			}
			if _, err := client.Submit(ctx, app.Submission{ID: id, Type: event.TypeSubmitted, Data: body, EventID: "demo-" + string(id)}); err != nil {
				return err
			}
		}
		b.add()
	}
	return client.AwaitIdle(ctx, func(api.Status) {})
}
