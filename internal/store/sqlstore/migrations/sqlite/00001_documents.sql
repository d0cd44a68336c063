-- deleted is 0 or 1.
-- +goose Up
CREATE TABLE IF NOT EXISTS documents (
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    version  INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    deleted  INTEGER NOT NULL,
    body     BLOB,
    PRIMARY KEY (kind, id)
) STRICT;
