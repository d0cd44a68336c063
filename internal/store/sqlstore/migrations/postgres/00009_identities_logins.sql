-- +goose NO TRANSACTION
-- The logins of an identity once more, in its own row, so that reading it is one search. Where logins_version is not the
-- row's version they stand in the table logins alone.
-- +goose Up
ALTER TABLE identities ADD COLUMN IF NOT EXISTS logins TEXT COLLATE "C";
