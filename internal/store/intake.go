package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

const insertRejection = `
INSERT INTO rejection (intake_seq, profile_id, event_id, faults, at) VALUES (@seq, @profile, @event, @faults, @at)
ON CONFLICT (intake_seq) DO NOTHING`

// Reject keeps r, keyed by its intake sequence, and has its event published; a
// repeat changes nothing.
func (s *Store) Reject(ctx context.Context, r event.Rejection) error {
	what := fmt.Sprintf("reject %s at %d", r.ProfileID, r.IntakeSeq)
	for i, f := range r.Faults { // they quote what a stranger sent
		r.Faults[i] = event.Fault{Path: storable(f.Path), Code: f.Code, Message: storable(f.Message)}
	}
	faults, err := json.Marshal(r.Faults)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	told, err := event.NewRejected(r)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	args := pgx.NamedArgs{
		"seq": r.IntakeSeq, "profile": storable(string(r.ProfileID)), "event": storable(r.EventID), "faults": string(faults), "at": r.At,
	}
	return s.inTx(ctx, what, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insertRejection, args)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.enqueue(ctx, tx, []river.InsertManyParams{eventJob(told)})
	})
}

const selectRejections = `
SELECT intake_seq, profile_id, event_id, faults, at FROM rejection
WHERE @profile = '' OR profile_id = @profile
ORDER BY intake_seq DESC LIMIT @limit`

// Rejections returns the newest refusals, at most limit; of one profile if id is
// not empty.
func (s *Store) Rejections(ctx context.Context, id profile.ID, limit int) ([]event.Rejection, error) {
	return rows(ctx, s, "rejections", selectRejections, pgx.NamedArgs{"profile": string(id), "limit": limit},
		func(row pgx.CollectableRow) (event.Rejection, error) {
			var r event.Rejection
			var faults []byte
			if err := row.Scan(&r.IntakeSeq, &r.ProfileID, &r.EventID, &faults, &r.At); err != nil {
				return r, err
			}
			return r, json.Unmarshal(faults, &r.Faults)
		})
}

// Receipt is how far a profile's submissions have come.
type Receipt struct {
	// IntakeSeq is of the newest submission that became the profile's head, and
	// whose suggestions are therefore written; 0: none yet. Less than that of the
	// submission asked for: it still waits. More: it was superseded.
	IntakeSeq uint64
	Revision  uint64
	Status    profile.Status
	// Faults say why the submission asked for was refused; nil: it was not.
	Faults []event.Fault
}

const selectReceipt = `
SELECT coalesce(p.intake_seq, 0), coalesce(p.revision, 0), coalesce(p.status, ''), r.faults
FROM (SELECT @id::text AS id) asked
LEFT JOIN profile p ON p.id = asked.id
LEFT JOIN rejection r ON r.intake_seq = @seq AND r.profile_id = asked.id`

// Receipt returns what became of the submission with that intake sequence.
func (s *Store) Receipt(ctx context.Context, id profile.ID, intakeSeq uint64) (Receipt, error) {
	var r Receipt
	var faults []byte
	err := s.pool.QueryRow(ctx, selectReceipt, pgx.NamedArgs{"id": string(id), "seq": intakeSeq}).
		Scan(&r.IntakeSeq, &r.Revision, &r.Status, &faults)
	if err == nil && faults != nil {
		err = json.Unmarshal(faults, &r.Faults)
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("receipt of %s: %w", id, classify(err))
	}
	return r, nil
}

const selectAdmission = `
SELECT c.review, c.enrolment = 'open', EXISTS (SELECT FROM membership m WHERE m.org = @org AND m.cluster = c.id)
FROM cluster c WHERE c.id = @cluster`

const enrol = `
INSERT INTO membership (org, cluster) VALUES (@org, @cluster) ON CONFLICT (org, cluster) DO NOTHING`

// Admit says whether organisation org may post into cluster: the error is nil,
// or wraps fault.ErrInvalid with a sentence for the producer. In a cluster with
// open enrolment the organisation becomes a member. review says that profiles
// wait for an advisor's release before they are published.
func (s *Store) Admit(ctx context.Context, org, cluster string) (review bool, err error) {
	args := pgx.NamedArgs{"org": org, "cluster": cluster}
	var open, member bool
	err = s.pool.QueryRow(ctx, selectAdmission, args).Scan(&review, &open, &member)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, fmt.Errorf("%w: there is no cluster %q here", fault.ErrInvalid, cluster)
	case err != nil:
		return false, fmt.Errorf("admit %s to %s: %w", org, cluster, classify(err))
	case member:
		return review, nil
	case !open:
		return false, fmt.Errorf("%w: organisation %q is not a member of cluster %q, which takes members only", fault.ErrInvalid, org, cluster)
	}
	if _, err := s.exec(ctx, fmt.Sprintf("enrol %s in %s", org, cluster), enrol, args); err != nil {
		return false, err
	}
	return review, nil
}
