-- +goose Up
-- When an operation took its turn among those of its app that wait for one another: as
-- it came, a deploy once its image is built. NULL: it builds.
ALTER TABLE operations ADD COLUMN turn_at INTEGER;
UPDATE operations SET turn_at = created_at;
