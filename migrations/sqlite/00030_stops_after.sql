-- +goose Up
-- The silence of its node after which an instance has ended by itself, as its heart has
-- promised, and the silence that a node counts as dead by: in nanoseconds, 0 for none.
ALTER TABLE instances ADD COLUMN stops_after INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN silent_for INTEGER NOT NULL DEFAULT 0;
