-- +goose Up
-- The lease that shows which copy of a node's data directory is the node: the one that
-- it has, and the one that it was given and has not used yet. Nodes of a version
-- before this one have none, and are let in as long as none is here.
ALTER TABLE nodes ADD COLUMN lease TEXT NOT NULL DEFAULT '';
ALTER TABLE nodes ADD COLUMN next_lease TEXT NOT NULL DEFAULT '';
-- Who was given the last one, for people, and when.
ALTER TABLE nodes ADD COLUMN lease_holder TEXT NOT NULL DEFAULT '';
ALTER TABLE nodes ADD COLUMN leased_at INTEGER NOT NULL DEFAULT 0;
