package main

import (
	"errors"
	"path/filepath"

	"kobling/internal/app"
	"kobling/internal/backup"
	"kobling/internal/config"
)

type backupCmd struct {
	servers
	output

	Dir string `arg:"" help:"Directory to make."`
}

// Help is shown under --help.
func (*backupCmd) Help() string {
	return `Example: kobling backup /var/backups/kobling-monday

Writes the database and the streams, with a manifest and checksums, while the service runs or not.
Imported packs are not part of it, but what the active epoch has of them is. The directory holds
everything that was published and every address: keep it as safe as the installation.

PostgreSQL's program pg_dump must be at least as new as the server.`
}

// Run writes the backup.
func (c *backupCmd) Run(p *process) (err error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	i, err := p.either()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	show := p.stages()
	m, err := i.Backup(p, dir, files(show))
	show.stop()
	if err != nil {
		return err
	}
	return c.print(p, m, dir)
}

// files shows how far each file is.
func files(show *stages) backup.Progress {
	return func(file string, bytes int64) { show.set(file, int(bytes), 0) }
}

func (c *backupCmd) print(p *process, m backup.Manifest, dir string) error {
	if c.JSON {
		return p.printJSON(m)
	}
	total := int64(0)
	for _, f := range m.Files {
		total += f.Bytes
	}
	say(p.out, "%s holds %d files with %.1f MiB.", dir, len(m.Files), float64(total)/(1<<20))
	return nil
}

type restoreCmd struct {
	common
	output
	config.Config `embed:"" group:"settings"`

	Dir    string `arg:"" help:"Directory that kobling backup made."`
	Verify bool   `help:"Compare the files with their checksums, and restore nothing."`
}

// Help is shown under --help.
func (*restoreCmd) Help() string {
	return `Example: kobling restore /var/backups/kobling-monday --data-dir /var/lib/kobling

Give the settings of the installation to be, as to serve. It must be empty and stopped: a new data
directory, or an empty database and NATS account. All files are verified first.

What was published after the database had been written is matched when the service starts, and told
to nobody, because nobody knows who was told already: see kobling withheld list. Alerts that were
waiting are sent. To look around without sending any, start kobling serve --roles=api,match.`
}

// Run restores.
func (c *restoreCmd) Run(p *process) error {
	show := p.stages()
	defer show.stop()
	if c.Verify {
		m, err := backup.Read(p, c.Dir, files(show))
		if err != nil {
			return err
		}
		show.stop()
		if c.JSON {
			return p.printJSON(m)
		}
		say(p.out, "The backup of %s is whole.", m.Made.Format("2006-01-02 15:04 MST"))
		return nil
	}
	cfg, _, err := p.config()
	if err != nil {
		return err
	}
	log, level, err := p.logger(cfg)
	if err != nil {
		return err
	}
	m, err := app.Restore(p, cfg, app.Options{Version: version, Log: log, Level: level}, c.Dir, files(show))
	show.stop()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(m)
	}
	say(p.out, "The backup of %s is restored. Start the service; then see: kobling withheld list", m.Made.Format("2006-01-02 15:04 MST"))
	return nil
}
