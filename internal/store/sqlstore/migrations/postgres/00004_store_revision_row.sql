-- +goose NO TRANSACTION
-- +goose Up
INSERT INTO store_revision (id, n) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
