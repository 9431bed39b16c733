package main

import (
	"context"
	"errors"

	"kobling/internal/app"
	"kobling/internal/config"
)

type serveCmd struct {
	common
	config.Config `embed:""`
}

// Help is shown under --help.
func (*serveCmd) Help() string {
	return `Example: kobling serve --nats-listen 0.0.0.0:4222 --smtp-url smtp://mail.example.org:587

Without --nats-url and --database-url the servers run inside this process and under its care, with
their data in --data-dir. Stop with Ctrl-C: what is in hand is finished first; nothing is lost either way.`
}

// Run runs the service until it is told to stop.
func (c *serveCmd) Run(p *process) (err error) {
	cfg, _, err := p.config()
	if err != nil {
		return err
	}
	a, err := p.start(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	info := a.Info()
	say(p.out, "kobling %s is running.", version)
	say(p.out, "  NATS     %s", info.NATSURL)
	say(p.out, "  HTTP     %s/readyz, %s/metrics", info.HTTP, info.HTTP)
	say(p.out, "  Data     %s", cfg.DataDir)
	if info.MailDir != "" {
		say(p.out, "  Mails    %s (no --smtp-url is set)", info.MailDir)
	}
	return a.Run(p)
}

// start opens everything with the process's own logger.
func (p *process) start(cfg config.Config) (*app.App, error) {
	log, level, err := p.logger(cfg)
	if err != nil {
		return nil, err
	}
	return app.Start(p, cfg, app.Options{Version: version, Log: log, Level: level})
}

type migrateCmd struct {
	common
	config.Config `embed:""`
}

// Help is shown under --help.
func (*migrateCmd) Help() string {
	return `Example: kobling migrate --database-url postgres://kobling@db/kobling --nats-url nats://nats:4222

Run it once before the first start and after each upgrade. It can be repeated and run from several
places at once. Embedded servers need no migrate: serve does it for its own.`
}

// Run creates or upgrades the tables and the streams.
func (c *migrateCmd) Run(p *process) error {
	cfg, _, err := p.config()
	if err != nil {
		return err
	}
	log, _, err := p.logger(cfg)
	if err != nil {
		return err
	}
	if cfg.EmbeddedDatabase() != cfg.EmbeddedNATS() {
		say(p.err, "Only what is not embedded is migrated here; serve migrates its own servers.")
	}
	if cfg.EmbeddedDatabase() && cfg.EmbeddedNATS() {
		say(p.out, "Both servers are embedded; serve migrates them when it starts.")
		return nil
	}
	if err := app.Migrate(p, cfg, log); err != nil {
		return err
	}
	say(p.out, "The database and the streams are up to date.")
	return nil
}

type doctorCmd struct {
	common
	output
	config.Config `embed:""`
}

// Help is shown under --help.
func (*doctorCmd) Help() string { return "Example: kobling doctor" }

// errUnfit is what doctor returns when something must be mended first.
var errUnfit = errors.New("something must be mended first")

// Run checks the machine and prints what it found.
func (c *doctorCmd) Run(p *process) error {
	cfg, _, err := p.config()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p, short)
	defer cancel()
	findings := app.Examine(ctx, cfg)
	fit := true
	for _, f := range findings {
		fit = fit && f.OK
	}
	if c.JSON {
		err = p.printJSON(findings)
	} else {
		for _, f := range findings {
			mark := "ok  "
			if !f.OK {
				mark = "FAIL"
			}
			say(p.out, "%s  %-12s %s", mark, f.What, f.Detail)
		}
	}
	if !fit {
		return errors.Join(err, errUnfit)
	}
	return err
}
