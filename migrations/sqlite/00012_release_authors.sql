-- +goose Up
-- Who wrote the commit that a release was made of, by name; empty where it was
-- made of none.
ALTER TABLE releases ADD COLUMN author TEXT NOT NULL DEFAULT '';
