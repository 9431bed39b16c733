package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

// The codes of what only intake can find wrong; packages profile and event have
// the others. Contracts.
const (
	CodeNotFound    = "not_found"    // the profile does not exist
	CodeWrongStatus = "wrong_status" // not possible in the profile's status
	CodeNotAdmitted = "not_admitted" // the organisation may not post into the cluster
)

// revise returns what becomes of the profile by s, or everything that speaks
// against it beside what decoding found. The error is that of a server.
func (w *Worker) revise(ctx context.Context, last event.Revision, s event.Submission) (event.Revision, []event.Fault, error) {
	next := event.Revision{
		ID:        last.ID,
		IntakeSeq: s.Sequence,
		Revision:  last.Revision + 1,
		Quiet:     s.Quiet,
		Time:      s.Stored,
	}
	faults := order(last, s)
	if s.Profile == nil {
		if len(faults) == 0 {
			faults = command(&next, last, s)
		}
		return next, faults, nil
	}
	p := *s.Profile // s stays as sent
	p.Normalise()
	faults = append(faults, w.language(&p)...)
	review, refused, err := w.admit(ctx, last.ID, p.Cluster)
	if err != nil {
		return event.Revision{}, nil, err
	}
	faults = append(faults, refused...)
	faults = append(faults, valid(&p, last, s)...)
	next.Status = status(last, s, review)
	next.Profile = &p
	return next, faults, nil
}

// order returns what forbids s because of what is there.
func order(last event.Revision, s event.Submission) []event.Fault {
	var faults []event.Fault
	if s.ExpectedRevision > 0 && s.ExpectedRevision != last.Revision {
		faults = append(faults, event.Fault{Code: event.CodeConflict, Message: fmt.Sprintf(
			"the newest revision is %d, not %d as expected: read it and decide again", last.Revision, s.ExpectedRevision)})
	}
	switch {
	case last.Tombstone() && s.Type != event.TypeWithdrawn:
		faults = append(faults, event.Fault{Code: event.CodeWithdrawn, Message: "the profile was withdrawn; withdrawn is final, use a new id"})
	case s.Type == event.TypeDrafted && last.Revision > 0 && last.Status != profile.Draft:
		faults = append(faults, event.Fault{Code: CodeWrongStatus, Message: fmt.Sprintf(
			"the profile is %s and cannot become a draft again: pause or withdraw it", last.Status)})
	}
	return faults
}

// command applies to next what s says of the profile as it is.
func command(next *event.Revision, last event.Revision, s event.Submission) []event.Fault {
	if !slices.Contains([]string{event.TypePaused, event.TypeResumed, event.TypeRenewed, event.TypeWithdrawn}, s.Type) {
		return nil // decoding has said what is wrong
	}
	if last.Revision == 0 {
		return []event.Fault{{Code: CodeNotFound, Message: fmt.Sprintf("there is no profile %s", last.ID)}}
	}
	if s.Type == event.TypeWithdrawn {
		next.Status = profile.Withdrawn
		return nil
	}
	p := *last.Profile // order has refused what follows a tombstone
	next.Status, next.Profile = last.Status, &p
	switch s.Type {
	case event.TypePaused, event.TypeResumed:
		if last.Status != profile.Published && last.Status != profile.Paused {
			return []event.Fault{{Code: CodeWrongStatus, Message: fmt.Sprintf(
				"only a published profile can be paused and only a paused one resumed; this one is %s", last.Status)}}
		}
		next.Status = profile.Paused
		if s.Type == event.TypeResumed {
			next.Status = profile.Published
		}
	case event.TypeRenewed:
		p.ValidUntil = s.Renewal.ValidUntil
		if p.ValidUntil.IsZero() {
			p.ValidUntil = s.Stored.Add(Validity)
		}
		p.Normalise()
		if !p.ValidUntil.After(p.ValidFrom) {
			return []event.Fault{{Path: "/valid_until", Code: profile.CodeWrongOrder, Message: "valid_until must be later than valid_from"}}
		}
	}
	return nil
}

// status returns where a profile stands once s, a draft or a submission, is
// accepted.
func status(last event.Revision, s event.Submission, review bool) profile.Status {
	switch {
	case s.Type == event.TypeDrafted:
		return profile.Draft
	case review && !s.Control:
		return profile.Submitted
	case last.Status == profile.Paused:
		return profile.Paused
	}
	return profile.Published
}

// language fills in the language of a text that states none. More than one text
// without is refused by validation.
func (w *Worker) language(p *profile.Profile) []event.Fault {
	if len(p.Texts) != 1 || p.Texts[0].Lang != "" {
		return nil
	}
	t := &p.Texts[0] // Normalise has cloned the texts
	t.Lang = w.Detector.Detect(strings.Join([]string{t.Title, t.Summary, t.Description, t.Requirements, t.PartnerRole}, "\n"))
	if t.Lang != "" {
		return nil
	}
	return []event.Fault{{Path: "/texts/0/lang", Code: profile.CodeRequired, Message: "the language cannot be told from the text: state it, as one of " + strings.Join(profile.Languages, ", ")}}
}

// admit asks whether the organisation may post into cluster.
func (w *Worker) admit(ctx context.Context, id profile.ID, cluster string) (review bool, faults []event.Fault, err error) {
	if !profile.ValidToken(cluster) {
		return false, nil, nil // validation has said so
	}
	review, err = w.Ledger.Admit(ctx, id.Org(), cluster)
	if errors.Is(err, fault.ErrInvalid) {
		return false, []event.Fault{{Path: "/cluster", Code: CodeNotAdmitted, Message: sentence(err)}}, nil
	}
	return review, nil, err
}

// sentence returns err without the kind that it begins with.
func sentence(err error) string {
	return strings.TrimPrefix(err.Error(), fault.ErrInvalid.Error()+": ")
}

// valid fills in from when until when the profile is valid. A revision keeps the
// beginning of what it revises unless it states another.
func valid(p *profile.Profile, last event.Revision, s event.Submission) []event.Fault {
	ended := !p.ValidUntil.IsZero() && !p.ValidUntil.After(s.Stored)
	if ended && !s.Control { // the service imports what is history
		return []event.Fault{{Path: "/valid_until", Code: profile.CodeOutOfRange, Message: "valid_until has passed already"}}
	}
	if p.ValidFrom.IsZero() {
		p.ValidFrom = s.Stored
		if last.Profile != nil && last.Profile.ValidFrom.Before(s.Stored) {
			p.ValidFrom = last.Profile.ValidFrom
		}
		if ended && !p.ValidFrom.Before(p.ValidUntil) {
			p.ValidFrom = p.ValidUntil.Add(-Validity)
		}
	}
	if p.ValidUntil.IsZero() {
		p.ValidUntil = s.Stored.Add(Validity)
		if p.ValidFrom.After(s.Stored) {
			p.ValidUntil = p.ValidFrom.Add(Validity)
		}
	}
	p.Normalise() // times as the database keeps them
	return nil
}
