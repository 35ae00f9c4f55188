-- +goose Up
-- Times are nanoseconds since 1970 in UTC, as integers: they compare, sort and
-- move between databases without a format. Ids are UUIDv7 as text.

CREATE TABLE settings (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE workspaces (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  role       TEXT NOT NULL CHECK (role IN ('viewer', 'developer', 'admin')),
  created_at INTEGER NOT NULL
) STRICT;

-- Tokens are random and long, so a plain SHA-256 keeps them secret.
CREATE TABLE tokens (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  hash       TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;

CREATE TABLE apps (
  id           TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces (id),
  name         TEXT NOT NULL UNIQUE,
  stopped      INTEGER NOT NULL DEFAULT 0,
  destroying   INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL,
  version      INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE config_vars (
  app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  key    TEXT NOT NULL,
  sealed TEXT NOT NULL,
  PRIMARY KEY (app_id, key)
) STRICT;

-- own marks the host that an app has by its name in the cluster's domain.
CREATE TABLE domains (
  host       TEXT PRIMARY KEY,
  app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  own        INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX domains_app ON domains (app_id);

CREATE TABLE builds (
  id         TEXT PRIMARY KEY,
  app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  kind       TEXT NOT NULL CHECK (kind IN ('commit', 'archive', 'image')),
  source     TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('pending', 'running', 'ready', 'failed')),
  image      TEXT NOT NULL DEFAULT '{}',
  processes  TEXT NOT NULL DEFAULT '[]',
  domains    TEXT NOT NULL DEFAULT '[]',
  error      TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT;
CREATE INDEX builds_app ON builds (app_id);

CREATE TABLE operations (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  app_id     TEXT NOT NULL DEFAULT '', -- no reference: outlives its app
  node_id    TEXT NOT NULL DEFAULT '',
  title      TEXT NOT NULL,
  args       TEXT NOT NULL DEFAULT '{}',
  exclusive  INTEGER NOT NULL DEFAULT 0,
  state      TEXT NOT NULL CHECK (state IN ('open', 'succeeded', 'failed', 'aborted')),
  error      TEXT NOT NULL DEFAULT '',
  username   TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT;
CREATE INDEX operations_open ON operations (app_id, id) WHERE state = 'open';
CREATE INDEX operations_ended ON operations (ended_at);

CREATE TABLE releases (
  id           TEXT PRIMARY KEY,
  app_id       TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  number       INTEGER NOT NULL,
  build_id     TEXT NOT NULL,
  operation_id TEXT NOT NULL UNIQUE,
  state        TEXT NOT NULL CHECK (state IN ('ready', 'running', 'retired', 'failed')),
  image        TEXT NOT NULL,
  processes    TEXT NOT NULL,
  config       TEXT NOT NULL, -- sealed snapshot
  commit_id    TEXT NOT NULL DEFAULT '',
  message      TEXT NOT NULL DEFAULT '',
  username     TEXT NOT NULL DEFAULT '',
  cause        TEXT NOT NULL DEFAULT '',
  error        TEXT NOT NULL DEFAULT '',
  created_at   INTEGER NOT NULL,
  UNIQUE (app_id, number)
) STRICT;

-- What a person asked of a process type; NULL leaves it to the release.
CREATE TABLE formations (
  app_id   TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  type     TEXT NOT NULL,
  quantity INTEGER,
  memory   INTEGER NOT NULL DEFAULT 0,
  cpus     REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (app_id, type)
) STRICT;

CREATE TABLE traffic (
  app_id     TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  release_id TEXT NOT NULL REFERENCES releases (id) ON DELETE CASCADE,
  weight     INTEGER NOT NULL CHECK (weight BETWEEN 0 AND 10000),
  PRIMARY KEY (app_id, release_id)
) STRICT;

CREATE TABLE nodes (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  roles      TEXT NOT NULL,
  address    TEXT NOT NULL DEFAULT '',
  state      TEXT NOT NULL CHECK (state IN ('ready', 'suspect', 'dead')),
  draining   INTEGER NOT NULL DEFAULT 0,
  revision   INTEGER NOT NULL DEFAULT 0,
  tags       TEXT NOT NULL DEFAULT '{}',
  token_hash TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;

-- Rows go away only after the heart has reported the container gone, and not
-- with their app: a destroyed app's container on a silent node is still ours
-- to stop when the node is back.
CREATE TABLE instances (
  id           TEXT PRIMARY KEY,
  app_id       TEXT NOT NULL,
  release_id   TEXT NOT NULL,
  type         TEXT NOT NULL,
  node_id      TEXT NOT NULL REFERENCES nodes (id),
  port         INTEGER NOT NULL DEFAULT 0,
  state        TEXT NOT NULL CHECK (state IN ('assigned', 'pulling', 'starting', 'running', 'draining', 'stopped', 'failed')),
  crashing     INTEGER NOT NULL DEFAULT 0,
  restarts     INTEGER NOT NULL DEFAULT 0,
  error        TEXT NOT NULL DEFAULT '',
  operation_id TEXT NOT NULL DEFAULT '',
  retire_id    TEXT NOT NULL DEFAULT '', -- the operation that drains and stops it
  revision     INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL,
  started_at   INTEGER,
  draining_at  INTEGER,
  gone_at      INTEGER
) STRICT;
CREATE INDEX instances_live ON instances (app_id) WHERE gone_at IS NULL;
CREATE INDEX instances_node ON instances (node_id) WHERE gone_at IS NULL;

-- The pacemaker's ledger: a port is taken again ten minutes after its release.
CREATE TABLE ports (
  node_id     TEXT NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
  port        INTEGER NOT NULL,
  instance_id TEXT NOT NULL,
  released_at INTEGER,
  PRIMARY KEY (node_id, port)
) STRICT;
CREATE INDEX ports_instance ON ports (instance_id);

CREATE TABLE events (
  id         TEXT PRIMARY KEY,
  at         INTEGER NOT NULL,
  username   TEXT NOT NULL,
  action     TEXT NOT NULL,
  thing      TEXT NOT NULL,
  before     TEXT NOT NULL DEFAULT '',
  after      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX events_at ON events (at);

-- The trees of ended operations, as they were at their end.
CREATE TABLE job_archive (
  id       TEXT PRIMARY KEY,
  app_id   TEXT NOT NULL DEFAULT '',
  kind     TEXT NOT NULL,
  state    TEXT NOT NULL,
  tree     TEXT NOT NULL,
  log      TEXT NOT NULL DEFAULT '',
  ended_at INTEGER NOT NULL
) STRICT;
CREATE INDEX job_archive_ended ON job_archive (ended_at);

-- Answers to writes that carried an Idempotency-Key, kept for a day.
CREATE TABLE idempotency_keys (
  username   TEXT NOT NULL,
  key        TEXT NOT NULL,
  request    TEXT NOT NULL, -- hash of method, path and body
  status     INTEGER NOT NULL DEFAULT 0,
  answer     TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  PRIMARY KEY (username, key)
) STRICT;
