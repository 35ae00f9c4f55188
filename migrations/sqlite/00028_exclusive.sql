-- +goose Up
-- A person has said of a dead node that its machine is: what may run once runs elsewhere.
ALTER TABLE nodes ADD COLUMN declared_dead INTEGER NOT NULL DEFAULT 0;
