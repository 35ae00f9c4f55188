-- +goose Up
-- Who let go of an operation that did not succeed, and when: it is not repeated
-- any more and needs nobody's attention.
ALTER TABLE operations ADD COLUMN discarded_at INTEGER;
ALTER TABLE operations ADD COLUMN discarded_by TEXT NOT NULL DEFAULT '';

-- Lists are newest first, and ids sort by age: each filter has its index in that
-- order.
CREATE INDEX operations_app ON operations (app_id, id);
CREATE INDEX operations_kind ON operations (kind, id);
CREATE INDEX operations_state ON operations (state, id);
-- What came after an operation of the same kind.
CREATE INDEX operations_same ON operations (app_id, node_id, kind, id);
-- The short form of an id that people type.
CREATE INDEX operations_short ON operations (substr(id, -8));
