-- +goose Up
-- former marks a host that an app had by its name while the cluster had another
-- domain. It serves until somebody removes it.
ALTER TABLE domains ADD COLUMN former INTEGER NOT NULL DEFAULT 0;
