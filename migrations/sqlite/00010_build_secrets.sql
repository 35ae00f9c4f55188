-- +goose Up
-- What an app's builds may mount as secrets. Values are sealed.
CREATE TABLE build_secrets (
    app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sealed TEXT NOT NULL,
    PRIMARY KEY (app_id, name)
);
