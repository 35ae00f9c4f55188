-- +goose Up
-- What people asked for, and what the platform began by itself, each searched in
-- the order of the list.
CREATE INDEX operations_people ON operations (id) WHERE username <> '';
CREATE INDEX operations_own ON operations (id) WHERE username = '' AND (cause_id = '' OR state = 'failed');
