-- +goose Up
CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    development   BOOLEAN NOT NULL,
    disabled_at   BIGINT,
    deleted_at    BIGINT,
    not_before    BIGINT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

-- The exceptions are few and are read at every start.
CREATE INDEX users_exceptions ON users (id) WHERE disabled_at IS NOT NULL OR deleted_at IS NOT NULL OR not_before IS NOT NULL;

-- +goose Down
DROP TABLE users;
