-- +goose Up
-- Sign-ins with a browser. A session goes with its token, and a token with its
-- user. Cookies are random and long, so a plain SHA-256 keeps them secret.
CREATE TABLE sessions (
  id         TEXT PRIMARY KEY,
  token_id   TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  hash       TEXT NOT NULL UNIQUE,
  agent      TEXT NOT NULL DEFAULT '',
  address    TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_token ON sessions (token_id);
