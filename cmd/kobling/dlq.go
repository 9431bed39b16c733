package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"

	"kobling/internal/api"
	"kobling/internal/app"
	"kobling/internal/event"
)

// dlqCmd looks after dead letters.
type dlqCmd struct {
	List  dlqListCmd  `cmd:"" help:"List the messages that could not be handled."`
	Show  dlqShowCmd  `cmd:"" help:"Show one of them whole."`
	Retry dlqRetryCmd `cmd:"" help:"Put messages through again."`
	Drop  dlqDropCmd  `cmd:"" help:"Forget messages."`
}

type dlqListCmd struct {
	connection
	output
}

// Help is shown under --help.
func (*dlqListCmd) Help() string {
	return `Example: kobling dlq list --json

A message that breaks its handler every time is put aside, so that others go on. Its profile is out of
matching until a later revision of it can be handled. The log has the panic with its stack.`
}

// Run lists the letters.
func (c *dlqListCmd) Run(p *process) error {
	letters := []api.DeadLetterRow{}
	err := p.ask(func(ctx context.Context, client *app.Client) error {
		return client.DeadLetters(ctx, func(l api.DeadLetterRow) error { letters = append(letters, l); return nil })
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(letters)
	}
	if len(letters) == 0 {
		say(p.out, "No dead letters.")
		return nil
	}
	t := newTable(p.out)
	t.AppendHeader(table.Row{"Letter", "Given up", "Bytes", "Reason"})
	for _, l := range letters {
		t.AppendRow(table.Row{l.ID, l.At.Format("2006-01-02 15:04"), l.Bytes, oneLine(l.Reason)})
	}
	t.Render()
	return nil
}

// oneLine returns the beginning of a text that may be long.
func oneLine(s string) string {
	const most = 80
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + " …"
	}
	return s
}

// letterArg names one letter.
type letterArg struct {
	Letter string `arg:"" help:"Its name, as kobling dlq list shows it."`
}

type dlqShowCmd struct {
	connection
	output
	letterArg
}

// Help is shown under --help.
func (*dlqShowCmd) Help() string { return "Example: kobling dlq show profiles.need.vaktsom.sensor@17" }

// Run shows a letter.
func (c *dlqShowCmd) Run(p *process) error {
	if _, _, err := event.ParseLetterID(c.Letter); err != nil {
		return fmt.Errorf("%w (%w)", err, errUsage)
	}
	return p.ask(func(ctx context.Context, client *app.Client) error {
		l, err := client.DeadLetter(ctx, c.Letter)
		if err != nil {
			return err
		}
		if c.JSON {
			return p.printJSON(l)
		}
		say(p.out, "%s, given up %s: %s", l.ID, l.At.Format("2006-01-02 15:04:05 MST"), l.Reason)
		for _, name := range slices.Sorted(maps.Keys(l.Header)) {
			say(p.out, "  %s: %s", name, strings.Join(l.Header[name], ", "))
		}
		body := string(l.Data)
		if !utf8.ValidString(body) || strings.ContainsRune(body, 0) {
			quoted, err := json.Marshal(body)
			if err != nil {
				return err
			}
			body = string(quoted)
		}
		say(p.out, "%s", body)
		if l.Bytes > len(l.Data) {
			say(p.out, "… %d bytes more", l.Bytes-len(l.Data))
		}
		return nil
	})
}

// lettersArg names one letter or all.
type lettersArg struct {
	Letter string `arg:"" optional:"" help:"Its name, as kobling dlq list shows it."`
	All    bool   `help:"All that there are."`
}

// each calls f for each letter that is named, goes on after an error, and returns
// how many it was called for without one.
func (a lettersArg) each(p *process, f func(ctx context.Context, c *app.Client, id string) error) (done int, err error) {
	if a.All == (a.Letter != "") {
		return 0, fmt.Errorf("name one letter, or give --all (%w)", errUsage)
	}
	if a.Letter != "" {
		if _, _, err := event.ParseLetterID(a.Letter); err != nil {
			return 0, fmt.Errorf("%w (%w)", err, errUsage)
		}
	}
	ids := []string{a.Letter}
	c, err := p.dial()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if a.All {
		ids = nil
		if err := c.DeadLetters(p, func(l api.DeadLetterRow) error { ids = append(ids, l.ID); return nil }); err != nil {
			return 0, err
		}
		slices.Reverse(ids) // in the order in which they came
	}
	var errs []error
	for _, id := range ids {
		ctx, cancel := context.WithTimeout(p, short)
		err := f(ctx, c, id)
		cancel()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		done++
	}
	return done, errors.Join(errs...)
}

type dlqRetryCmd struct {
	connection
	output
	lettersArg
}

// Help is shown under --help.
func (*dlqRetryCmd) Help() string {
	return `Example: kobling dlq retry --all

For when what broke them has been mended, by a later version or a repair. A copy of the message is
published, in the order of now, unless something later has taken its place: then the letter can only
be dropped. If the copy breaks its handler too, it is put aside again.`
}

// Run retries.
func (c *dlqRetryCmd) Run(p *process) error {
	type retried struct {
		ID       string `json:"id"`
		Sequence uint64 `json:"sequence"` // of the copy
	}
	all := []retried{}
	_, err := c.each(p, func(ctx context.Context, client *app.Client, id string) error {
		r, err := client.Retry(ctx, id)
		if err == nil {
			all = append(all, retried{id, r.Sequence})
		}
		return err
	})
	if c.JSON && !errors.Is(err, errUsage) {
		return errors.Join(p.printJSON(all), err)
	}
	for _, r := range all {
		say(p.out, "%s was put through again at %d.", r.ID, r.Sequence)
	}
	if err == nil && len(all) == 0 {
		say(p.out, "No dead letters.")
	}
	return err
}

type dlqDropCmd struct {
	connection
	output
	lettersArg
}

// Help is shown under --help.
func (*dlqDropCmd) Help() string {
	return `Example: kobling dlq drop intake.need.vaktsom.sensor@17

What is dropped cannot be had back; kobling dlq show --json prints it whole before. A profile stays out
of matching until a later revision of it.`
}

// Run drops.
func (c *dlqDropCmd) Run(p *process) error {
	n, err := c.each(p, func(ctx context.Context, client *app.Client, id string) error { return client.Drop(ctx, id) })
	if errors.Is(err, errUsage) {
		return err
	}
	if c.JSON {
		return errors.Join(p.printJSON(map[string]int{"dropped": n}), err)
	}
	say(p.out, "Dropped %d.", n)
	return err
}
