-- The ledger of the match protocol (see internal/match/doc.go), who is told
-- what, and the tenants. Keys of profiles sort bytewise (COLLATE "C") so that
-- every statement takes its row locks in one and the same order, whatever the
-- database's own collation is.

-- +goose Up

-- One row, and the turn: whoever can make a pair live locks it first.
CREATE TABLE active_epoch (
	one         boolean PRIMARY KEY DEFAULT true CHECK (one),
	number      integer NOT NULL CHECK (number >= 0),
	fingerprint text NOT NULL,          -- of analysis, lexicon, statistics and thresholds
	updated_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO active_epoch (number, fingerprint) VALUES (0, '');

CREATE TABLE profile (
	id             text COLLATE "C" PRIMARY KEY,  -- <kind>.<org>.<id>
	kind           text NOT NULL,
	org            text COLLATE "C" NOT NULL,
	seq            bigint NOT NULL,               -- in the PROFILES stream
	epoch          integer NOT NULL,              -- that last handled it
	intake_seq     bigint NOT NULL DEFAULT 0,
	revision       bigint NOT NULL DEFAULT 0,
	alive          boolean NOT NULL,              -- published: may take part in suggestions
	quiet          boolean NOT NULL DEFAULT false,-- raises no alert by itself
	quarantined    boolean NOT NULL DEFAULT false,
	status         text NOT NULL DEFAULT '',
	body           jsonb,                         -- as published; null for a tombstone
	cluster        text COLLATE "C" NOT NULL DEFAULT '',
	visibility     text NOT NULL DEFAULT 'cluster',
	anonymous      boolean NOT NULL DEFAULT false,
	legal_entity   text,
	valid_from     timestamptz,
	valid_until    timestamptz,
	content_digest bytea,                         -- of what a person judges
	updated_at     timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 85);
CREATE INDEX profile_cluster ON profile (cluster, id) WHERE alive;
CREATE INDEX profile_org ON profile (org);

-- No foreign keys to profile: a pair's row may come before the head of either
-- side. A row counts only while its sequences are those of both heads.
CREATE TABLE suggestion (
	demand_id  text COLLATE "C" NOT NULL,
	supply_id  text COLLATE "C" NOT NULL,
	demand_seq bigint NOT NULL,
	supply_seq bigint NOT NULL,
	epoch      integer NOT NULL,
	score      double precision NOT NULL,
	band       text NOT NULL CHECK (band IN ('possible', 'strong')),
	reasons    jsonb NOT NULL,
	rematch    boolean NOT NULL,                  -- written by nothing but a re-match
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (demand_id, supply_id)
) WITH (fillfactor = 85);
CREATE INDEX suggestion_supply ON suggestion (supply_id, demand_id);

-- What is remembered of a pair for ever, whatever becomes of its rows.
CREATE TABLE pair (
	demand_id     text COLLATE "C" NOT NULL,
	supply_id     text COLLATE "C" NOT NULL,
	first_live_at timestamptz NOT NULL,
	band          text NOT NULL,                  -- the highest it was ever live with
	announced     text,                           -- the highest that suggestion.created was published for
	PRIMARY KEY (demand_id, supply_id)
);

-- The latest verdict on a pair; earlier ones are in event_log.
CREATE TABLE decision (
	demand_id     text COLLATE "C" NOT NULL,
	supply_id     text COLLATE "C" NOT NULL,
	verdict       text NOT NULL CHECK (verdict IN ('accepted', 'declined')),
	reason        text NOT NULL DEFAULT '' CHECK (reason IN ('', 'wrong_field', 'too_early', 'too_late',
		'benefit_unclear', 'text_unclear', 'no_capacity', 'conflict_or_competitor', 'ip_or_confidentiality',
		'legal_or_ethics', 'country_or_eligibility', 'already_know_each_other', 'duplicate', 'other')),
	note          text NOT NULL DEFAULT '',
	demand_digest bytea,
	supply_digest bytea,
	decided_by    text NOT NULL,
	decided_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (demand_id, supply_id),
	CHECK ((verdict = 'declined') = (reason <> ''))
);

CREATE TABLE organisation (
	org          text COLLATE "C" PRIMARY KEY,    -- the token in profile ids
	name         text NOT NULL DEFAULT '',
	type         text NOT NULL DEFAULT '',
	country      text NOT NULL DEFAULT '',
	legal_entity text,                            -- joins merged organisations; beats what a profile says
	updated_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE cluster (
	id         text COLLATE "C" PRIMARY KEY,
	name       text NOT NULL,
	enrolment  text NOT NULL DEFAULT 'open' CHECK (enrolment IN ('open', 'members')),
	review     boolean NOT NULL DEFAULT false,    -- profiles wait for an advisor's release
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO cluster (id, name) VALUES ('default', 'Default');

CREATE TABLE membership (
	org     text COLLATE "C" NOT NULL,
	cluster text COLLATE "C" NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
	since   timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (org, cluster)
);
CREATE INDEX membership_cluster ON membership (cluster);

CREATE TABLE network (
	id         text COLLATE "C" PRIMARY KEY,
	name       text NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE network_member (
	network text COLLATE "C" NOT NULL REFERENCES network (id) ON DELETE CASCADE,
	cluster text COLLATE "C" NOT NULL,
	PRIMARY KEY (cluster, network)
);
CREATE INDEX network_member_network ON network_member (network);

CREATE TABLE subscription (
	id         uuid PRIMARY KEY,
	cluster    text COLLATE "C" NOT NULL,
	name       text NOT NULL DEFAULT '',
	channel    text NOT NULL CHECK (channel IN ('email', 'webhook')),
	address    text NOT NULL,
	secret     text NOT NULL DEFAULT '',
	language   text NOT NULL DEFAULT '',
	min_band   text NOT NULL DEFAULT 'possible' CHECK (min_band IN ('possible', 'strong')),
	active     boolean NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(), -- of the present activation
	UNIQUE (cluster, channel, address)
);

CREATE TABLE notification (
	id              uuid PRIMARY KEY,             -- UUIDv7: idempotency key and Message-ID
	dedup_key       bytea NOT NULL UNIQUE,        -- subscription, channel, pair, kind and band; never the revision
	subscription_id uuid NOT NULL REFERENCES subscription (id),
	channel         text NOT NULL,
	demand_id       text COLLATE "C" NOT NULL,
	supply_id       text COLLATE "C" NOT NULL,
	kind            text NOT NULL,
	band            text NOT NULL CHECK (band IN ('possible', 'strong')),
	state           text NOT NULL DEFAULT 'pending'
		CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'held', 'suppressed')),
	attempts        integer NOT NULL DEFAULT 0,
	detail          text NOT NULL DEFAULT '',     -- of the last attempt
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	sent_at         timestamptz
);
CREATE INDEX notification_told ON notification (subscription_id, demand_id, supply_id, kind);
CREATE INDEX notification_open ON notification (updated_at) WHERE state IN ('pending', 'sending');

CREATE TABLE rejection (
	intake_seq bigint PRIMARY KEY,
	profile_id text COLLATE "C" NOT NULL,
	event_id   text NOT NULL DEFAULT '',
	faults     jsonb NOT NULL,
	at         timestamptz NOT NULL
);
CREATE INDEX rejection_profile ON rejection (profile_id, intake_seq);

-- Messages that break their handler every time, whole, for an operator.
CREATE TABLE dead_letter (
	subject text COLLATE "C" NOT NULL,
	seq     bigint NOT NULL,
	header  json,                                 -- json keeps what jsonb refuses
	data    bytea,
	reason  text NOT NULL,
	at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (subject, seq)
);

-- The source of all figures; append-only. A fact of one revision is logged
-- once, however often its message is delivered.
CREATE TABLE event_log (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at         timestamptz NOT NULL DEFAULT clock_timestamp(),
	kind       text NOT NULL,                     -- profile.<status>, suggestion.live, told.<channel>, decision.<verdict>, epoch.active
	profile_id text COLLATE "C",
	seq        bigint,
	demand_id  text COLLATE "C",
	supply_id  text COLLATE "C",
	cluster    text COLLATE "C",
	detail     jsonb
);
CREATE UNIQUE INDEX event_log_revision ON event_log (profile_id, seq) WHERE profile_id IS NOT NULL;
CREATE INDEX event_log_kind ON event_log (kind, at);

CREATE FUNCTION band_rank(band text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE band WHEN 'strong' THEN 2 WHEN 'possible' THEN 1 ELSE 0 END;

-- The gate at one moment. One plain SELECT, so that the planner can inline it:
-- a condition on demand_id or supply_id reaches the indexes.
-- +goose StatementBegin
CREATE FUNCTION suggestion_live_at(t timestamptz)
RETURNS TABLE (
	demand_id text, supply_id text, demand_seq bigint, supply_seq bigint, epoch integer,
	score double precision, band text, reasons jsonb, rematch boolean, updated_at timestamptz,
	demand_cluster text, supply_cluster text,
	news boolean -- worth telling: see "News" in internal/match/doc.go
) LANGUAGE sql STABLE AS $$
	SELECT s.demand_id, s.supply_id, s.demand_seq, s.supply_seq, s.epoch,
		s.score, s.band, s.reasons, s.rematch, s.updated_at,
		d.cluster, o.cluster,
		NOT s.rematch AND NOT CASE WHEN d.seq > o.seq THEN d.quiet ELSE o.quiet END
	FROM suggestion s
	JOIN profile d ON d.id = s.demand_id AND d.seq = s.demand_seq
	JOIN profile o ON o.id = s.supply_id AND o.seq = s.supply_seq
	LEFT JOIN organisation de ON de.org = d.org
	LEFT JOIN organisation oe ON oe.org = o.org
	WHERE s.epoch = greatest(d.epoch, o.epoch)
	AND d.alive AND NOT d.quarantined
	AND o.alive AND NOT o.quarantined
	AND (d.valid_from IS NULL OR d.valid_from <= t) AND (d.valid_until IS NULL OR t < d.valid_until)
	AND (o.valid_from IS NULL OR o.valid_from <= t) AND (o.valid_until IS NULL OR t < o.valid_until)
	AND coalesce(de.legal_entity, d.legal_entity, d.org) <> coalesce(oe.legal_entity, o.legal_entity, o.org)
	AND d.visibility <> 'private' AND o.visibility <> 'private'
	AND (d.cluster = o.cluster
		OR d.visibility = 'public' AND o.visibility = 'public'
		OR d.visibility IN ('network', 'public') AND o.visibility IN ('network', 'public')
			AND EXISTS (
				SELECT FROM network_member a JOIN network_member b USING (network)
				WHERE a.cluster = d.cluster AND b.cluster = o.cluster))
	AND NOT EXISTS (
		SELECT FROM decision x
		WHERE x.demand_id = s.demand_id AND x.supply_id = s.supply_id AND x.verdict = 'declined'
		AND x.demand_digest = d.content_digest AND x.supply_digest = o.content_digest)
$$;
-- +goose StatementEnd

-- The gate now. A volatile argument would keep the function from being
-- inlined; a column of a subquery does not, and the clock is read once. The
-- collation was lost on the way through the function; without it a condition on
-- an id would not fit the indexes.
CREATE VIEW suggestion_live AS
SELECT demand_id COLLATE "C" AS demand_id, supply_id COLLATE "C" AS supply_id, demand_seq, supply_seq, epoch,
	score, band, reasons, rematch, updated_at,
	demand_cluster COLLATE "C" AS demand_cluster, supply_cluster COLLATE "C" AS supply_cluster, news
FROM (SELECT clock_timestamp() AS t OFFSET 0) clock
CROSS JOIN LATERAL suggestion_live_at(clock.t) live;
