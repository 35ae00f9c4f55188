-- +goose Up
-- The operation that has caused another one, as a deploy causes the stop of the
-- instances that it replaces; empty for what somebody asked for.
ALTER TABLE operations ADD COLUMN cause_id TEXT NOT NULL DEFAULT '';
CREATE INDEX operations_cause ON operations (cause_id, id) WHERE cause_id <> '';
CREATE INDEX operations_uncaused ON operations (id) WHERE cause_id = '' OR state = 'failed';
-- The operation by which an instance is not wanted any more.
ALTER TABLE instances ADD COLUMN drain_cause TEXT NOT NULL DEFAULT '';
