package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"kobling/internal/alert"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
)

// The queues. Each channel has its own, so that a slow mail server holds up no
// webhook.
const (
	queueEvents = "events"
	queueGate   = "gate"
)

// notifyArgs triggers an attempt at a notification; the row is the truth.
type notifyArgs struct {
	NotificationID uuid.UUID `json:"notification_id"`
}

// Kind implements river.JobArgs.
func (notifyArgs) Kind() string { return "notify" }

// eventArgs publishes messages, in order. Repeats carry the same event ids.
type eventArgs struct {
	Messages []message `json:"messages"`
}

type message struct {
	Subject string              `json:"subject"`
	Header  map[string][]string `json:"header"`
	Data    []byte              `json:"data"`
}

// Kind implements river.JobArgs.
func (eventArgs) Kind() string { return "event" }

// retellArgs runs Retell over the profiles named and over all live ones of the
// clusters and organisations named, a page at a time.
type retellArgs struct {
	Profiles []profile.ID `json:"profiles,omitempty"`
	Clusters []string     `json:"clusters,omitempty"`
	Orgs     []string     `json:"orgs,omitempty"`
	After    profile.ID   `json:"after,omitempty"` // the last one done
}

// Kind implements river.JobArgs.
func (retellArgs) Kind() string { return "retell" }

// River's own limits on tries. A notification is given up by package notify,
// earlier; what other systems and the gate wait for is tried for days.
const (
	notifyTries = 30
	otherTries  = 3000
)

// eventsPerJob keeps one job's arguments and its time in hand.
const eventsPerJob = 100

func (s *Store) enqueue(ctx context.Context, tx pgx.Tx, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	if _, err := s.jobs.InsertManyFastTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

// scanNotifyJob makes a job of a row (notification id, channel).
func scanNotifyJob(row pgx.CollectableRow) (river.InsertManyParams, error) {
	var args notifyArgs
	var channel alert.Channel
	err := row.Scan(&args.NotificationID, &channel)
	return river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{Queue: string(channel), MaxAttempts: notifyTries}}, err
}

func eventJob(messages ...event.Message) river.InsertManyParams {
	var args eventArgs
	for _, m := range messages {
		args.Messages = append(args.Messages, message{Subject: m.Subject, Header: m.Header, Data: m.Data})
	}
	return river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{Queue: queueEvents, MaxAttempts: otherTries}}
}

// suggestionJobs publishes that pairs became suggestions or rose. The event id
// is the pair and its band, so the same fact never has two.
func suggestionJobs(rose []event.SuggestionCreated, at time.Time) ([]river.InsertManyParams, error) {
	var jobs []river.InsertManyParams
	for chunk := range slices.Chunk(rose, eventsPerJob) {
		messages := make([]event.Message, 0, len(chunk))
		for _, c := range chunk {
			m, err := event.NewSuggestionCreated(fmt.Sprintf("%s~%s~%s", c.DemandID, c.SupplyID, c.Band), at, c)
			if err != nil {
				return nil, err
			}
			messages = append(messages, m)
		}
		jobs = append(jobs, eventJob(messages...))
	}
	return jobs, nil
}

func retellJob(args retellArgs, at time.Time) river.InsertManyParams {
	return river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{Queue: queueGate, MaxAttempts: otherTries, ScheduledAt: at}}
}

// retellLater has the profiles told again when they become valid.
func (s *Store) retellLater(ctx context.Context, tx pgx.Tx, waits map[profile.ID]time.Time) error {
	var jobs []river.InsertManyParams
	for _, id := range slices.Sorted(maps.Keys(waits)) {
		jobs = append(jobs, retellJob(retellArgs{Profiles: []profile.ID{id}}, waits[id]))
	}
	return s.enqueue(ctx, tx, jobs)
}

// retellPage bounds how long one page holds the turn.
const retellPage = 256

const selectPage = `
SELECT id FROM profile
WHERE alive AND (cluster = ANY(@clusters::text[]) OR org = ANY(@orgs::text[])) AND id > @after
ORDER BY id LIMIT @limit`

const selectWait = `
SELECT extract(epoch FROM min(valid_from) - clock_timestamp())::double precision FROM profile
WHERE id = ANY(@ids::text[]) AND alive AND valid_from > clock_timestamp()`

// workRetell does one page of a retell job and, in the same transaction, leaves
// a job for the next. The turn comes first: a profile that becomes alive while
// the page is read would be on no page. And what is not yet valid is asked for
// before it is told: what becomes valid in between is told, or comes again.
func (s *Store) workRetell(ctx context.Context, args retellArgs) error {
	var wait *float64 // seconds until the next of args.Profiles is valid
	err := s.inTx(ctx, "tell again", func(tx pgx.Tx) error {
		ids := args.Profiles
		next := []river.InsertManyParams(nil)
		if _, err := tx.Exec(ctx, takeTurn); err != nil {
			return err
		}
		if len(args.Clusters)+len(args.Orgs) > 0 {
			rows, err := tx.Query(ctx, selectPage, pgx.NamedArgs{
				"clusters": args.Clusters, "orgs": args.Orgs, "after": string(args.After), "limit": retellPage,
			})
			if err != nil {
				return err
			}
			page, err := pgx.CollectRows(rows, pgx.RowTo[profile.ID])
			if err != nil {
				return err
			}
			if len(page) == retellPage {
				more := args
				more.Profiles, more.After = nil, page[len(page)-1]
				next = append(next, retellJob(more, time.Time{}))
			}
			ids = append(slices.Clone(ids), page...)
		}
		if err := tx.QueryRow(ctx, selectWait, pgx.NamedArgs{"ids": args.Profiles}).Scan(&wait); err != nil {
			return err
		}
		if _, err := s.retell(ctx, tx, ids); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, next)
	})
	if err != nil {
		return err
	}
	if wait != nil { // our clock and PostgreSQL's differ; the gate asks PostgreSQL's
		return river.JobSnooze(time.Duration(*wait*float64(time.Second)) + time.Millisecond)
	}
	return nil
}

// settle maps what a handler returned to what River does with the job.
func settle(err error) error {
	var later *alert.SendError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &later) && later.After > 0:
		return river.JobSnooze(later.After)
	case fault.Judge(err) == fault.Reject:
		return river.JobCancel(err)
	}
	return err
}

// pauses is River's retry policy: seconds at first; for a notification up to
// half a day, so that it outlives a receiver's bad day, and for everything else
// a minute.
type pauses struct{}

// NextRetry implements river.ClientRetryPolicy.
func (pauses) NextRetry(job *rivertype.JobRow) time.Time {
	limit := time.Minute
	if job.Kind == (notifyArgs{}).Kind() {
		limit = 12 * time.Hour
	}
	pause := limit
	if n := len(job.Errors); n < 8 {
		pause = min(limit, 2*time.Second<<(2*n)) // 2 s, 8 s, 32 s, 2 min, 8 min, …
	}
	return time.Now().Add(pause + rand.N(pause/10)) //nolint:gosec // jitter is no secret
}
