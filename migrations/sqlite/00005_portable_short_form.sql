-- +goose Up
-- The short form of an id, counted from its beginning: not every database counts
-- from the end.
DROP INDEX operations_short;
CREATE INDEX operations_short ON operations (substr(id, 29));
