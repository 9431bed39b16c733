package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"kobling/internal/profile"
)

// deleteSuperseded removes rows of which one side has a newer revision. They are
// invisible for ever: sequences of heads only rise. A row of an older epoch at
// the heads' sequences stays: it remembers whether it was written by nothing but
// a re-match, and there is one row a pair at most.
const deleteSuperseded = `
WITH old AS (
	SELECT s.demand_id, s.supply_id FROM suggestion s
	WHERE (s.demand_id, s.supply_id) > (@first, @second)
	AND (EXISTS (SELECT FROM profile p WHERE p.id = s.demand_id AND p.seq > s.demand_seq)
		OR EXISTS (SELECT FROM profile p WHERE p.id = s.supply_id AND p.seq > s.supply_seq))
	ORDER BY s.demand_id, s.supply_id LIMIT 1000
	FOR UPDATE OF s SKIP LOCKED
), gone AS (
	DELETE FROM suggestion s USING old WHERE s.demand_id = old.demand_id AND s.supply_id = old.supply_id
)
SELECT demand_id, supply_id FROM old ORDER BY demand_id, supply_id`

// deleteDuplicates does the same for near-duplicates.
const deleteDuplicates = `
WITH old AS (
	SELECT x.a_id, x.b_id FROM duplicate x
	WHERE (x.a_id, x.b_id) > (@first, @second)
	AND (EXISTS (SELECT FROM profile p WHERE p.id = x.a_id AND p.seq > x.a_seq)
		OR EXISTS (SELECT FROM profile p WHERE p.id = x.b_id AND p.seq > x.b_seq))
	ORDER BY x.a_id, x.b_id LIMIT 1000
	FOR UPDATE OF x SKIP LOCKED
), gone AS (
	DELETE FROM duplicate x USING old WHERE x.a_id = old.a_id AND x.b_id = old.b_id
)
SELECT a_id, b_id FROM old ORDER BY a_id, b_id`

// Sweep removes superseded suggestions and near-duplicates, in small transactions
// that wait for nobody, and returns how many.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	suggestions, err := s.sweep(ctx, "sweep suggestions", deleteSuperseded)
	if err != nil {
		return suggestions, err
	}
	duplicates, err := s.sweep(ctx, "sweep near-duplicates", deleteDuplicates)
	return suggestions + duplicates, err
}

func (s *Store) sweep(ctx context.Context, what, query string) (int, error) {
	type key struct{ first, second profile.ID }
	var last key
	total := 0
	for {
		keys, err := rows(ctx, s, what, query,
			pgx.NamedArgs{"first": string(last.first), "second": string(last.second)},
			func(row pgx.CollectableRow) (key, error) {
				var k key
				err := row.Scan(&k.first, &k.second)
				return k, err
			})
		if err != nil {
			return total, fmt.Errorf("after %d: %w", total, err)
		}
		if len(keys) == 0 {
			return total, nil
		}
		total += len(keys)
		last = keys[len(keys)-1]
	}
}
