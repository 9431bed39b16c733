package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/event"
	"kobling/internal/profile"
)

type publishCmd struct {
	connection
	output

	File   string        `arg:"" help:"Profile as JSON; - for standard input."`
	Draft  bool          `help:"Keep it as a draft: it is stored and not matched."`
	Expect uint64        `name:"expect-revision" placeholder:"N" help:"Refuse if the profile's newest revision is not N."`
	Wait   time.Duration `default:"10s" help:"How long to wait for the verdict; 0 does not wait."`
}

// Help is shown under --help.
func (*publishCmd) Help() string {
	return `Example: kobling publish need.json

The file is one profile; its "id" is <kind>.<organisation>.<name>, for example need.vaktsom.fall-sensor:

  {"id": "need.vaktsom.fall-sensor",
   "organisation": {"name": "Vaktsom AS", "type": "sme", "country": "NO"},
   "texts": [{"lang": "nb", "title": "Fallsensor søker teststed"}]}

Its kind is need, public_need, offer or test_place. All that is wrong with it is said at once.
schemas/profile.json describes every field.`
}

// Run publishes the profile and says what became of it.
func (c *publishCmd) Run(p *process) error {
	var b []byte
	var err error
	if c.File == "-" {
		b, err = io.ReadAll(io.LimitReader(p.in, event.MaxData+1))
	} else {
		b, err = os.ReadFile(c.File)
	}
	if err != nil {
		return err
	}
	var head struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return fmt.Errorf("%s is not a profile in JSON: %w", c.File, err)
	}
	id, err := profile.ParseID(head.ID)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	kind := event.TypeSubmitted
	if c.Draft {
		kind = event.TypeDrafted
	}
	return p.submit(submission{id: id, kind: kind, data: b, expect: c.Expect, wait: c.Wait, json: c.JSON})
}

// lifecycleCmd is what pause, resume and withdraw have in common.
type lifecycleCmd struct {
	connection
	output

	ID   string        `arg:"" help:"The profile: <kind>.<organisation>.<name>."`
	Wait time.Duration `default:"10s" help:"How long to wait for the verdict; 0 does not wait."`
}

type pauseCmd struct {
	lifecycleCmd `embed:""`
}

// Help is shown under --help.
func (*pauseCmd) Help() string {
	return `Example: kobling pause need.vaktsom.fall-sensor

Its suggestions are not shown, and alerts about them wait, until it is resumed.`
}

type resumeCmd struct {
	lifecycleCmd `embed:""`
}

// Help is shown under --help.
func (*resumeCmd) Help() string {
	return `Example: kobling resume need.vaktsom.fall-sensor

It is matched again, and its suggestions are shown again.`
}

type withdrawCmd struct {
	lifecycleCmd `embed:""`
}

// Help is shown under --help.
func (*withdrawCmd) Help() string {
	return `Example: kobling withdraw need.vaktsom.fall-sensor

A withdrawal is final: its suggestions disappear at once, alerts that have not been sent are not sent,
and the id cannot be used again.
To take it out for a while only: kobling pause`
}

// Run says that the profile is paused, resumed or withdrawn, whichever command
// was given.
func (c *lifecycleCmd) Run(p *process, k *kong.Context) error {
	id, err := parseID(c.ID)
	if err != nil {
		return err
	}
	kind := map[string]string{"pause": event.TypePaused, "resume": event.TypeResumed, "withdraw": event.TypeWithdrawn}[k.Selected().Name]
	return p.submit(submission{id: id, kind: kind, wait: c.Wait, json: c.JSON})
}

type renewCmd struct {
	connection
	output

	ID    string        `arg:"" help:"The profile: <kind>.<organisation>.<name>."`
	Until string        `placeholder:"YYYY-MM-DD" help:"Last day; a year from now when left out."`
	Wait  time.Duration `default:"10s" help:"How long to wait for the verdict; 0 does not wait."`
}

// Help is shown under --help.
func (*renewCmd) Help() string {
	return `Example: kobling renew offer.oulu.home --until 2027-12-31

A profile is no longer suggested once its last day is over.`
}

// Run extends the profile's validity.
func (c *renewCmd) Run(p *process) error {
	id, err := parseID(c.ID)
	if err != nil {
		return err
	}
	data := []byte("{}")
	if c.Until != "" {
		day, err := time.Parse(time.DateOnly, c.Until)
		if err != nil {
			return fmt.Errorf("--until: want YYYY-MM-DD, got %q (%w)", c.Until, errUsage)
		}
		if data, err = json.Marshal(event.Renewal{ValidUntil: day.AddDate(0, 0, 1)}); err != nil {
			return err
		}
	}
	return p.submit(submission{id: id, kind: event.TypeRenewed, data: data, wait: c.Wait, json: c.JSON})
}

// submission is one event for the intake.
type submission struct {
	id     profile.ID
	kind   string
	data   []byte
	expect uint64
	wait   time.Duration
	json   bool
}

// submitted is what submit prints as JSON.
type submitted struct {
	ID        profile.ID `json:"id"`
	IntakeSeq uint64     `json:"intake_seq"`
	api.Receipt
}

// submit publishes s, waits for the verdict and prints it. A rejection is an
// error that names every fault.
func (p *process) submit(s submission) error {
	c, err := p.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(p, short+s.wait)
	defer cancel()
	seq, err := c.Submit(ctx, app.Submission{ID: s.id, Type: s.kind, Data: s.data, ExpectedRevision: s.expect})
	if err != nil {
		return err
	}
	r := api.Receipt{State: api.Waits}
	if s.wait > 0 {
		if r, err = c.Await(ctx, s.id, seq, s.wait); err != nil {
			return err
		}
	}
	if s.json {
		err = p.printJSON(submitted{ID: s.id, IntakeSeq: seq, Receipt: r})
	}
	switch r.State {
	case api.Rejected:
		return errors.Join(err, refusal(s.id, r.Faults))
	case api.Waits:
		if !s.json {
			say(p.out, "%s is taken in (number %d); no verdict yet", s.id, seq)
		}
	default:
		if !s.json {
			say(p.out, "%s is %s, revision %d; see: kobling suggestions %s", s.id, r.Status, r.Revision, s.id)
		}
	}
	return err
}

// refusal lists everything that is wrong, a line each.
func refusal(id profile.ID, faults []event.Fault) error {
	errs := []error{fmt.Errorf("%s was refused", id)}
	for _, f := range faults {
		at := f.Path
		if at == "" {
			at = "event"
		}
		errs = append(errs, fmt.Errorf("  %s: %s [%s]", at, f.Message, f.Code))
	}
	return errors.Join(errs...)
}
