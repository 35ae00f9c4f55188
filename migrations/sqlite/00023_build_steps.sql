-- +goose Up
-- How a build went, and the operation that it is part of.
ALTER TABLE builds ADD COLUMN steps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE builds ADD COLUMN cached INTEGER NOT NULL DEFAULT 0;
ALTER TABLE builds ADD COLUMN took INTEGER NOT NULL DEFAULT 0;
ALTER TABLE builds ADD COLUMN operation_id TEXT NOT NULL DEFAULT '';
UPDATE builds SET operation_id = deploys.id
  FROM (SELECT id, json_extract(args, '$.build') AS build FROM operations WHERE kind = 'deploy') AS deploys
  WHERE builds.id = deploys.build;
-- An app's builds, in the order of the list.
DROP INDEX builds_app;
CREATE INDEX builds_app ON builds (app_id, id);
