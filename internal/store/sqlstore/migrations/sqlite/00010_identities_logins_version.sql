-- +goose Up
ALTER TABLE identities ADD COLUMN logins_version INTEGER;
