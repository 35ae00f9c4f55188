-- +goose Up
-- What an operation started and what it stops are asked for at each report while
-- something waits for it.
CREATE INDEX instances_operation ON instances (operation_id);
CREATE INDEX instances_retire ON instances (retire_id);
-- The failures of one process type of a release.
CREATE INDEX instances_release ON instances (release_id, type, created_at);
-- All that are not gone, by age.
CREATE INDEX instances_live_id ON instances (id) WHERE gone_at IS NULL;
-- When an app last lost an instance, and which rows are old enough to delete.
CREATE INDEX instances_gone ON instances (app_id, gone_at, id) WHERE gone_at IS NOT NULL;
CREATE INDEX instances_gone_at ON instances (gone_at) WHERE gone_at IS NOT NULL;

CREATE INDEX traffic_release ON traffic (release_id);
CREATE INDEX releases_build ON releases (build_id);
CREATE INDEX builds_created ON builds (created_at);
CREATE INDEX builds_open ON builds (id) WHERE state IN ('pending', 'running');
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
