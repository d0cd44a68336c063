-- +goose Up
CREATE INDEX IF NOT EXISTS logins_identity ON logins (identity_id);
