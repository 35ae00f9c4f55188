-- +goose Up
-- What an operation made of an app's formation, so that one that fails before it is
-- live takes it back, and a retry sets it again. NULL: nothing was asked of the
-- process type.
CREATE TABLE formation_changes (
    operation_id TEXT NOT NULL,
    app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    before TEXT,
    after TEXT NOT NULL,
    PRIMARY KEY (operation_id, type)
) STRICT;
CREATE INDEX formation_changes_app ON formation_changes (app_id, type);
