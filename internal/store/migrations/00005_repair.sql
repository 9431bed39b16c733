-- Repair: what an operator asked of the installation as a whole, and what is held
-- back after a recovery (see "Repair" in internal/app/doc.go).

-- +goose Up

-- One row.
CREATE TABLE repair (
	one              boolean PRIMARY KEY DEFAULT true CHECK (one),
	index_generation integer NOT NULL DEFAULT 0, -- raised: every process begins its index anew
	quiet_until      bigint NOT NULL DEFAULT 0,  -- what heads learn up to this PROFILES sequence is quiet
	quiet_since      timestamptz                 -- when that was set
);
INSERT INTO repair DEFAULT VALUES;

-- The revision is quiet only because a recovery brought it: nobody knows who was
-- told of it before.
ALTER TABLE profile ADD COLUMN withheld boolean NOT NULL DEFAULT false;
CREATE INDEX profile_withheld ON profile (id) WHERE withheld;
