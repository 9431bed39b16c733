-- Model epochs: what an epoch is made with besides the program, so that every
-- replica makes the same one (see "Epochs" in internal/app/doc.go). Which one
-- is active stays in active_epoch: a program that does not know this table goes
-- on until it finds its epoch replaced.

-- +goose Up

CREATE TABLE epoch (
	number      integer PRIMARY KEY,
	fingerprint text NOT NULL,
	about       jsonb NOT NULL,
	model       bytea NOT NULL,
	made_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- It is compressed already.
ALTER TABLE epoch ALTER COLUMN model SET STORAGE EXTERNAL;
