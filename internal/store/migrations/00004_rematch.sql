-- Re-matches: runs in which everything that PROFILES holds up to a sequence is
-- matched again in one epoch (see "Re-matches" in internal/app/doc.go). A run is
-- here and, as its durable consumer, in JetStream, and in no process.

-- +goose Up

CREATE TABLE rematch (
	epoch       integer NOT NULL,
	run         integer NOT NULL,
	from_seq    bigint NOT NULL,
	to_seq      bigint NOT NULL, -- the last of PROFILES when it began; what comes later is live work
	total       bigint NOT NULL, -- messages from from_seq to to_seq when it began
	done        bigint NOT NULL DEFAULT 0,
	started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
	finished_at timestamptz,
	replaced    boolean NOT NULL DEFAULT false, -- ended by a later epoch
	PRIMARY KEY (epoch, run)
);
-- One at a time.
CREATE UNIQUE INDEX rematch_runs ON rematch ((true)) WHERE finished_at IS NULL;

-- Messages that a run gave up so that it could end. They are of that epoch only
-- once they are matched by another run, or revised.
CREATE TABLE rematch_stuck (
	epoch    integer NOT NULL,
	run      integer NOT NULL,
	subject  text NOT NULL,
	seq      bigint NOT NULL,
	reason   text NOT NULL,
	stuck_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (epoch, run, seq),
	FOREIGN KEY (epoch, run) REFERENCES rematch
);
