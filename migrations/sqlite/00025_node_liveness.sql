-- +goose Up
-- How often a node was lost lately, when last, and when it came back.
ALTER TABLE nodes ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN lost_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN returned_at INTEGER NOT NULL DEFAULT 0;
