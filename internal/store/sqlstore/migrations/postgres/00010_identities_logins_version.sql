-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE identities ADD COLUMN IF NOT EXISTS logins_version BIGINT;
