package main

import (
	"errors"
	"fmt"

	"kobling/internal/app"
	"kobling/internal/audit"
	"kobling/internal/config"
	"kobling/internal/fault"
)

// servers is how a command finds both servers of an installation.
type servers struct {
	connection

	DatabaseURL config.Secret `name:"database-url" group:"connection" placeholder:"URL" help:"PostgreSQL of a service that does not run its own (KOBLING_DATABASE_URL)."`
}

// installation connects to the servers of the installation.
func (p *process) installation() (*app.Installation, error) {
	cfg, _, err := p.config()
	if err != nil {
		return nil, err
	}
	return app.OpenInstallation(p, cfg, version)
}

// alone is installation for what needs the installation for itself: embedded
// servers are started.
func (p *process) alone() (*app.Installation, error) {
	cfg, _, err := p.config()
	if err != nil {
		return nil, err
	}
	log, level, err := p.logger(cfg)
	if err != nil {
		return nil, err
	}
	return app.OpenInstallationAlone(p, cfg, app.Options{Version: version, Log: log, Level: level})
}

// either is installation if the service runs, and else alone.
func (p *process) either() (*app.Installation, error) {
	i, err := p.installation()
	if !errors.Is(err, fault.ErrUnavailable) {
		return i, err
	}
	i, aloneErr := p.alone()
	if aloneErr != nil {
		return nil, errors.Join(err, aloneErr)
	}
	return i, nil
}

type auditCmd struct {
	servers
	output

	Oracle bool `help:"Also recompute all suggestions from the profiles, and compare them."`
}

// Help is shown under --help.
func (*auditCmd) Help() string {
	return `Example: kobling audit --oracle

Compares the heads in the database, the documents of the index, the suggestions and the alerts with
the profiles on the stream. Nothing is changed. Each finding comes with the command that mends it;
with findings the exit code is 1.

--oracle scores every demand with every supply anew, without the index, and asks whether the live
suggestions are the same, with the same scores. Ten thousand of each take about a minute.

It can run while the service works. What is being worked on is not judged, but counted as waiting:
for a full answer wait until kobling status says that nothing is waiting.`
}

// errFindings is what audit returns when something is to be mended.
var errFindings = errors.New("something is to be mended")

// Run compares and prints.
func (c *auditCmd) Run(p *process) (err error) {
	i, err := p.installation()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	show := p.stages()
	report, err := i.Audit(p, c.Oracle, show.set)
	show.stop()
	if err != nil {
		return err
	}
	if c.JSON {
		err = p.printJSON(report)
	} else {
		c.print(p, report)
	}
	if len(report.Findings) > 0 {
		err = errors.Join(err, fmt.Errorf("%w: %d findings", errFindings, len(report.Findings)))
	}
	return err
}

func (c *auditCmd) print(p *process, r audit.Report) {
	n := r.Checked
	say(p.out, "Compared %d profiles on the stream, %d in the database, %d in the index.", n.Messages, n.Heads, n.Documents)
	if c.Oracle {
		say(p.out, "Scored %d pairs in epoch %d: %d suggestions must be live, %d are.", n.Pairs, r.Epoch, n.Expected, n.Live)
	}
	if n.Waiting+n.PairsLeft > 0 {
		say(p.out, "Not judged, because they are being worked on: %d profiles, %d pairs.", n.Waiting, n.PairsLeft)
	}
	if len(r.Findings) == 0 {
		say(p.out, "Nothing differs.")
		return
	}
	for _, f := range r.Findings {
		say(p.out, "%s: %d. Here %s", f.What, f.Count, f.Detail)
		if f.Example != "" {
			say(p.out, "  for example %s", f.Example)
		}
		say(p.out, "  run: %s", f.Mend)
	}
}
