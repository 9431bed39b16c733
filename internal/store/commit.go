package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// takeTurn is statement 2a of the protocol. What can make a pair live passes
// here one at a time.
const takeTurn = `SELECT number FROM active_epoch FOR UPDATE`

// upsertHeads is statement 2b. A row that is not returned was newer already. A
// tombstone keeps what figures need of its profile: cluster and revision. After a
// recovery, what was told of before the recovery is not known: a revision that the
// database learns anew is quiet, and withheld unless it was quiet anyway.
const upsertHeads = `
INSERT INTO profile (id, kind, org, seq, epoch, intake_seq, revision, alive, quiet, withheld, quarantined, status, body,
	cluster, visibility, anonymous, legal_entity, valid_from, valid_until, content_digest)
SELECT id, split_part(id, '.', 1), split_part(id, '.', 2), seq, @epoch, intake_seq, revision, alive,
	quiet OR seq <= quiet_until, alive AND NOT quiet AND seq <= quiet_until, quarantined, status, body::jsonb,
	cluster, visibility, anonymous, legal_entity, valid_from, valid_until, content_digest
FROM (SELECT quiet_until FROM repair) repair, unnest(@ids::text[], @seqs::bigint[], @intake_seqs::bigint[], @revisions::bigint[], @alive::boolean[], @quiet::boolean[],
	@quarantined::boolean[], @status::text[], @bodies::text[], @clusters::text[], @visibility::text[], @anonymous::boolean[],
	@legal_entities::text[], @valid_from::timestamptz[], @valid_until::timestamptz[], @digests::bytea[])
	AS head (id, seq, intake_seq, revision, alive, quiet, quarantined, status, body, cluster, visibility, anonymous,
	legal_entity, valid_from, valid_until, content_digest)
ORDER BY id COLLATE "C"
ON CONFLICT (id) DO UPDATE SET
	seq = excluded.seq, epoch = excluded.epoch, intake_seq = greatest(profile.intake_seq, excluded.intake_seq),
	revision = greatest(profile.revision, excluded.revision), alive = excluded.alive,
	quiet = CASE WHEN profile.seq = excluded.seq AND NOT profile.quarantined THEN profile.quiet ELSE excluded.quiet END,
	withheld = CASE WHEN profile.seq = excluded.seq AND NOT profile.quarantined THEN profile.withheld
		ELSE excluded.withheld AND profile.intake_seq < excluded.intake_seq END,
	quarantined = excluded.quarantined, status = excluded.status, body = excluded.body,
	cluster = CASE WHEN excluded.body IS NULL THEN profile.cluster ELSE excluded.cluster END,
	visibility = excluded.visibility, anonymous = excluded.anonymous, legal_entity = excluded.legal_entity,
	valid_from = excluded.valid_from, valid_until = excluded.valid_until,
	content_digest = excluded.content_digest, updated_at = clock_timestamp()
WHERE (profile.seq, profile.epoch) <= (excluded.seq, excluded.epoch)
RETURNING id, CASE WHEN alive AND valid_from > clock_timestamp() THEN valid_from END`

// upsertOrganisations keeps what the newest profile says of its organisation.
const upsertOrganisations = `
INSERT INTO organisation (org, name, type, country)
SELECT DISTINCT ON (org COLLATE "C") org, name, type, country
FROM unnest(@orgs::text[], @seqs::bigint[], @names::text[], @types::text[], @countries::text[]) AS o (org, seq, name, type, country)
ORDER BY org COLLATE "C", seq DESC
ON CONFLICT (org) DO UPDATE SET
	name = excluded.name, type = excluded.type, country = excluded.country, updated_at = clock_timestamp()
WHERE (organisation.name, organisation.type, organisation.country) <> (excluded.name, excluded.type, excluded.country)`

// logRevisions notes each revision once: a redelivery or a re-match finds it
// noted.
const logRevisions = `
INSERT INTO event_log (kind, profile_id, seq, cluster, detail)
SELECT 'profile.' || status, id, seq, cluster, jsonb_build_object('org', org, 'revision', revision, 'quiet', quiet)
FROM profile WHERE id = ANY(@ids::text[])
ORDER BY id
ON CONFLICT (profile_id, seq) WHERE profile_id IS NOT NULL DO NOTHING`

// upsertPairs is statement 2c: compare-and-set on epoch and both sequences.
const upsertPairs = `
INSERT INTO suggestion (demand_id, supply_id, demand_seq, supply_seq, epoch, score, band, reasons, rematch)
SELECT demand_id, supply_id, demand_seq, supply_seq, @epoch, score, band, reasons::jsonb, @rematch
FROM unnest(@demand_ids::text[], @supply_ids::text[], @demand_seqs::bigint[], @supply_seqs::bigint[],
	@scores::double precision[], @bands::text[], @reasons::text[])
	AS pair (demand_id, supply_id, demand_seq, supply_seq, score, band, reasons)
ORDER BY demand_id COLLATE "C", supply_id COLLATE "C"
ON CONFLICT (demand_id, supply_id) DO UPDATE SET
	demand_seq = excluded.demand_seq, supply_seq = excluded.supply_seq, epoch = excluded.epoch,
	score = excluded.score, band = excluded.band, reasons = excluded.reasons,
	rematch = excluded.rematch AND (suggestion.rematch
		OR (suggestion.demand_seq, suggestion.supply_seq) <> (excluded.demand_seq, excluded.supply_seq)),
	updated_at = clock_timestamp()
WHERE suggestion.epoch <= excluded.epoch
AND suggestion.demand_seq <= excluded.demand_seq
AND suggestion.supply_seq <= excluded.supply_seq`

// upsertDuplicates is what statement 2c is for near-duplicates.
const upsertDuplicates = `
INSERT INTO duplicate (a_id, b_id, a_seq, b_seq, epoch)
SELECT a_id, b_id, a_seq, b_seq, @epoch
FROM unnest(@a_ids::text[], @b_ids::text[], @a_seqs::bigint[], @b_seqs::bigint[]) AS d (a_id, b_id, a_seq, b_seq)
ORDER BY a_id COLLATE "C", b_id COLLATE "C"
ON CONFLICT (a_id, b_id) DO UPDATE SET
	a_seq = excluded.a_seq, b_seq = excluded.b_seq, epoch = excluded.epoch, updated_at = clock_timestamp()
WHERE duplicate.epoch <= excluded.epoch
AND duplicate.a_seq <= excluded.a_seq
AND duplicate.b_seq <= excluded.b_seq`

// Commit writes b in one transaction; see "The match protocol" in package
// match. The error wraps fault.ErrStale if b.Epoch is not the active epoch, and
// fault.ErrInvalid if PostgreSQL cannot keep what a head or a pair says.
func (s *Store) Commit(ctx context.Context, b suggestion.Batch) (suggestion.Outcome, error) {
	var out suggestion.Outcome
	heads, err := headArgs(b)
	if err != nil {
		return out, fmt.Errorf("commit batch: %w: %w", fault.ErrInvalid, err)
	}
	err = s.inTx(ctx, "commit batch", func(tx pgx.Tx) error {
		out = suggestion.Outcome{}
		written, waits, err := writeHeads(ctx, tx, b, heads)
		if err != nil {
			return err
		}
		for _, h := range b.Heads {
			if !written[h.ID] {
				out.Superseded = append(out.Superseded, h.ID)
			}
		}
		out.Told, err = s.writePairs(ctx, tx, b, written)
		if err != nil {
			return err
		}
		return s.retellLater(ctx, tx, waits)
	})
	return out, err
}

// writeHeads takes the turn and writes the heads, in one round trip. It returns
// which heads it wrote, and when those become valid that are not valid yet.
func writeHeads(ctx context.Context, tx pgx.Tx, b suggestion.Batch, heads pgx.NamedArgs) (map[profile.ID]bool, map[profile.ID]time.Time, error) {
	written := make(map[profile.ID]bool, len(b.Heads))
	waits := make(map[profile.ID]time.Time)
	var active int
	var batch pgx.Batch
	batch.Queue(takeTurn).QueryRow(func(row pgx.Row) error { return row.Scan(&active) })
	batch.Queue(upsertHeads, heads).Query(func(rows pgx.Rows) error {
		var id profile.ID
		var validFrom *time.Time
		_, err := pgx.ForEachRow(rows, []any{&id, &validFrom}, func() error {
			written[id] = true
			if validFrom != nil {
				waits[id] = *validFrom
			}
			return nil
		})
		return err
	})
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, nil, err
	}
	if active != b.Epoch {
		return nil, nil, fmt.Errorf("%w: epoch %d, the active one is %d", fault.ErrStale, b.Epoch, active)
	}
	return written, waits, nil
}

// writePairs writes the pairs of b, but none of a superseded revision, and tells
// what became news with the heads just written. It returns how many
// notifications became pending.
func (s *Store) writePairs(ctx context.Context, tx pgx.Tx, b suggestion.Batch, written map[profile.ID]bool) (int, error) {
	if len(written) == 0 {
		return 0, nil
	}
	superseded := supersededBy(b, written)
	pairs, err := pairArgs(b, superseded)
	if err != nil {
		return 0, err
	}
	ids := make([]string, 0, len(written))
	for id := range written {
		ids = append(ids, string(id))
	}
	var found news
	var batch pgx.Batch
	batch.Queue(upsertOrganisations, organisationArgs(b, written))
	batch.Queue(logRevisions, pgx.NamedArgs{"ids": ids})
	batch.Queue(upsertPairs, pairs)
	if len(b.Duplicates) > 0 {
		batch.Queue(upsertDuplicates, duplicateArgs(b, superseded))
	}
	found.queue(&batch, ids)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return 0, err
	}
	return s.tell(ctx, tx, found)
}

// headArgs lays the heads out as columns.
func headArgs(b suggestion.Batch) (pgx.NamedArgs, error) {
	n := len(b.Heads)
	ids, status, clusters, visibility := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	seqs, intakeSeqs, revisions := make([]uint64, n), make([]uint64, n), make([]uint64, n)
	alive, quiet, quarantined, anonymous := make([]bool, n), make([]bool, n), make([]bool, n), make([]bool, n)
	bodies, legalEntities := make([]*string, n), make([]*string, n)
	validFrom, validUntil := make([]*time.Time, n), make([]*time.Time, n)
	digests := make([][]byte, n)
	for i, h := range b.Heads {
		ids[i], seqs[i], intakeSeqs[i] = string(h.ID), h.Seq, h.IntakeSeq
		alive[i], quiet[i], quarantined[i] = h.Alive, h.Quiet, h.Quarantined
		p := h.Profile
		if p == nil {
			status[i], visibility[i] = string(profile.Withdrawn), string(profile.VisiblePrivate)
			continue
		}
		body := string(h.Raw)
		if h.Raw == nil {
			raw, err := json.Marshal(p)
			if err != nil {
				return nil, fmt.Errorf("encode %s: %w", h.ID, err)
			}
			body = string(raw)
		}
		digest, err := contentDigest(p)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", h.ID, err)
		}
		revisions[i], status[i], clusters[i], anonymous[i] = p.Revision, string(p.Status), p.Cluster, p.Anonymous
		visibility[i], digests[i], bodies[i] = visibilityOf(p), digest, &body
		if e := p.Organisation.LegalEntityID; e != "" {
			legalEntities[i] = &e
		}
		validFrom[i], validUntil[i] = moment(p.ValidFrom), moment(p.ValidUntil)
	}
	return pgx.NamedArgs{
		"epoch": b.Epoch, "ids": ids, "seqs": seqs, "intake_seqs": intakeSeqs, "revisions": revisions,
		"alive": alive, "quiet": quiet, "quarantined": quarantined, "status": status, "bodies": bodies,
		"clusters": clusters, "visibility": visibility, "anonymous": anonymous, "legal_entities": legalEntities,
		"valid_from": validFrom, "valid_until": validUntil, "digests": digests,
	}, nil
}

// supersededBy returns the sequences of the heads of b that were not written, by
// profile. What was found of them is not written either, but what another profile
// of the batch found of a newer revision is: that profile's message is not
// handled again.
func supersededBy(b suggestion.Batch, written map[profile.ID]bool) map[profile.ID]uint64 {
	superseded := make(map[profile.ID]uint64)
	for _, h := range b.Heads {
		if !written[h.ID] {
			superseded[h.ID] = h.Seq
		}
	}
	return superseded
}

// pairArgs lays the pairs out as columns, but for those of a superseded
// revision.
func pairArgs(b suggestion.Batch, superseded map[profile.ID]uint64) (pgx.NamedArgs, error) {
	n := len(b.Pairs)
	demandIDs, supplyIDs, bands, reasons := make([]string, 0, n), make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	demandSeqs, supplySeqs := make([]uint64, 0, n), make([]uint64, 0, n)
	scores := make([]float64, 0, n)
	for _, p := range b.Pairs {
		if superseded[p.Demand] == p.DemandSeq || superseded[p.Supply] == p.SupplySeq {
			continue
		}
		why := []byte("[]")
		if len(p.Reasons) > 0 {
			var err error
			if why, err = json.Marshal(p.Reasons); err != nil {
				return nil, fmt.Errorf("%w: reasons of %s and %s: %w", fault.ErrInvalid, p.Demand, p.Supply, err)
			}
		}
		demandIDs, supplyIDs = append(demandIDs, string(p.Demand)), append(supplyIDs, string(p.Supply))
		demandSeqs, supplySeqs = append(demandSeqs, p.DemandSeq), append(supplySeqs, p.SupplySeq)
		scores, bands, reasons = append(scores, p.Score), append(bands, string(p.Band)), append(reasons, string(why))
	}
	return pgx.NamedArgs{
		"epoch": b.Epoch, "rematch": b.Rematch, "demand_ids": demandIDs, "supply_ids": supplyIDs,
		"demand_seqs": demandSeqs, "supply_seqs": supplySeqs, "scores": scores, "bands": bands, "reasons": reasons,
	}, nil
}

// duplicateArgs does the same for near-duplicates.
func duplicateArgs(b suggestion.Batch, superseded map[profile.ID]uint64) pgx.NamedArgs {
	n := len(b.Duplicates)
	aIDs, bIDs, aSeqs, bSeqs := make([]string, 0, n), make([]string, 0, n), make([]uint64, 0, n), make([]uint64, 0, n)
	for _, d := range b.Duplicates {
		if superseded[d.A] == d.ASeq || superseded[d.B] == d.BSeq {
			continue
		}
		aIDs, bIDs = append(aIDs, string(d.A)), append(bIDs, string(d.B))
		aSeqs, bSeqs = append(aSeqs, d.ASeq), append(bSeqs, d.BSeq)
	}
	return pgx.NamedArgs{"epoch": b.Epoch, "a_ids": aIDs, "b_ids": bIDs, "a_seqs": aSeqs, "b_seqs": bSeqs}
}

// organisationArgs lays out what the written heads say of their organisations.
func organisationArgs(b suggestion.Batch, written map[profile.ID]bool) pgx.NamedArgs {
	var orgs, names, types, countries []string
	var seqs []uint64
	for _, h := range b.Heads {
		if h.Profile == nil || !written[h.ID] {
			continue
		}
		o := h.Profile.Organisation
		orgs, seqs, names = append(orgs, h.ID.Org()), append(seqs, h.Seq), append(names, o.Name)
		types, countries = append(types, string(o.Type)), append(countries, o.Country)
	}
	return pgx.NamedArgs{"orgs": orgs, "seqs": seqs, "names": names, "types": types, "countries": countries}
}

// visibilityOf returns who may see p: the default when it does not say, nobody
// when it says something that this program does not know.
func visibilityOf(p *profile.Profile) string {
	switch p.Visibility {
	case "":
		return string(profile.VisibleCluster)
	case profile.VisibleCluster, profile.VisibleNetwork, profile.VisiblePublic:
		return string(p.Visibility)
	default:
		return string(profile.VisiblePrivate)
	}
}

// moment returns t for a nullable column: zero is null.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
