package peer

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"kobling/internal/analysis"
	"kobling/internal/profile"
)

// Postgres is what one builds with nothing but a database: a table for each side with
// the terms as a tsvector, a GIN index without the list of pending entries, and the
// best by ts_rank of those that share any term. A tsquery has no weights, so all its
// terms are equal.
type Postgres struct {
	pool *pgxpool.Pool
}

var _ Engine = (*Postgres)(nil)

// tables are the tables of the sides. Their names are in the statements.
var tables = map[profile.Side]string{profile.Demand: "peer_demand", profile.Supply: "peer_supply"}

// NewPostgres makes the tables in the database at url, which has none of these names.
func NewPostgres(ctx context.Context, url string) (*Postgres, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	cfg.ConnConfig.RuntimeParams["jit"] = "off" // as kobling has it: it is slower with it
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	p := &Postgres{pool: pool}
	for _, side := range sides() {
		if err := p.exec(ctx, `CREATE TABLE `+tables[side]+` (id text COLLATE "C" PRIMARY KEY, terms tsvector NOT NULL)`); err != nil {
			pool.Close()
			return nil, err
		}
	}
	return p, nil
}

func (p *Postgres) exec(ctx context.Context, statement string, args ...any) error {
	if _, err := p.pool.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// Load implements [Engine].
func (p *Postgres) Load(ctx context.Context, docs []Document) error { return p.Add(ctx, docs) }

// Ready implements [Engine]: the indexes are built and the statistics taken.
func (p *Postgres) Ready(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, side := range sides() {
		g.Go(func() error {
			if err := p.exec(ctx, `CREATE INDEX ON `+tables[side]+` USING gin (terms) WITH (fastupdate = off)`); err != nil {
				return err
			}
			return p.exec(ctx, `VACUUM ANALYZE `+tables[side])
		})
	}
	return g.Wait()
}

// Add implements [Engine].
func (p *Postgres) Add(ctx context.Context, docs []Document) error {
	for side, list := range bySide(docs) {
		ids, vectors := make([]string, len(list)), make([]string, len(list))
		for i, d := range list {
			ids[i], vectors[i] = string(d.ID), vector(d.Features)
		}
		err := p.exec(ctx, `INSERT INTO `+tables[side]+` (id, terms)
			SELECT id, terms::tsvector FROM unnest($1::text[], $2::text[]) AS d (id, terms)
			ON CONFLICT (id) DO UPDATE SET terms = excluded.terms`, ids, vectors)
		if err != nil {
			return err
		}
	}
	return nil
}

// quoted returns a term as PostgreSQL reads it within a tsvector or a tsquery.
func quoted(term string) string { return "'" + escapes.Replace(term) + "'" }

var escapes = strings.NewReplacer(`'`, `''`, `\`, `\\`)

// vector returns features as a tsvector, one place after the other.
func vector(features []analysis.Feature) string {
	list := make([]string, len(features))
	for i, f := range features {
		list[i] = quoted(f.Term) + ":" + strconv.Itoa(i+1)
	}
	return strings.Join(list, " ")
}

// Search implements [Engine].
func (p *Postgres) Search(ctx context.Context, in profile.Side, features []analysis.Feature, n int) ([]Hit, error) {
	if tables[in] == "" {
		return nil, unknownSide(in)
	}
	list := make([]string, len(features))
	for i, f := range features {
		list[i] = quoted(f.Term)
	}
	rows, err := p.pool.Query(ctx, `SELECT id, ts_rank(terms, q) AS rank
		FROM `+tables[in]+`, (SELECT $1::text::tsquery AS q) AS asked
		WHERE terms @@ q ORDER BY rank DESC, id LIMIT $2`, strings.Join(list, " | "), n)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	defer rows.Close()
	hits := make([]Hit, 0, n)
	for rows.Next() {
		var id string
		var rank float32
		if err := rows.Scan(&id, &rank); err != nil {
			return nil, fmt.Errorf("postgres: %w", err)
		}
		hits = append(hits, Hit{profile.ID(id), float64(rank)})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return hits, nil
}

// Stats implements [Engine].
func (p *Postgres) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	for _, side := range sides() {
		var n int64
		if err := p.pool.QueryRow(ctx, `SELECT pg_total_relation_size($1::text::regclass)`, tables[side]).Scan(&n); err != nil {
			return s, fmt.Errorf("postgres: %w", err)
		}
		s.Bytes += n
	}
	return s, nil
}

// Close implements [Engine].
func (p *Postgres) Close() error {
	p.pool.Close()
	return nil
}
