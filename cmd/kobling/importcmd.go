package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"golang.org/x/sync/errgroup"

	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/event"
	"kobling/internal/importer"
	"kobling/internal/profile"
)

type importCmd struct {
	connection
	output

	Files   []string          `arg:"" help:"Files, also .gz; - for standard input."`
	Format  string            `enum:"auto,jsonl,csv" default:"auto" help:"jsonl or csv; auto goes by the name."`
	Map     map[string]string `placeholder:"FIELD=SOURCE" help:"Take a field from this column or JSON key; several joined by +."`
	Set     map[string]string `placeholder:"FIELD=VALUE" help:"Give a field the same value in every record."`
	Clip    bool              `help:"Cut texts that are too long instead of refusing them."`
	SkipBad bool              `help:"Publish the good records although others are faulty."`
	DryRun  bool              `help:"Only check."`
	Wait    time.Duration     `default:"30m" help:"How long to wait until all is matched; 0 does not wait."`
}

// Help is shown under --help.
func (*importCmd) Help() string {
	return `Example: kobling import offers.jsonl

Each line of JSON Lines is a profile as in schemas/profile.json. In CSV the header names the fields:

  kind, org, local (these three are the id)
  organisation.name, organisation.type, organisation.country
  organisation.identifiers.cvr
  texts.da.title, texts.da.description
  cooperation (several as a;b), trl.min, valid_until (the last day), …

Records of other systems are mapped, for example research projects with Swedish texts:

  kobling import projects.jsonl.gz --set kind=offer \
    --set organisation.type=university --map organisation.name=org \
    --map local=_id --map texts.sv.title=title_sv --clip

Every record is checked before the first is published: one faulty record, and nothing is imported
(unless --skip-bad). Importing the same file again revises the same profiles.`
}

// imported is what the command prints as JSON.
type imported struct {
	Records     int     `json:"records"`
	Published   int     `json:"published"`
	Faulty      int     `json:"faulty"`
	Clipped     int     `json:"clipped_texts"`
	Refused     int64   `json:"refused"`
	Profiles    int64   `json:"profiles"`
	Suggestions int64   `json:"suggestions"`
	Seconds     float64 `json:"seconds"`
}

// maxShownFaults is how many faulty records are listed.
const maxShownFaults = 20

// Run checks everything, publishes, and waits until all is matched.
func (c *importCmd) Run(p *process) error {
	m := importer.Mapping{Set: c.Set, From: c.Map, Clip: c.Clip}
	if err := m.Check(); err != nil {
		return fmt.Errorf("%w (%w)", err, errUsage)
	}
	records, sum, err := c.check(p, m)
	if err != nil {
		return err
	}
	if sum.Faulty > 0 && !c.SkipBad {
		return fmt.Errorf("%d of %d records are faulty; nothing was imported (--skip-bad imports the others)", sum.Faulty, sum.Records)
	}
	if c.DryRun {
		say(p.err, "%d of %d records could be imported.", len(records), sum.Records)
		if c.JSON {
			return p.printJSON(sum)
		}
		return nil
	}
	client, err := p.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	before, err := client.Status(p)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := c.publish(p, client, records); err != nil {
		return fmt.Errorf("%w; what was published before that is safe: import the same again to go on", err)
	}
	sum.Published = len(records)
	if c.Wait > 0 {
		if err := awaitIdle(p, client, c.Wait, int64(len(records))); err != nil {
			return err
		}
	}
	after, err := client.Status(p)
	if err != nil {
		return err
	}
	sum.Refused, sum.Profiles, sum.Suggestions, sum.Seconds = after.Rejections-before.Rejections, after.Profiles, after.Suggestions, time.Since(start).Seconds()
	if c.JSON {
		return p.printJSON(sum)
	}
	say(p.out, "Published %d records in %.1f s; %d refused; now %d profiles and %d suggestions.", sum.Published, sum.Seconds, sum.Refused, sum.Profiles, sum.Suggestions)
	return nil
}

// check reads every record and reports the faulty ones on stderr.
func (c *importCmd) check(p *process, m importer.Mapping) ([]importer.Record, imported, error) {
	var sum imported
	var good []importer.Record
	seen := map[profile.ID]string{}
	for _, name := range c.Files {
		format, r, closeFile, err := c.open(p, name)
		if err != nil {
			return nil, sum, err
		}
		err = importer.Read(r, format, m, func(rec importer.Record) error {
			sum.Records++
			sum.Clipped += rec.Clipped
			at := fmt.Sprintf("%s:%d", name, rec.Line)
			if first, twice := seen[rec.ID]; twice && rec.ID != "" {
				rec.Faults = append(rec.Faults, event.Fault{Path: "/id", Code: event.CodeConflict, Message: "the id stands at " + first + " already"})
			}
			seen[rec.ID] = at
			if len(rec.Faults) == 0 {
				good = append(good, rec)
				return nil
			}
			if sum.Faulty++; sum.Faulty <= maxShownFaults {
				for _, f := range rec.Faults {
					say(p.err, "%s: %s: %s [%s]", at, cmp.Or(f.Path, "record"), f.Message, f.Code)
				}
			}
			return nil
		})
		if err := errors.Join(err, closeFile()); err != nil {
			return nil, sum, fmt.Errorf("%s: %w; nothing was imported", name, err)
		}
	}
	if sum.Faulty > maxShownFaults {
		say(p.err, "… and %d faulty records more", sum.Faulty-maxShownFaults)
	}
	return good, sum, nil
}

func (c *importCmd) open(p *process, name string) (importer.Format, io.Reader, func() error, error) {
	format := importer.Format(c.Format)
	if c.Format == "auto" {
		format = importer.JSONLines
		if filepath.Ext(strings.TrimSuffix(name, ".gz")) == ".csv" {
			format = importer.CSV
		}
	}
	if name == "-" {
		return format, p.in, func() error { return nil }, nil
	}
	f, err := os.Open(name) //nolint:gosec // the file that the user names
	if err != nil {
		return "", nil, nil, err
	}
	if !strings.HasSuffix(name, ".gz") {
		return format, f, f.Close, nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", nil, nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return format, z, func() error { return errors.Join(z.Close(), f.Close()) }, nil
}

// publishers is how many submissions are under way at once: each waits until
// its message is on the disk.
const publishers = 32

func (c *importCmd) publish(p *process, client *app.Client, records []importer.Record) error {
	bar := newBar(p, "Publishing", int64(len(records)))
	defer bar.stop()
	g, ctx := errgroup.WithContext(p)
	g.SetLimit(publishers)
	for _, rec := range records {
		g.Go(func() error {
			_, err := client.Submit(ctx, app.Submission{ID: rec.ID, Type: event.TypeSubmitted, Data: bytes.Clone(rec.Data)})
			if err != nil {
				return fmt.Errorf("line %d, %s: %w", rec.Line, rec.ID, err)
			}
			bar.add()
			return nil
		})
	}
	return g.Wait()
}

// awaitIdle shows how the work shrinks until none is left.
func awaitIdle(p *process, client *app.Client, wait time.Duration, total int64) error {
	ctx, cancel := context.WithTimeout(p, wait)
	defer cancel()
	bar := newBar(p, "Matching", total)
	defer bar.stop()
	err := client.AwaitIdle(ctx, func(s api.Status) { bar.set(max(total-s.Waiting.Intake-s.Waiting.Match, 0)) })
	if err != nil {
		return fmt.Errorf("waiting until all is matched: %w; what is published is safe and goes on in the service", err)
	}
	bar.set(total)
	return nil
}

// bar is a progress bar on a terminal and a few lines elsewhere.
type bar struct {
	writer  progress.Writer
	tracker *progress.Tracker
	done    chan struct{}
}

func newBar(p *process, title string, total int64) *bar {
	if !isTerminal(p.err) {
		if total == 0 {
			say(p.err, "%s …", title)
		} else {
			say(p.err, "%s %d …", title, total)
		}
		return &bar{}
	}
	w := progress.NewWriter()
	w.SetOutputWriter(p.err)
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetStyle(progress.StyleBlocks)
	w.Style().Visibility.ETA = true
	w.Style().Visibility.Speed = true
	t := &progress.Tracker{Message: title, Total: total}
	w.AppendTracker(t)
	b := &bar{writer: w, tracker: t, done: make(chan struct{})}
	go func() { defer close(b.done); w.Render() }()
	return b
}

func (b *bar) add() {
	if b.tracker != nil {
		b.tracker.Increment(1)
	}
}

func (b *bar) set(n int64) {
	if b.tracker != nil {
		b.tracker.SetValue(n)
	}
}

func (b *bar) stop() {
	if b.writer == nil {
		return
	}
	if b.tracker.Value() >= b.tracker.Total {
		b.tracker.MarkAsDone()
	} else {
		b.tracker.MarkAsErrored()
	}
	b.writer.Stop()
	<-b.done
}
