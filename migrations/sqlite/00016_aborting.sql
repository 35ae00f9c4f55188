-- +goose Up
-- Why an open operation is to end, once somebody has aborted it; and whether what
-- it changes serves, so that it can't be aborted any more. A statement that sets
-- one of them asks for the other.
ALTER TABLE operations ADD COLUMN abort_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN promoted INTEGER NOT NULL DEFAULT 0;
