-- +goose Up
-- The Linux capabilities that an admin has granted an app beside the default
-- ones: their names, without CAP_, separated by spaces.
ALTER TABLE apps ADD COLUMN grants TEXT NOT NULL DEFAULT '';
