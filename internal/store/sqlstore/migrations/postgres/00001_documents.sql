-- +goose NO TRANSACTION
-- COLLATE "C" everywhere: keys are compared and ordered by their bytes, whatever the locale of the database.
-- +goose Up
CREATE TABLE IF NOT EXISTS documents (
    kind     TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    version  BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    deleted  BOOLEAN NOT NULL,
    body     BYTEA,
    PRIMARY KEY (kind, id)
);
