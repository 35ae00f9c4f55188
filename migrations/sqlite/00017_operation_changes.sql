-- +goose Up
-- What an operation changed of what is asked of its app, by kind (config: config
-- vars, sealed; formation) and key, so that one that fails before it is live takes
-- it back, and a retry does it again. NULL: there was none, or is to be none.
CREATE TABLE operation_changes (
    operation_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    before TEXT,
    after TEXT,
    PRIMARY KEY (operation_id, kind, key)
) STRICT;
CREATE INDEX operation_changes_app ON operation_changes (app_id, kind, key);
INSERT INTO operation_changes SELECT operation_id, 'config', key, app_id, before, after FROM config_changes;
INSERT INTO operation_changes SELECT operation_id, 'formation', type, app_id, before, after FROM formation_changes;
DROP TABLE config_changes;
DROP TABLE formation_changes;
