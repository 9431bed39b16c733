package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"

	"kobling/internal/app"
	"kobling/internal/config"
)

type serveCmd struct {
	common
	config.Config `embed:"" group:"settings"`

	CPUProfile string `name:"cpuprofile" hidden:"" type:"path" placeholder:"FILE" help:"Write a CPU profile there, for go tool pprof."`
}

// Help is shown under --help.
func (*serveCmd) Help() string {
	return `Example: kobling serve --data-dir /var/lib/kobling

NATS runs inside this process and PostgreSQL under its care, with all data in the data directory, unless
--nats-url and --database-url name servers of your own. Stop it with Ctrl-C: what is in hand is finished
first, and nothing is lost if it is killed.`
}

// Run runs the service until it is told to stop.
func (c *serveCmd) Run(p *process) (err error) {
	cfg, _, err := p.config()
	if err != nil {
		return err
	}
	stop, err := profileCPU(c.CPUProfile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
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

// profileCPU writes a CPU profile until stop is called; without a name it does nothing.
func profileCPU(name string) (stop func() error, err error) {
	if name == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("--cpuprofile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("--cpuprofile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
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
	config.Config `embed:"" group:"settings"`
}

// Help is shown under --help.
func (*migrateCmd) Help() string {
	return `Example: kobling migrate --database-url postgres://kobling@db/kobling

Run it once before the first start and after each upgrade, with the same settings as serve. It can be
repeated and run from several places at once. Without servers of your own there is nothing to do:
serve looks after its own.`
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
	config.Config `embed:"" group:"settings"`
}

// Help is shown under --help.
func (*doctorCmd) Help() string {
	return `Example: kobling doctor --data-dir /var/lib/kobling

Nothing is started. It ends with exit code 1 when something must be mended first, and says what; "warn"
marks what works but could be better.`
}

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
			switch {
			case !f.OK:
				mark = "FAIL"
			case f.Warning:
				mark = "warn"
			}
			say(p.out, "%s  %-12s %s", mark, f.What, f.Detail)
		}
	}
	if !fit {
		return errors.Join(err, errUnfit)
	}
	return err
}
