-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS documents_revision ON documents (revision);
