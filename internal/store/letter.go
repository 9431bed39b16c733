package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kobling/internal/event"
)

const (
	selectLetters = `
SELECT subject, seq, header, data, reason, at FROM dead_letter
WHERE @subject = '' OR subject = @subject AND seq = @seq
ORDER BY at DESC, subject, seq LIMIT @limit OFFSET @offset`

	deleteLetter = `DELETE FROM dead_letter WHERE subject = @subject AND seq = @seq`
)

// DeadLetters returns the messages that were given up, the latest first: at most
// limit, after the first offset.
func (s *Store) DeadLetters(ctx context.Context, limit, offset int) ([]event.DeadLetter, error) {
	return s.letters(ctx, pgx.NamedArgs{"subject": "", "seq": 0, "limit": limit, "offset": offset})
}

// DeadLetter returns one message that was given up. The error wraps
// fault.ErrNotFound if there is none.
func (s *Store) DeadLetter(ctx context.Context, subject string, seq uint64) (event.DeadLetter, error) {
	found, err := s.letters(ctx, pgx.NamedArgs{"subject": storable(subject), "seq": seq, "limit": 1, "offset": 0})
	if err != nil {
		return event.DeadLetter{}, err
	}
	if len(found) == 0 {
		return event.DeadLetter{}, notFound("dead letter", event.LetterID(subject, seq))
	}
	return found[0], nil
}

func (s *Store) letters(ctx context.Context, args pgx.NamedArgs) ([]event.DeadLetter, error) {
	return rows(ctx, s, "dead letters", selectLetters, args, func(row pgx.CollectableRow) (event.DeadLetter, error) {
		var l event.DeadLetter
		var header []byte
		if err := row.Scan(&l.Subject, &l.Sequence, &header, &l.Data, &l.Reason, &l.At); err != nil {
			return l, err
		}
		if err := json.Unmarshal(header, &l.Header); err != nil {
			return l, fmt.Errorf("decode header: %w", err)
		}
		return l, nil
	})
}

// DropDeadLetter forgets a message that was given up. The error wraps
// fault.ErrNotFound if there is none.
func (s *Store) DropDeadLetter(ctx context.Context, subject string, seq uint64) error {
	id := event.LetterID(subject, seq)
	tag, err := s.exec(ctx, "drop dead letter "+id, deleteLetter, pgx.NamedArgs{"subject": storable(subject), "seq": seq})
	if err == nil && tag.RowsAffected() == 0 {
		err = notFound("dead letter", id)
	}
	return err
}
