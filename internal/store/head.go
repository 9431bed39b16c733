package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

const retireHead = `
INSERT INTO profile (id, kind, org, seq, epoch, alive)
SELECT @id, split_part(@id, '.', 1), split_part(@id, '.', 2), @seq, number, false FROM active_epoch
ON CONFLICT (id) DO UPDATE SET alive = false, seq = excluded.seq, updated_at = clock_timestamp()
WHERE profile.seq < excluded.seq`

// Retire sets the profile's head to not alive at seq, unless it is already at
// seq or later. Once it returns, no attempt to tell of the profile starts. See
// "Early withdrawal" in package match.
func (s *Store) Retire(ctx context.Context, id profile.ID, seq uint64) error {
	_, err := s.exec(ctx, "retire "+string(id), retireHead, pgx.NamedArgs{"id": string(id), "seq": seq})
	return err
}

const insertDeadLetter = `
INSERT INTO dead_letter (subject, seq, header, data, reason) VALUES (@subject, @seq, @header, @data, @reason)
ON CONFLICT (subject, seq) DO NOTHING`

const quarantineHead = `
INSERT INTO profile (id, kind, org, seq, epoch, alive, quarantined)
SELECT @id, split_part(@id, '.', 1), split_part(@id, '.', 2), @seq, number, false, true FROM active_epoch
ON CONFLICT (id) DO UPDATE SET alive = false, quarantined = true, seq = excluded.seq, updated_at = clock_timestamp()
WHERE profile.seq <= excluded.seq`

// Quarantine keeps m with the reason why it cannot be handled. If m is of
// PROFILES it also marks the profile's head quarantined, in the same transaction;
// a later revision that can be handled lifts it. A submission that cannot be
// handled leaves its profile as it is.
func (s *Store) Quarantine(ctx context.Context, m event.Message, reason string) error {
	header, err := json.Marshal(m.Header)
	if err != nil {
		return fmt.Errorf("quarantine %s: %w", m.Subject, err)
	}
	args := pgx.NamedArgs{
		"subject": storable(m.Subject), "seq": m.Sequence, "header": string(header), "data": m.Data, "reason": storable(reason),
	}
	return s.inTx(ctx, "quarantine "+m.Subject, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insertDeadLetter, args); err != nil {
			return err
		}
		id, err := event.SubjectID(m.Subject)
		if err != nil || m.Subject != event.Subject(event.Profiles, id) {
			return nil //nolint:nilerr // there is no head to mark; sequences of INTAKE are not those of heads
		}
		_, err = tx.Exec(ctx, quarantineHead, pgx.NamedArgs{"id": string(id), "seq": m.Sequence})
		return err
	})
}

// storable returns text without what PostgreSQL refuses in a text.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

const selectHead = `
SELECT id, seq, epoch, intake_seq, alive, quiet, quarantined, body FROM profile WHERE id = @id`

// Head returns what is known of the newest revision of a profile. The error
// wraps fault.ErrNotFound if the profile was never seen.
func (s *Store) Head(ctx context.Context, id profile.ID) (suggestion.Head, error) {
	heads, err := rows(ctx, s, "head of "+string(id), selectHead, pgx.NamedArgs{"id": string(id)}, func(row pgx.CollectableRow) (suggestion.Head, error) {
		var h suggestion.Head
		if err := row.Scan(&h.ID, &h.Seq, &h.Epoch, &h.IntakeSeq, &h.Alive, &h.Quiet, &h.Quarantined, &h.Raw); err != nil {
			return h, err
		}
		var err error
		h.Profile, err = decodeBody(h.Raw)
		return h, err
	})
	if err != nil {
		return suggestion.Head{}, err
	}
	if len(heads) == 0 {
		return suggestion.Head{}, notFound("profile", string(id))
	}
	return heads[0], nil
}

// Profile returns the newest revision of a profile, whatever its status. The
// error wraps fault.ErrNotFound if it was never seen or is withdrawn.
func (s *Store) Profile(ctx context.Context, id profile.ID) (*profile.Profile, error) {
	h, err := s.Head(ctx, id)
	if err != nil {
		return nil, err
	}
	if h.Profile == nil {
		return nil, notFound("profile", string(id))
	}
	return h.Profile, nil
}

// decodeBody reads a column body; null is nil.
func decodeBody(raw []byte) (*profile.Profile, error) {
	if raw == nil {
		return nil, nil //nolint:nilnil // a tombstone has no body
	}
	var p profile.Profile
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("decode stored profile: %w", err)
	}
	return &p, nil
}
