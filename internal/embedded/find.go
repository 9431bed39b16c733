package embedded

import "context"

// Binaries returns the directory of the PostgreSQL programs that
// [StartPostgres] would use; dir as in [PostgresOptions]. The error wraps
// [ErrNoBinaries] when there are none.
func Binaries(ctx context.Context, dir string) (string, error) {
	b, err := findBinaries(ctx, dir, 0)
	return b.dir, err
}
