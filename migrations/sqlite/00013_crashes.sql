-- +goose Up
-- When an instance ended by itself last, or recovered from failing its checks: who
-- runs for a few seconds between two ends is not well.
ALTER TABLE instances ADD COLUMN crashed_at INTEGER;
