-- +goose Up
-- A node is known by its key, to which the cluster's authority signs a certificate,
-- and is there once it has joined. The hash of a token that was is that of no key:
-- the node beside the pacemaker makes itself known again, others join again.
DELETE FROM nodes WHERE joined_at IS NULL AND NOT EXISTS (SELECT 1 FROM instances WHERE instances.node_id = nodes.id);
ALTER TABLE nodes DROP COLUMN joined_at;
ALTER TABLE nodes RENAME COLUMN token_hash TO key_hash;
-- A removed node's row stays as long as one of its instances.
ALTER TABLE nodes ADD COLUMN removed_at INTEGER;
-- Tags that people and tokens set; those in tags are as the node reports them.
ALTER TABLE nodes ADD COLUMN set_tags TEXT NOT NULL DEFAULT '{}';

CREATE TABLE join_tokens (
  id         TEXT PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL DEFAULT '',
  roles      TEXT NOT NULL,
  tags       TEXT NOT NULL,
  uses       INTEGER NOT NULL CHECK (uses > 0),
  used       INTEGER NOT NULL DEFAULT 0 CHECK (used <= uses),
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

-- Which key joined by a token: its answer may be lost, and is given again.
CREATE TABLE join_uses (
  token_id TEXT NOT NULL REFERENCES join_tokens (id) ON DELETE CASCADE,
  key_hash TEXT NOT NULL,
  node_id  TEXT NOT NULL,
  used_at  INTEGER NOT NULL,
  PRIMARY KEY (token_id, key_hash)
) STRICT, WITHOUT ROWID;
