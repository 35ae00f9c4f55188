-- +goose Up
-- What an operation set and unset of an app's config vars, so that one that does
-- not succeed takes it back, and a retry sets it again. Values are sealed; NULL:
-- the var was not there, or is not to be.
CREATE TABLE config_changes (
    operation_id TEXT NOT NULL,
    app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (operation_id, key)
);
CREATE INDEX config_changes_app ON config_changes (app_id, key);
