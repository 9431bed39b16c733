package api

import (
	"context"
	"time"

	"kobling/internal/event"
	"kobling/internal/profile"
)

// Letters are the messages that were given up. internal/dlq implements it.
type Letters interface {
	DeadLetters(ctx context.Context, limit, offset int) ([]event.DeadLetter, error)
	DeadLetter(ctx context.Context, subject string, seq uint64) (event.DeadLetter, error)
	DropDeadLetter(ctx context.Context, subject string, seq uint64) error
	// Retry puts one through again and returns the sequence of its copy.
	Retry(ctx context.Context, subject string, seq uint64) (uint64, error)
}

// LettersQuery asks for a page of dead letters, the latest first.
type LettersQuery struct {
	Limit  int `json:"limit,omitempty"` // 0: as many as a page has
	Offset int `json:"offset,omitempty"`
}

// DeadLetters is a page of dead letters.
type DeadLetters struct {
	Items []DeadLetterRow `json:"items"`
	Next  int             `json:"next,omitempty"` // offset of the next page; 0: there is none
}

// DeadLetterRow is one of a list.
type DeadLetterRow struct {
	ID        string     `json:"id"`                   // "<subject>@<sequence>"
	ProfileID profile.ID `json:"profile_id,omitempty"` // unless it names none
	Reason    string     `json:"reason"`
	At        time.Time  `json:"at"`    // when it was given up
	Bytes     int        `json:"bytes"` // of its body
}

// LetterQuery names one dead letter.
type LetterQuery struct {
	ID string `json:"id"`
}

// DeadLetter is one dead letter with what it says.
type DeadLetter struct {
	DeadLetterRow

	Header map[string][]string `json:"header"`
	Data   []byte              `json:"data"` // the beginning of its body
}

// Retried says where the copy of a dead letter lies in its stream.
type Retried struct {
	Sequence uint64 `json:"sequence"`
}

// How much is shown, in bytes: an answer must fit into one message.
const (
	maxListed = 2 << 10  // of a reason, in a list
	maxReason = 16 << 10 // of a reason, with its letter
	maxShown  = 64 << 10 // of a body
)

func (s *Service) deadLetters(ctx context.Context, q LettersQuery) (DeadLetters, error) {
	if q.Limit < 0 || q.Offset < 0 {
		return DeadLetters{}, invalid("limit and offset must not be negative")
	}
	if q.Limit == 0 || q.Limit > MaxPage {
		q.Limit = MaxPage
	}
	found, err := s.Letters.DeadLetters(ctx, q.Limit+1, q.Offset) // one more tells whether there is a next page
	if err != nil {
		return DeadLetters{}, err
	}
	more := len(found) > q.Limit
	page := newList[DeadLetterRow](s.Room)
	for _, l := range found[:min(len(found), q.Limit)] {
		taken, err := page.add(letterRow(l, maxListed))
		if err != nil {
			return DeadLetters{}, err
		}
		if !taken {
			more = true
			break
		}
	}
	out := DeadLetters{Items: page.rows}
	if more {
		out.Next = q.Offset + len(page.rows)
	}
	return out, nil
}

// letterRow is the row of a letter with so much of its reason.
func letterRow(l event.DeadLetter, reason int) DeadLetterRow {
	row := DeadLetterRow{ID: l.ID(), Reason: l.Reason[:min(len(l.Reason), reason)], At: l.At.UTC(), Bytes: len(l.Data)}
	if id, err := event.SubjectID(l.Subject); err == nil {
		row.ProfileID = id
	}
	return row
}

func (s *Service) deadLetter(ctx context.Context, q LetterQuery) (DeadLetter, error) {
	subject, seq, err := event.ParseLetterID(q.ID)
	if err != nil {
		return DeadLetter{}, invalid("id: %v", err)
	}
	l, err := s.Letters.DeadLetter(ctx, subject, seq)
	if err != nil {
		return DeadLetter{}, err
	}
	return DeadLetter{DeadLetterRow: letterRow(l, maxReason), Header: l.Header, Data: l.Data[:min(len(l.Data), maxShown)]}, nil
}

func (s *Service) retry(ctx context.Context, q LetterQuery) (Retried, error) {
	subject, seq, err := event.ParseLetterID(q.ID)
	if err != nil {
		return Retried{}, invalid("id: %v", err)
	}
	again, err := s.Letters.Retry(ctx, subject, seq)
	return Retried{Sequence: again}, err
}

func (s *Service) drop(ctx context.Context, q LetterQuery) (struct{}, error) {
	subject, seq, err := event.ParseLetterID(q.ID)
	if err != nil {
		return struct{}{}, invalid("id: %v", err)
	}
	return struct{}{}, s.Letters.DropDeadLetter(ctx, subject, seq)
}
