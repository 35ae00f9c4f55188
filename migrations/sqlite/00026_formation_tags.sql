-- +goose Up
-- The tags that a person asks of the nodes of a process type; {} leaves them to the release.
ALTER TABLE formations ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
