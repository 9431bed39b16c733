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
	WHERE (s.demand_id, s.supply_id) > (@demand, @supply)
	AND (EXISTS (SELECT FROM profile p WHERE p.id = s.demand_id AND p.seq > s.demand_seq)
		OR EXISTS (SELECT FROM profile p WHERE p.id = s.supply_id AND p.seq > s.supply_seq))
	ORDER BY s.demand_id, s.supply_id LIMIT 1000
	FOR UPDATE OF s SKIP LOCKED
), gone AS (
	DELETE FROM suggestion s USING old WHERE s.demand_id = old.demand_id AND s.supply_id = old.supply_id
)
SELECT demand_id, supply_id FROM old ORDER BY demand_id, supply_id`

// Sweep removes superseded suggestions, in small transactions that wait for
// nobody, and returns how many.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	type key struct{ demand, supply profile.ID }
	var last key
	total := 0
	for {
		keys, err := rows(ctx, s, "sweep suggestions", deleteSuperseded,
			pgx.NamedArgs{"demand": string(last.demand), "supply": string(last.supply)},
			func(row pgx.CollectableRow) (key, error) {
				var k key
				err := row.Scan(&k.demand, &k.supply)
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
