-- +goose Up
-- Where a node's machine is reached from others, as it reported last: its addresses,
-- and what is for everyone there (IP:PORT). The firewall of every node knows them.
ALTER TABLE nodes ADD COLUMN addresses TEXT NOT NULL DEFAULT '[]';
ALTER TABLE nodes ADD COLUMN public TEXT NOT NULL DEFAULT '[]';
