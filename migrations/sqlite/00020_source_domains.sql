-- +goose Up
-- Whether an app has a host since its aorta.yml asks for it: it goes when that does
-- no more. Of those that are there already nobody knows, so they stay.
ALTER TABLE domains ADD COLUMN of_source INTEGER NOT NULL DEFAULT 0;
