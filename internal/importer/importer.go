// Package importer turns files of other systems into submissions: JSON Lines and
// CSV with a header, each record checked exactly as intake will check it. Pure:
// it reads from an io.Reader and publishes nothing.
package importer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kobling/internal/event"
	"kobling/internal/profile"
)

// Format is how records are written.
type Format string

// The formats.
const (
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
)

// MaxRecord is the longest line of JSON Lines that is read, in bytes.
const MaxRecord = 1 << 20

// maxData is the longest profile: what intake takes, less the event around it.
const maxData = event.MaxData - 4<<10

// Record is one record of the file as a submission.
type Record struct {
	Line    int             // where it begins, from 1
	ID      profile.ID      // "" when it cannot be told
	Data    json.RawMessage // the profile, to be published as event.TypeSubmitted
	Faults  []event.Fault   // everything wrong with it
	Clipped int             // texts that were cut to their limit
}

// Read reads every record of r and passes it to yield, in order, until yield
// returns an error. The error is about the file, never about one record.
func Read(r io.Reader, f Format, m Mapping, yield func(Record) error) error {
	switch f {
	case JSONLines:
		return readLines(r, m, yield)
	case CSV:
		return readCSV(r, m, yield)
	}
	return fmt.Errorf("format %q is not one of jsonl, csv", f)
}

func readLines(r io.Reader, m Mapping, yield func(Record) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), MaxRecord)
	line := 0
	for sc.Scan() {
		line++
		b := bytes.TrimSpace(bytes.TrimPrefix(sc.Bytes(), []byte("\ufeff")))
		if len(b) == 0 {
			continue
		}
		rec := Record{Line: line, Data: bytes.Clone(b)}
		if !m.Empty() || m.Clip {
			m.foreign(&rec, b)
		}
		if err := yield(check(rec)); err != nil {
			return err
		}
	}
	if errors.Is(sc.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d bytes", line+1, MaxRecord)
	}
	return sc.Err()
}

// foreign makes rec's profile out of a JSON object of another system.
func (m Mapping) foreign(rec *Record, b []byte) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // an id of many digits stays as it is written
	var fields map[string]any
	err := d.Decode(&fields)
	if _, more := d.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("more follows it")
	}
	switch {
	case m.Empty():
		if err == nil && clip(rec, fields) {
			rec.Data, err = json.Marshal(fields)
		} // else the profile is checked as it stands
	case err == nil && fields == nil:
		err = errors.New("it is null")
	case err == nil:
		m.fill(rec, fields)
	}
	if err != nil {
		rec.Faults = []event.Fault{{Code: event.CodeNotJSON, Message: "the line is not a JSON object: " + err.Error()}}
	}
}

func readCSV(r io.Reader, m Mapping, yield func(Record) error) error {
	br := bufio.NewReader(r)
	if mark, err := br.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = br.Discard(3) // it was just peeked at
	}
	cr := csv.NewReader(br)
	if first, _ := br.Peek(4096); bytes.Count(firstLine(first), []byte(";")) > bytes.Count(firstLine(first), []byte(",")) {
		cr.Comma = ';' // as spreadsheets write it in most of Europe
	}
	header, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty; want a header line")
	}
	if err != nil {
		return err
	}
	header = slices.Clone(header)
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	if m.Empty() {
		m.From = map[string]string{}
		for _, name := range header {
			m.From[name] = name // the header names the fields themselves
		}
		if err := m.Check(); err != nil {
			return err
		}
	}
	if err := m.checkColumns(header); err != nil {
		return err
	}
	cr.FieldsPerRecord = len(header)
	for {
		row, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			return err
		}
		line, _ := cr.FieldPos(0) // there is one, or Read had failed
		rec := Record{Line: line}
		if err != nil {
			rec.Faults = []event.Fault{{Code: profile.CodeBadForm, Message: fmt.Sprintf("the line has %d columns, the header has %d", len(row), len(header))}}
		} else {
			fields := make(map[string]any, len(row))
			for i, v := range row {
				fields[header[i]] = v
			}
			m.fill(&rec, fields)
		}
		if err := yield(check(rec)); err != nil {
			return err
		}
	}
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}

// check finds the record's id and everything that intake would refuse.
func check(rec Record) Record {
	if len(rec.Faults) > 0 {
		return rec
	}
	var head struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(rec.Data, &head) // a record that is no JSON is reported below
	subject := event.Intake + "." + head.ID
	if id, err := profile.ParseID(head.ID); err == nil {
		rec.ID = id
	} else {
		subject = event.Intake + ".need.unknown.unknown" // the profile's own id is reported, not this
	}
	if len(rec.Data) > maxData {
		rec.Faults = []event.Fault{{Code: event.CodeTooLarge, Message: fmt.Sprintf("the profile has %d bytes, the limit is %d", len(rec.Data), maxData)}}
		return rec
	}
	m := event.Envelope{ID: "import", Source: "/import", Type: event.TypeSubmitted, Data: rec.Data}.Binary(subject)
	_, rec.Faults = event.DecodeSubmission(m)
	return rec
}
