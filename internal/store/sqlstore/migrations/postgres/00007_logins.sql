-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS logins (
    pool_id      TEXT COLLATE "C" NOT NULL,
    provider     TEXT COLLATE "C" NOT NULL,
    subject_hash BYTEA NOT NULL,
    subject      BYTEA NOT NULL,
    identity_id  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (pool_id, provider, subject_hash)
);
