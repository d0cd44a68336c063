-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX IF NOT EXISTS identities_pool ON identities (pool_id, id);
