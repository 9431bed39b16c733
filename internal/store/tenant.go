package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"kobling/internal/fault"
	"kobling/internal/profile"
)

// Enrolment is how an organisation becomes a member of a cluster.
type Enrolment string

// The ways of enrolment.
const (
	EnrolOpen    Enrolment = "open"    // by posting into it
	EnrolMembers Enrolment = "members" // by being enrolled
)

// Cluster is a tenant: it owns profiles and has advisors.
type Cluster struct {
	ID        string // token, see profile.ValidToken
	Name      string
	Enrolment Enrolment // empty: EnrolOpen
	Review    bool      // profiles wait for an advisor's release
}

const upsertCluster = `
INSERT INTO cluster (id, name, enrolment, review) VALUES (@id, @name, @enrolment, @review)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, enrolment = excluded.enrolment, review = excluded.review, updated_at = clock_timestamp()
WHERE (cluster.name, cluster.enrolment, cluster.review) <> (excluded.name, excluded.enrolment, excluded.review)`

// SaveCluster creates or changes a cluster. Nothing it holds is part of the gate,
// so nothing is told by it.
func (s *Store) SaveCluster(ctx context.Context, c Cluster) error {
	if !profile.ValidToken(c.ID) {
		return fmt.Errorf("save cluster: %w: %q is not a token", fault.ErrInvalid, c.ID)
	}
	if c.Enrolment == "" {
		c.Enrolment = EnrolOpen
	}
	_, err := s.exec(ctx, "save cluster "+c.ID, upsertCluster,
		pgx.NamedArgs{"id": c.ID, "name": c.Name, "enrolment": string(c.Enrolment), "review": c.Review})
	return err
}

const selectClusters = `SELECT id, name, enrolment, review FROM cluster ORDER BY id`

// Clusters returns all clusters by id.
func (s *Store) Clusters(ctx context.Context) ([]Cluster, error) {
	return rows(ctx, s, "clusters", selectClusters, nil, pgx.RowToStructByPos[Cluster])
}

// Network joins clusters: their profiles of visibility "network" see each other.
type Network struct {
	ID       string // token, see profile.ValidToken
	Name     string
	Clusters []string // ids; all of them
}

const upsertNetwork = `
INSERT INTO network (id, name) VALUES (@id, @name)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, updated_at = clock_timestamp()`

const removeMembers = `
DELETE FROM network_member WHERE network = @id AND cluster <> ALL(@clusters::text[])`

const addMembers = `
INSERT INTO network_member (network, cluster)
SELECT DISTINCT @id, cluster FROM unnest(@clusters::text[]) AS c (cluster)
ON CONFLICT (cluster, network) DO NOTHING RETURNING cluster`

// SaveNetwork creates a network or changes its clusters. Pairs that see each
// other by that are told by a job.
func (s *Store) SaveNetwork(ctx context.Context, n Network) error {
	if !profile.ValidToken(n.ID) {
		return fmt.Errorf("save network: %w: %q is not a token", fault.ErrInvalid, n.ID)
	}
	if n.Clusters == nil {
		n.Clusters = []string{} // null would keep every member
	}
	return s.inTx(ctx, "save network "+n.ID, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"id": n.ID, "name": n.Name, "clusters": n.Clusters}
		if _, err := tx.Exec(ctx, upsertNetwork, args); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, removeMembers, args); err != nil {
			return err
		}
		added, err := tx.Query(ctx, addMembers, args)
		if err != nil {
			return err
		}
		joined, err := pgx.CollectRows(added, pgx.RowTo[string])
		if err != nil || len(joined) == 0 {
			return err
		}
		return s.enqueue(ctx, tx, []river.InsertManyParams{retellJob(retellArgs{Clusters: joined}, time.Time{})})
	})
}

const mergeOrganisation = `
INSERT INTO organisation (org, legal_entity) VALUES (@org, @entity)
ON CONFLICT (org) DO UPDATE SET legal_entity = excluded.legal_entity, updated_at = clock_timestamp()
WHERE organisation.legal_entity IS DISTINCT FROM excluded.legal_entity`

// SetLegalEntity says that organisation org is part of a legal entity, whatever
// its profiles say: profiles of one legal entity are never suggested to each
// other. An empty entity takes that back. Pairs that this sets apart are told
// by a job.
func (s *Store) SetLegalEntity(ctx context.Context, org, entity string) error {
	args := pgx.NamedArgs{"org": org, "entity": nullable(entity)}
	return s.inTx(ctx, "set legal entity of "+org, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, mergeOrganisation, args)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.enqueue(ctx, tx, []river.InsertManyParams{retellJob(retellArgs{Orgs: []string{org}}, time.Time{})})
	})
}

// nullable returns s for a nullable column: empty is null.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
