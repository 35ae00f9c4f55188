-- +goose Up
-- The addresses that a node has shown to be its machine's, by connections from there.
-- Those that are recorded were believed without, and count as shown.
ALTER TABLE nodes ADD COLUMN shown TEXT NOT NULL DEFAULT '[]';
UPDATE nodes SET shown = CASE addresses WHEN '' THEN '[]' ELSE addresses END;
UPDATE nodes SET shown = json_insert(shown, '$[#]', address) WHERE address <> '';
