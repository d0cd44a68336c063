-- WITHOUT ROWID: the key is the tree that holds the row, so that a look-up by it searches once.
-- +goose Up
CREATE TABLE IF NOT EXISTS identities (
    id            TEXT NOT NULL PRIMARY KEY,
    pool_id       TEXT NOT NULL,
    created       INTEGER NOT NULL,
    modified      INTEGER NOT NULL,
    authenticated INTEGER NOT NULL,
    disabled      INTEGER NOT NULL,
    merged_into   TEXT NOT NULL,
    version       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
