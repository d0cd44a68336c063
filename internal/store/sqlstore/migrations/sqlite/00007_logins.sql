-- +goose Up
CREATE TABLE IF NOT EXISTS logins (
    pool_id      TEXT NOT NULL,
    provider     TEXT NOT NULL,
    subject_hash BLOB NOT NULL,
    subject      BLOB NOT NULL,
    identity_id  TEXT NOT NULL,
    PRIMARY KEY (pool_id, provider, subject_hash)
) STRICT, WITHOUT ROWID;
