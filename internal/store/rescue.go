package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
)

// workerPrefix starts the id of every job client of ours.
const workerPrefix = "kobling-"

// liveness says that this process's job client is alive, and finds the clients
// that are not. River alone finds a job whose process was killed by its age,
// after minutes. Here each client holds a session-level advisory lock: the
// moment a process dies, PostgreSQL sees its connection close and drops the lock,
// and whoever looks next hands its jobs out again. After kill -9 and a new start
// that is at once; another replica does it within rescueEvery × 2.
type liveness struct {
	store *Store
	id    string
	conn  *pgxpool.Conn // holds the lock
	dead  []string      // clients that had no lock when looked at last
	asked bool
}

const (
	lockAlive = `SELECT pg_advisory_lock(@class, hashtext(@worker))`

	selectDead = `
SELECT DISTINCT worker FROM (
	SELECT attempted_by[array_upper(attempted_by, 1)] AS worker FROM river_job WHERE state = 'running'
	UNION ALL SELECT leader_id FROM river_leader
) w
WHERE worker LIKE @prefix || '%' AND NOT EXISTS (
	SELECT FROM pg_locks l
	WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
	AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND l.classid::bigint = @class AND l.objid::bigint = hashtext(worker)::bigint & 4294967295)
ORDER BY worker`

	rescueJobs = `
UPDATE river_job SET state = 'available', scheduled_at = now(), max_attempts = greatest(max_attempts, attempt + 1)
WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = ANY(@dead::text[])`

	deposeLeader = `DELETE FROM river_leader WHERE leader_id = ANY(@dead::text[])`
)

// check renews the lock if its connection was lost and rescues the jobs of dead
// clients: at its first call at once, later only of those that were dead at the
// call before too. After a restart of PostgreSQL every client is without its
// lock for a moment.
func (l *liveness) check(ctx context.Context) error {
	if err := l.hold(ctx); err != nil {
		return err
	}
	dead, err := rows(ctx, l.store, "find dead workers", selectDead,
		pgx.NamedArgs{"class": lockWorker, "prefix": workerPrefix}, pgx.RowTo[string])
	if err != nil {
		return err
	}
	twice := dead
	if l.asked {
		twice = slices.DeleteFunc(slices.Clone(dead), func(id string) bool { return !slices.Contains(l.dead, id) })
	}
	l.dead, l.asked = dead, true
	if len(twice) == 0 {
		return nil
	}
	return l.store.inTx(ctx, "rescue jobs", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, rescueJobs, pgx.NamedArgs{"dead": twice})
		if err != nil {
			return err
		}
		l.store.log.Info("rescued jobs of dead processes", zap.Int64("jobs", tag.RowsAffected()), zap.Strings("workers", twice))
		_, err = tx.Exec(ctx, deposeLeader, pgx.NamedArgs{"dead": twice})
		return err
	})
}

func (l *liveness) hold(ctx context.Context) error {
	if l.conn != nil {
		if err := l.conn.Ping(ctx); err == nil {
			return nil
		}
		l.end(ctx)
	}
	conn, err := l.store.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("liveness lock: %w", classify(err))
	}
	if _, err := conn.Exec(ctx, lockAlive, pgx.NamedArgs{"class": lockWorker, "worker": l.id}); err != nil {
		conn.Release()
		return fmt.Errorf("liveness lock: %w", classify(err))
	}
	l.conn = conn
	return nil
}

// end closes the session, and so drops the lock.
func (l *liveness) end(ctx context.Context) {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = l.conn.Hijack().Close(ctx)
	l.conn = nil
}

const selectLost = `
SELECT n.id, n.channel FROM notification n
WHERE n.state IN ('pending', 'sending') AND n.updated_at < clock_timestamp() - @age::interval
AND NOT EXISTS (
	SELECT FROM river_job j
	WHERE j.kind = 'notify' AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
	AND j.args->>'notification_id' = n.id::text)
ORDER BY n.id LIMIT 1000
FOR UPDATE OF n SKIP LOCKED`

const touchLost = `UPDATE notification SET updated_at = clock_timestamp() WHERE id = ANY(@ids::uuid[])`

// lostAfter is how long a notification may be open without a job.
const lostAfter = time.Minute

// requeue gives open notifications that have no job a new one: the row is the
// truth, a job that was given up or deleted must not silence it. It returns how
// many there were.
func (s *Store) requeue(ctx context.Context) (int, error) {
	n := 0
	err := s.inTx(ctx, "requeue notifications", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, selectLost, pgx.NamedArgs{"age": lostAfter})
		if err != nil {
			return err
		}
		jobs, err := pgx.CollectRows(rows, scanNotifyJob)
		if err != nil {
			return err
		}
		n = len(jobs)
		if n == 0 {
			return nil
		}
		ids := make([]string, n)
		for i, j := range jobs {
			args, ok := j.Args.(notifyArgs)
			if !ok {
				return errors.New("not a notify job")
			}
			ids[i] = args.NotificationID.String()
		}
		// Touched, so that another replica does not take them for lost as well.
		if _, err := tx.Exec(ctx, touchLost, pgx.NamedArgs{"ids": ids}); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, jobs)
	})
	return n, err
}
