-- +goose Up
-- The address that an instance's port is published at, which stays what it was when
-- its node gets another one. Empty: its node's.
ALTER TABLE instances ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- All that have a container by now were made at the address that their node has.
UPDATE instances SET address = COALESCE((SELECT address FROM nodes WHERE nodes.id = instances.node_id), '')
WHERE gone_at IS NULL AND state <> 'assigned';
