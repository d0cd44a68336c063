-- +goose NO TRANSACTION
-- created and modified are milliseconds since 1970, UTC.
-- +goose Up
CREATE TABLE IF NOT EXISTS identities (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    pool_id       TEXT COLLATE "C" NOT NULL,
    created       BIGINT NOT NULL,
    modified      BIGINT NOT NULL,
    authenticated BOOLEAN NOT NULL,
    disabled      BOOLEAN NOT NULL,
    merged_into   TEXT COLLATE "C" NOT NULL,
    version       BIGINT NOT NULL
);
