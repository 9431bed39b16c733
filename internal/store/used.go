package store

import (
	"context"
	"fmt"
)

const selectUsed = `SELECT EXISTS (SELECT FROM profile) OR EXISTS (SELECT FROM rejection)`

// Used reports whether the database has ever kept what came through the
// streams: then streams that are missing have been lost, not never made.
func (s *Store) Used(ctx context.Context) (bool, error) {
	var used bool
	if err := s.pool.QueryRow(ctx, selectUsed).Scan(&used); err != nil {
		return false, fmt.Errorf("look for profiles: %w", classify(err))
	}
	return used, nil
}
