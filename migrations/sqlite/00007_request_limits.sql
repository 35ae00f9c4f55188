-- +goose Up
-- What a request to an app may take at the routers: seconds until its answer
-- begins, seconds of silence, bytes of its body. Zero is the default.
ALTER TABLE apps ADD COLUMN request_timeout INTEGER NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN idle_timeout INTEGER NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN max_body INTEGER NOT NULL DEFAULT 0;
-- What the aorta.yml of a build asks for of these, as JSON.
ALTER TABLE builds ADD COLUMN route TEXT NOT NULL DEFAULT '{}';
