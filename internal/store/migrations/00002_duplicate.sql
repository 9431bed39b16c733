-- Near-duplicates: two profiles of one side and one organisation that say the
-- same (see "Near-duplicates" in internal/match/doc.go), and how somebody who was
-- told of the one is told of the other.

-- +goose Up

-- Written as suggestion is, and for the same reason without foreign keys: a row
-- counts only while its sequences are those of both heads.
CREATE TABLE duplicate (
	a_id       text COLLATE "C" NOT NULL,
	b_id       text COLLATE "C" NOT NULL,
	a_seq      bigint NOT NULL,
	b_seq      bigint NOT NULL,
	epoch      integer NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (a_id, b_id),
	CHECK (a_id < b_id)
) WITH (fillfactor = 85);
CREATE INDEX duplicate_b ON duplicate (b_id, a_id);

-- The notification of the same subscription, of a near-duplicate and the same
-- counterpart, that this one refers to: "also posted as". Null: told in full.
-- Only what is told in full is referred to.
ALTER TABLE notification ADD COLUMN also_of uuid;

CREATE VIEW duplicate_live AS
SELECT x.a_id, x.b_id, x.a_seq, x.b_seq, x.epoch
FROM duplicate x
JOIN profile a ON a.id = x.a_id AND a.seq = x.a_seq
JOIN profile b ON b.id = x.b_id AND b.seq = x.b_seq
LEFT JOIN organisation ae ON ae.org = a.org
LEFT JOIN organisation be ON be.org = b.org
WHERE x.epoch = greatest(a.epoch, b.epoch)
AND a.alive AND NOT a.quarantined
AND b.alive AND NOT b.quarantined
AND coalesce(ae.legal_entity, a.legal_entity, a.org) = coalesce(be.legal_entity, b.legal_entity, b.org);

CREATE FUNCTION visibility_rank(visibility text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE visibility WHEN 'public' THEN 3 WHEN 'network' THEN 2 WHEN 'cluster' THEN 1 ELSE 0 END;

-- The near-duplicates of a profile that may be named to whoever is shown the
-- profile itself: valid at that moment, and visible to at least as many.
CREATE FUNCTION twins_of(profile text, t timestamptz)
RETURNS TABLE (twin_id text, twin_seq bigint, twin_epoch integer) LANGUAGE sql STABLE AS $$
	SELECT o.id, o.seq, o.epoch
	FROM (
		SELECT l.a_id, l.b_id FROM duplicate_live l WHERE l.a_id = $1 COLLATE "C"
		UNION ALL
		SELECT l.b_id, l.a_id FROM duplicate_live l WHERE l.b_id = $1 COLLATE "C"
	) x (id, twin)
	JOIN profile p ON p.id = x.id
	JOIN profile o ON o.id = x.twin
	WHERE (o.valid_from IS NULL OR o.valid_from <= $2) AND (o.valid_until IS NULL OR $2 < o.valid_until)
	AND o.cluster = p.cluster AND visibility_rank(o.visibility) >= visibility_rank(p.visibility)
$$;

-- The near-duplicate of either side whose suggestion with the other side is
-- current and was live first, if that was before the pair's own; else null.
CREATE FUNCTION also_posted_as(demand text, supply text, t timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT e.twin_id
	FROM (
		SELECT x.twin_id, s.demand_id, s.supply_id
		FROM twins_of($1, $3) x
		JOIN suggestion s ON s.demand_id = x.twin_id AND s.supply_id = $2 AND s.demand_seq = x.twin_seq
		JOIN profile c ON c.id = $2 AND c.seq = s.supply_seq AND s.epoch = greatest(x.twin_epoch, c.epoch)
		UNION ALL
		SELECT x.twin_id, s.demand_id, s.supply_id
		FROM twins_of($2, $3) x
		JOIN suggestion s ON s.demand_id = $1 AND s.supply_id = x.twin_id AND s.supply_seq = x.twin_seq
		JOIN profile c ON c.id = $1 AND c.seq = s.demand_seq AND s.epoch = greatest(x.twin_epoch, c.epoch)
	) e
	JOIN pair p ON p.demand_id = e.demand_id AND p.supply_id = e.supply_id
	WHERE (p.first_live_at, p.demand_id, p.supply_id) < (
		coalesce((SELECT o.first_live_at FROM pair o WHERE o.demand_id = $1 AND o.supply_id = $2), 'infinity'), $1, $2)
	ORDER BY p.first_live_at, p.demand_id, p.supply_id
	LIMIT 1
$$;
