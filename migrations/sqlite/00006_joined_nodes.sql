-- +goose Up
-- When a node's process spoke for the first time. A node whose token was never
-- used is no trouble, however long it is silent. Until now an address told the
-- two apart, which a router or a builder need not have.
ALTER TABLE nodes ADD COLUMN joined_at INTEGER;
UPDATE nodes SET joined_at = created_at WHERE address <> '';
